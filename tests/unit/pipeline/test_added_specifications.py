"""Specifications that others add to a package: nobody can remove them again, and they take nothing else down."""

from typing import Any

import pytest

from signoff.ledger.entries import Kind, Status
from tests.support.auditing import audited, names
from tests.support.voting import ANN, EVE
from tests.support.world import IMAGE, PINNED, ROLE, SPECIFICATION, World
from tests.unit.deployment.test_target_champions import NEXT_DOOR, world_of

FIELD = "AdditionalInferenceSpecifications"
HOSTILE = "s3://elsewhere/hostile.tar.gz"


def specification(name: str = "gpu", image: str = PINNED, **fields: Any) -> dict[str, Any]:
    return {**SPECIFICATION, "Name": name, "Containers": [{"Image": image, "ModelDataUrl": HOSTILE}], **fields}


def added_by_hand(world: World, arn: str, by: str = EVE, **fields: Any) -> None:
    """Add what cannot be inspected, as anybody may who may call UpdateModelPackage."""
    world.clock.forward(minutes=1)
    there = world.registry.described[arn].get(FIELD, [])
    world.registry.by_hand(arn, by, **{FIELD: [*there, specification(**fields)]})
    world.deliver()


def test_the_champion_stays_when_somebody_adds_a_specification():
    world = World()
    arn = world.approved()
    champion = world.published()
    added_by_hand(world, arn, image="no-such-image:1")
    world.sweep(days=1)
    assert (world.state(arn).status, world.status(arn), world.published()) == (Status.APPROVED, "Approved", champion)


def test_the_champion_stays_in_other_places_too():
    world = world_of(NEXT_DOOR)
    arn = world.approved()
    added_by_hand(world, arn)
    world.deployer.converge(arn)
    assert world.state(arn).status is Status.APPROVED
    assert world.published(NEXT_DOOR)


def test_what_is_deployed_after_somebody_added_a_specification_is_what_was_signed():
    world = World()
    arn = world.pending()
    added_by_hand(world, arn)
    world.decide(arn, "approve")
    world.deliver()
    (model,) = world.registry.models.values()
    assert model["PrimaryContainer"] == {"ModelPackageName": arn}
    assert world.state(arn).status is Status.APPROVED


def test_a_version_is_rolled_back_to_though_somebody_added_a_specification():
    world = World()
    first = world.approved(prefix="churn/run-1")
    world.clock.forward(minutes=1)
    world.approved(prefix="churn/run-2")
    added_by_hand(world, first)
    world.decide(first, "rollback")
    world.deliver()
    assert world.published() == {"churn": world.state(first).model["arn"]}


def test_a_waiting_package_is_not_validated_again_for_what_somebody_added():
    world = World()
    arn = world.pending()
    before = world.evidence(arn)
    added_by_hand(world, arn)
    assert (world.evidence(arn), world.state(arn).status) == (before, Status.PENDING_APPROVAL)


def test_an_annotation_whose_entry_comes_after_the_registrys_event_is_validated():
    world = World()
    arn = world.pending()
    (container,) = world.registry.described[arn]["InferenceSpecification"]["Containers"]
    added = {
        **SPECIFICATION,
        "Name": "gpu",
        "Containers": [{"Image": PINNED, "ModelDataUrl": container["ModelDataUrl"]}],
    }
    world.clock.forward(minutes=1)
    world.registry.by_hand(arn, **{FIELD: [added]})  # as the annotation has just done
    world.while_opening = lambda: world.annotate(arn, add_specifications=[added])
    world.deliver()
    document = world.vault.read("evidence", world.evidence(arn) or "")
    assert [each["Name"] for each in document["subject"]["additional_inference_specifications"]] == ["gpu"]
    assert world.state(arn).status is Status.PENDING_APPROVAL


def test_a_validation_leaves_out_what_somebody_added_and_says_so():
    world = World()
    arn = world.pending()
    added_by_hand(world, arn, image="no-such-image:1")
    world.clock.forward(minutes=1)
    assert world.validate(arn, reason="again") == "passed"
    document = world.vault.read("evidence", world.evidence(arn) or "")
    checks = {check["name"]: check for check in document["checks"]}
    assert checks["specification:gpu"]["status"] == "skipped"
    assert document["subject"]["additional_inference_specifications"] is None
    assert HOSTILE not in str(document["artifacts"])


def test_what_somebody_adds_before_the_first_validation_leaves_the_registration_and_its_submitter():
    world = World()
    arn = world.submit()
    world.registry.by_hand(arn, EVE, **{FIELD: [specification(image="no-such-image:1")]})
    world.deliver()
    assert world.state(arn).status is Status.PENDING_APPROVAL
    assert world.state(arn).registration is not None


def test_what_was_registered_with_the_package_is_validated_and_signed_as_before():
    world = World()
    cpu = {**SPECIFICATION, "Name": "cpu", "Containers": [{"Image": IMAGE, "ModelDataUrl": "model.tar.gz"}]}
    arn = world.approved(AdditionalInferenceSpecifications=[cpu])
    document = world.vault.read("evidence", world.evidence(arn) or "")
    assert [each["Name"] for each in document["subject"]["additional_inference_specifications"]] == ["cpu"]
    (there,) = world.registry.described[arn][FIELD]
    world.registry.by_hand(arn, EVE, **{FIELD: [{**there, "SupportedContentTypes": ["text/x"]}]})
    world.deliver()
    assert (world.state(arn).status, world.state(arn).revoked_for) == (Status.REVOKED, "subject")


def test_a_second_specification_by_the_name_of_a_signed_one_is_a_change():
    world = World()
    cpu = {**SPECIFICATION, "Name": "cpu", "Containers": [{"Image": IMAGE, "ModelDataUrl": "model.tar.gz"}]}
    arn = world.approved(AdditionalInferenceSpecifications=[cpu])
    added_by_hand(world, arn, name="cpu")
    assert world.state(arn).status is Status.REVOKED


def test_the_one_that_the_policy_chooses_is_validated_whoever_added_it():
    world = World()
    chosen = {
        "InferenceSpecification": SPECIFICATION,
        "Deployment": {"PrimaryContainer": {"InferenceSpecificationName": "gpu"}},
    }
    world.set_policy("groups/churn", deployment={"execution_role": ROLE}, registration_defaults=chosen)
    arn = world.elsewhere()
    world.deliver()
    added_by_hand(world, arn)
    assert world.validate(arn, reason="again") == "errored"  # for it was looked at, and is not there


def test_an_audit_finds_what_somebody_added():
    world = World()
    added_by_hand(world, world.approved())
    world.daily_checkpoint.write_once()
    assert names(audited(world)) == ["SpecificationAdded"]


# Who may annotate


@pytest.mark.parametrize("said", [{"set": {"ticket": "CHG-1"}}, {"add_specifications": [specification()]}])
def test_nobody_else_annotates(said: dict[str, Any]):
    world = World(approvals={"approvers": [ANN]})
    arn = world.pending()
    assert world.annotate(arn, EVE, **said).name == "NotAnAnnotator"
    assert world.kinds(arn)[-1] == Kind.DECISION_REFUSED
    assert FIELD not in world.registry.described[arn]


@pytest.mark.parametrize(
    "by", ["arn:aws:iam::123456789012:user/sam", ANN, EVE], ids=["submitter", "approver", "listed"]
)
def test_submitters_approvers_and_those_that_are_listed_annotate(by: str):
    world = World(approvals={"approvers": [ANN], "annotators": [EVE]})
    arn = world.pending()
    assert world.annotate(arn, by, set={"ticket": "CHG-1"}) is None


def test_a_submitter_annotates_a_package_whose_ledger_is_still_to_begin():
    world = World(approvals={"approvers": [ANN]})
    assert world.annotate(world.submit(), set={"ticket": "CHG-1"}) is None


def test_who_may_annotate_may_not_decide_for_that():
    world = World(approvals={"approvers": [ANN], "annotators": [EVE]})
    assert world.decide(world.pending(), "approve", EVE).name == "NotAnApprover"
