"""Every event may come twice, late or out of order: the outcome is the same."""

import json
from collections.abc import Callable

import pytest

from signoff.ledger.entries import Kind
from tests.support.groups import Group, Package
from tests.support.pipeline import DECISION, Pipeline
from tests.support.submissions import honest
from tests.support.waiting import eventually

Resend = Callable[[Group, Package], object]


def an_upload(name: str) -> Resend:
    def resend(group: Group, package: Package) -> None:
        event = group.pipeline.event("Object Created", f"{group.name}/first/{name}")
        group.pipeline.deliver("Register", event)

    return resend


def the_registration(group: Group, package: Package) -> None:
    execution = group.pipeline.start(group.pipeline.witness.registration(package.arn))
    assert json.loads(execution["output"])["outcome"] == "NothingToValidate"


def the_approval_in_the_registry(queue: str) -> Resend:
    def resend(group: Group, package: Package) -> None:
        event = group.pipeline.witness.change(package.arn, "ModelApprovalStatus", ModelApprovalStatus="Approved")
        group.pipeline.deliver(queue, event)

    return resend


def the_decision(group: Group, package: Package) -> None:
    group.pipeline.deliver("Decision", group.pipeline.event(DECISION, package.arn))


def the_ledgers_stream(group: Group, package: Package) -> None:
    assert group.pipeline.invoke("Announce", {"Records": group.pipeline.records(group.name)}) == {
        "batchItemFailures": []
    }


FLOW = {
    "the upload of the archive": an_upload("model.tar.gz"),
    "the upload of the manifest": an_upload("manifest.json"),
    "the upload of the submitter's name": an_upload("submission.json"),
    "the registration": the_registration,
    "the decision": the_decision,
    "the approval in the registry, to ApplyDecision": the_approval_in_the_registry("Decision"),
    "the approval in the registry, to CreateModel": the_approval_in_the_registry("Deploy"),
    "the ledger's stream": the_ledgers_stream,
}


@pytest.fixture(scope="module")
def deployed_package(pipeline: Pipeline) -> tuple[Group, Package]:
    """A package that went all the way, with every event it took remembered by the witness."""
    group = Group(pipeline, "group-repeated")
    package = group.submission("first").upload(honest()).package().until("PendingApproval")
    package.approve()
    return group, package


@pytest.mark.parametrize("event", FLOW)
def test_an_event_that_comes_again_when_all_is_done_changes_nothing(
    deployed_package: tuple[Group, Package], event: str
) -> None:
    group, package = deployed_package
    before = group.everything()

    FLOW[event](group, package)
    group.pipeline.quiet()

    assert group.everything() == before


def test_with_every_event_delivered_twice_there_is_one_package_one_validation_one_decision_and_one_model(
    group: Group,
) -> None:
    with group.pipeline.doubled_rules():
        package = group.submit().package().until("PendingApproval")
        model = package.approve()

    assert [found.arn for found in group.packages()] == [package.arn]
    assert package.models() == [model]
    assert package.kinds() == [
        "Registered",
        "ValidationStarted",
        "EvidenceRecorded",
        "DecisionRecorded",
        "RegistryUpdated",
        "ModelCreated",
    ]


@pytest.mark.deep
def test_an_entry_announced_twice_is_announced_under_the_same_sequence(group: Group) -> None:
    package = group.pending()
    pipeline = group.pipeline
    first = pipeline.event("Approval Requested", package.arn)

    pipeline.invoke("Announce", {"Records": pipeline.records(package.arn)})

    def both() -> list[int]:
        heard = pipeline.witness.heard("Approval Requested", package.arn)
        return [event["detail"]["sequence"] for event in heard] if len(heard) > 1 else []

    assert eventually(both) == [first["detail"]["sequence"]] * 2


@pytest.mark.deep
def test_the_same_decision_again_is_absorbed(group: Group) -> None:
    package = group.pending()
    package.approve()
    before, kinds = group.everything(), package.kinds()

    package.decide("approve", reason="Approved once more, in other words")

    assert package.kinds() == [*kinds, "StatementRepeated"]
    after = group.everything()
    written = {"ledger", "packages"}
    assert {name: after[name] for name in after.keys() - written} == {
        name: before[name] for name in before.keys() - written
    }


@pytest.mark.deep
def test_a_late_approval_does_not_undo_a_revocation(group: Group) -> None:
    package = group.pending()
    package.approve()
    approval = group.pipeline.event(DECISION, package.arn)
    approved = group.pipeline.witness.change(package.arn, "ModelApprovalStatus", ModelApprovalStatus="Approved")
    package.decide("revoke", reason="Drifts on the new cohort")

    for queue, event in (("Decision", approval), ("Decision", approved), ("Deploy", approved)):
        group.pipeline.deliver(queue, event)

    assert package.status == "Revoked"
    assert package.registry[0] == "Rejected"
    assert package.models() == []


@pytest.mark.deep
def test_a_late_registration_does_not_undo_a_rejection(group: Group) -> None:
    package = group.pending()
    package.decide("reject")
    before = group.everything()

    group.pipeline.start(group.pipeline.witness.registration(package.arn))

    assert group.everything() == before
    assert package.status == "Rejected"


@pytest.mark.deep
def test_decisions_that_cross_leave_the_first_to_stand(group: Group) -> None:
    package = group.pending()

    package.say("approve")
    package.say("reject")
    group.pipeline.quiet()

    decided = [entry["decision"] for entry in package.entries(Kind.DECISION_RECORDED)]
    refused = [entry["refusal"] for entry in package.entries(Kind.DECISION_REFUSED)]
    assert (len(decided), refused) == (1, ["AlreadyDecided"])
    assert bool(package.models()) == (decided == ["approve"])
    assert package.registry[0] == {"approve": "Approved", "reject": "Rejected"}[decided[0]]


@pytest.mark.deep
def test_an_approval_and_a_revocation_that_cross_end_without_a_model(group: Group) -> None:
    package, pipeline = group.pending(), group.pipeline
    with pipeline.without_reader("CreateModel"):
        package.say("approve")
        eventually(lambda: package.status == "Approved")
        package.say("revoke", reason="Approved by mistake")
        eventually(lambda: package.status == "Revoked")
    pipeline.quiet()

    assert package.models() == []
    assert package.registry[0] == "Rejected"
    assert package.state.next_step is None
