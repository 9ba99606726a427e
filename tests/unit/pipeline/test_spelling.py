"""Names that differ by case only: one model package group to SageMaker, whose ARNs have the name in lower case.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModelPackageGroup.html
"""

import pytest

from signoff.approval.decisions import Recorded
from signoff.aws.ssm import GOVERNED_TAG, OWN_POLICY_TAG, Policies
from signoff.errors import PolicyFault, RegistryRefused
from signoff.ledger.entries import Status
from signoff.ledger.history import submission_key
from tests.support.world import APPROVER, MANIFEST, MODEL, QUALITY, SUBMITTER, World

EVE = "arn:aws:iam::123456789012:user/eve"
OWN = {GOVERNED_TAG: "true", OWN_POLICY_TAG: "own"}


def test_a_submission_to_a_group_in_another_spelling_is_refused_with_the_right_one():
    world = World()
    world.pending(prefix="Churn/run-1")
    world.upload("churn/run-2/manifest.json", {})
    (refusal,) = world.refusals(submission_key("churn/run-2"))
    assert refusal["faults"][0]["path"] == "ModelPackageGroupName"
    assert "another spelling of the group Churn: upload under Churn/" in refusal["faults"][0]["message"]
    assert list(world.registry.tags) == ["Churn"]


def test_a_submission_spelled_as_the_group_is_registered_in_it():
    world = World()
    first, second = world.pending(prefix="Churn/run-1"), world.pending(prefix="Churn/run-2")
    assert [arn.rpartition("model-package/")[2] for arn in (first, second)] == ["churn/1", "churn/2"]
    assert {world.state(arn).group for arn in (first, second)} == {"Churn"}


def test_nobody_walks_round_a_groups_policy_by_spelling_its_name_otherwise():
    world = World()
    world.set_policy("groups/churn", groups={"create": False})
    world.upload("Churn/run-1/manifest.json", {})
    (refusal,) = world.refusals(submission_key("Churn/run-1"))
    assert "another spelling of the group churn: upload under churn/" in refusal["faults"][0]["message"]


def test_a_group_that_sagemaker_will_not_create_is_a_refusal_that_its_sender_reads():
    world = World()
    world.interruptions.before["FakeRegistry.create_group"] = refused
    for key, data in world.files("churn/run-1").items():
        world.upload(key, data)
    (refusal,) = world.refusals(submission_key("churn/run-1"))
    assert "Churn already exists" in refusal["faults"][0]["message"]
    assert world.registry.described == {}


def refused() -> None:
    raise RegistryRefused("Model Package Group Churn already exists.")


def test_a_group_made_in_another_spelling_meanwhile_takes_the_package_with_its_submitter_and_its_policy():
    world = World()
    world.set_policy("groups/churn", groups={"create": True}, approvals={"approvers": [APPROVER]})
    world.interruptions.before["FakeRegistry.create_group"] = lambda: world.registry.create_group("CHURN")
    arn = world.submit("churn/run-1")
    world.ledger.histories.pop(world.history(arn).package)  # as if the workflow had come first
    world.deliver()
    state = world.state(arn)
    assert (state.group, state.submitter, state.status) == ("CHURN", SUBMITTER, Status.PENDING_APPROVAL)
    assert world.decide(arn, "approve", approver=EVE).name == "NotAnApprover"


@pytest.mark.parametrize(
    ("kept", "asked", "found"),
    [
        (["churn"], "Churn", "churn"),
        (["churn"], "churn", "churn"),
        (["Churn", "churn"], "Churn", "churn"),
        (["Churn"], "Churn", "Churn"),
        (["Churn"], "churn", None),
        ([], "Churn", None),
    ],
)
def test_a_groups_policy_is_the_one_in_lower_case_or_else_that_of_its_spelling(
    kept: list[str], asked: str, found: str | None
):
    world = World()
    for name in kept:
        world.set_policy(f"groups/{name}", description=name)
    own = Policies(world.parameters, "/signoff/policies").own(asked)
    assert (own.policy.description if own else None) == found


def test_a_project_beside_the_platforms_policy_weakens_nothing_and_publishes_no_champion():
    world = World()
    world.set_policy("groups/fraud", groups={"create": True}, approvals={"approvers": [APPROVER]})
    world.set_policy("groups/Fraud", approvals={"approvers": [EVE]})
    world.registry.tags["Fraud"] = dict(OWN)
    arn = world.elsewhere("Fraud")
    world.deliver()
    assert world.decide(arn, "approve", EVE).name == "NotAnApprover"
    assert world.champions.published("fraud") is None


def test_the_policys_spelling_is_submitted_to_whatever_the_group_was_made_as():
    world = World()
    world.set_policy("groups/fraud", groups={"create": True})
    world.registry.tags["FRAUD"] = dict(OWN)
    assert world.submit("fraud/run-1")
    world.upload("FRAUD/run-1/manifest.json", {})
    (refusal,) = world.refusals(submission_key("FRAUD/run-1"))
    assert "upload under fraud/" in refusal["faults"][0]["message"]


def test_a_new_group_gets_the_spelling_of_its_policys_file():
    world = World()
    world.set_policy("groups/churn", group="Churn", groups={"create": True})
    world.upload("churn/run-1/manifest.json", {})
    (refusal,) = world.refusals(submission_key("churn/run-1"))
    assert "another spelling of the group Churn" in refusal["faults"][0]["message"]
    assert world.submit("Churn/run-1")
    assert list(world.registry.tags) == ["Churn"]


def test_a_parameter_that_holds_the_policy_of_another_group_is_a_fault():
    world = World()
    world.set_policy("groups/churn", group="Fraud")
    with pytest.raises(PolicyFault, match="/signoff/policies/groups/churn: it is for another group"):
        Policies(world.parameters, "/signoff/policies").own("churn")


def test_what_nobody_signed_takes_no_name_of_a_group_that_lists_its_submitters():
    world = World()
    world.set_policy("groups/churn", groups={"create": True}, submissions={"submitters": [SUBMITTER]})
    for prefix in ("CHURN/run-1", "churn/run-1"):
        for name, data in {"model.tar.gz": MODEL, "quality.json": QUALITY, "manifest.json": MANIFEST}.items():
            world.upload(f"{prefix}/{name}", data)
    assert world.registry.tags == {}
    assert "it is not signed" in world.refusals(submission_key("churn/run-1"))[0]["faults"][0]["message"]
    assert world.submit("churn/run-2")
    assert list(world.registry.tags) == ["churn"]


def test_the_policy_of_a_project_whose_group_was_deleted_is_found_in_any_spelling():
    world = World()
    world.set_policy("groups/Churn", approvals={"approvers": [APPROVER]})
    for key, data in world.files("CHURN/run-1").items():
        world.upload(key, data)
    (refusal,) = world.refusals(submission_key("CHURN/run-1"))
    assert "another spelling of the group Churn: upload under Churn/" in refusal["faults"][0]["message"]
    assert world.registry.tags == {}


def test_a_package_registered_under_another_spelling_is_governed_by_its_groups_policy():
    world = World()
    world.set_policy("groups/Churn", approvals={"approvers": [APPROVER]})
    world.registry.tags["Churn"] = dict(OWN)
    arn = world.elsewhere("Churn")
    world.registry.described[arn]["ModelPackageGroupName"] = "CHURN"
    world.deliver()
    assert world.decide(arn, "approve", EVE).name == "NotAnApprover"


@pytest.mark.parametrize("spelled", ["Churn", "CHURN", "churn"])
def test_a_decision_about_an_arn_in_another_case_is_about_the_package(spelled: str):
    world = World()
    arn = world.pending(prefix="Churn/run-1")
    outcome = world.decide(arn.replace("/churn/", f"/{spelled}/"), "approve")
    assert isinstance(outcome, Recorded)
    assert world.state(arn).status is Status.APPROVED


def test_an_annotation_of_an_arn_in_another_case_is_of_the_package():
    world = World()
    arn = world.pending(prefix="Churn/run-1")
    assert world.annotate(arn.replace("/churn/", "/Churn/"), set={"a": "b"}) is None
    assert world.state(arn).metadata == {"a": "b"}
