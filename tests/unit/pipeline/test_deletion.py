"""Packages and groups that somebody deletes in SageMaker, at any moment of their lives.

DeleteModelPackage takes a package whatever its approval status, and its version is not used again; a group that is
deleted and made anew begins with version 1 again. SageMaker documents no event that tells of either.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DeleteModelPackage.html
https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
"""

import pytest
from botocore.exceptions import ClientError

from signoff.approval.decisions import Refusal
from signoff.aws.sqs import DELETED
from signoff.ledger.entries import Status
from signoff.ledger.history import History, package_key
from tests.support.deliveries import GRACE
from tests.support.depth import few
from tests.support.interruptions import Died
from tests.support.world import APPROVER, World


def key_of(world: World, arn: str) -> str:
    return package_key(arn, world.registry.describe(arn)["CreationTime"])


def delete(world: World, arn: str) -> str:
    """Delete a package and return its ledger's key, by which alone it is known from then on."""
    key = key_of(world, arn)
    world.registry.delete_package(arn)
    return key


def told(history: History) -> list[str]:
    return [str(entry.kind) for entry in history.verified().entries]


def deleted(world: World, key: str) -> History:
    """Sweep, and return the ledger of what is deleted."""
    assert world.sweep()["deleted package"] == 1
    history = world.ledger.history(key)
    assert history.state.status is Status.DELETED
    return history


# At each moment


def test_a_package_deleted_before_it_is_validated_is_not_validated_again_and_again():
    world = World()
    arn = world.submit()
    key = delete(world, arn)
    world.deliver()
    deleted(world, key)
    assert [world.sweep() for _ in range(3)] == [{}, {}, {}]


def test_a_package_deleted_while_it_is_validated_errs_and_is_then_known_as_deleted():
    world = World()
    arn = world.submit()
    key = key_of(world, arn)
    world.registry_event(world.registry.events.pop())
    execution, started = world.executions.started.pop()
    world.interruptions.before["FakeBucket.opened"] = lambda: world.registry.delete_package(arn)
    world.execution(execution, started)
    assert told(world.ledger.history(key))[-1] == "ValidationErrored"
    deleted(world, key)


def test_a_deleted_package_awaits_no_decision_and_gets_none():
    world = World()
    arn = world.pending()
    key = delete(world, arn)
    outcome = world.decide(arn, "approve")
    assert isinstance(outcome, Refusal)
    assert outcome.name == "UnknownPackage"
    assert world.annotate(arn, set={"a": "b"}).name == "UnknownPackage"
    deleted(world, key)
    assert list(world.ledger.rows_by_status(Status.PENDING_APPROVAL)) == []


def test_the_model_of_an_approved_package_that_was_deleted_does_not_stay_deployable():
    world = World()
    arn = world.approved()
    model = world.state(arn).model
    assert world.published() == {"churn": model["arn"]}
    key = delete(world, arn)
    history = deleted(world, key)
    assert told(history)[-2:] == ["PackageDeleted", "ModelRetired"]
    assert (world.registry.models, world.published(), history.state.next_step) == ({}, {}, None)


def test_an_approved_package_deleted_before_its_model_is_created_gets_none():
    world = World()
    arn = world.pending()
    world.decide(arn, "approve")
    key = delete(world, arn)
    world.deliver()
    deleted(world, key)
    assert world.registry.models == {}


def test_a_model_that_no_entry_tells_of_is_retired_with_its_deleted_package():
    world = World()
    arn = world.pending()
    world.decide(arn, "approve")
    world.interruptions.before["FakeRegistry.describe_model"] = _die
    with pytest.raises(Died):
        world.deliver()
    assert len(world.registry.models) == 1
    for queue, _ in world.waiting():
        queue.clear()
    key = delete(world, arn)
    deleted(world, key)
    assert world.registry.models == {}


def _die() -> None:
    raise Died


def test_a_model_that_an_endpoint_runs_stays_until_the_endpoint_is_gone_and_says_so():
    world = World()
    arn = world.approved()
    name = world.state(arn).model["name"]
    world.registry.endpoints["live"] = {name}
    key = delete(world, arn)
    history = deleted(world, key)
    assert told(history)[-1] == "RetirementBlocked"
    assert world.sweep() == {"retire_model": 1}
    assert told(world.ledger.history(key)) == told(history)
    world.registry.endpoints.clear()
    world.sweep()
    assert told(world.ledger.history(key))[-1] == "ModelRetired"
    assert world.registry.models == {}


def test_a_revoked_package_deleted_while_an_endpoint_runs_its_model_is_followed_to_its_end():
    world = World()
    arn = world.approved()
    world.registry.endpoints["live"] = {world.state(arn).model["name"]}
    world.decide(arn, "revoke")
    world.deliver()
    key = delete(world, arn)
    deleted(world, key)
    world.registry.endpoints.clear()
    world.sweep()
    assert (world.registry.models, world.ledger.history(key).state.model) == ({}, None)


@pytest.mark.parametrize("decision", ["reject", "revoke"])
def test_of_a_package_that_nothing_more_happens_to_it_does_not_matter(decision: str):
    world = World()
    arn = world.approved() if decision == "revoke" else world.pending()
    world.decide(arn, decision)
    world.deliver()
    key = delete(world, arn)
    assert world.sweep() == {}
    assert world.ledger.history(key).state.status in {Status.REJECTED, Status.REVOKED}


# What is no deletion


def test_a_package_that_the_batch_cannot_show_and_that_is_there_is_not_taken_for_deleted():
    world = World()
    arn = world.approved()
    world.registry.refuses[arn] = {"ErrorCode": "AccessDenied", "ErrorResponse": "not authorized"}
    assert world.sweep() == {}
    assert world.state(arn).status is Status.APPROVED


def test_a_package_that_nobody_can_look_at_is_a_problem_and_not_deleted():
    world = World()
    arn = world.approved()
    world.registry.refuses[arn] = {"ErrorCode": "AccessDenied", "ErrorResponse": "not authorized"}
    world.interruptions.before["FakeRegistry.describe"] = _denied
    assert world.sweep() == {"problem": 1}
    assert (world.state(arn).status, len(world.registry.models)) == (Status.APPROVED, 1)


def _denied() -> None:
    raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "DescribeModelPackage")


def test_a_package_deleted_just_now_is_given_time():
    world = World()
    arn = world.pending()
    key = delete(world, arn)
    assert world.sweep(minutes=4) == {}
    assert world.ledger.history(key).state.status is Status.PENDING_APPROVAL


# Groups made anew


def test_a_group_made_anew_begins_again_and_nothing_of_the_old_is_taken_for_the_new():
    world = World()
    first = world.approved()
    old = key_of(world, first)
    world.registry.delete_group("churn")
    world.clock.forward(minutes=1)
    again = world.pending(prefix="churn/run-8")
    new = key_of(world, again)
    assert (again, new == old) == (first, False)
    world.sweep()
    assert world.ledger.history(old).state.status is Status.DELETED
    assert world.ledger.history(old).state.model is None
    assert world.ledger.history(new).state.status is Status.PENDING_APPROVAL
    world.decide(again, "approve")
    world.deliver()
    assert world.ledger.history(new).state.model["name"] in world.registry.models
    assert world.ledger.history(old).state.status is Status.DELETED


def test_the_model_of_a_package_registered_anew_just_as_it_was_stays_its_own():
    world = World()
    first = world.approved()
    old, model = key_of(world, first), world.state(first).model
    described = world.registry.describe(first)
    same = {field: described[field] for field in ("ModelPackageGroupName", "InferenceSpecification", "ModelMetrics")}
    world.registry.delete_group("churn")
    world.clock.forward(minutes=1)
    world.registry.create_group("churn")
    again = world.registry.create_package(same)
    world.deliver()
    world.decide(again, "approve")
    world.deliver()
    assert world.state(again).model == model
    world.sweep()
    assert world.ledger.history(old).entries[-1].details == {"model": model["name"], "kept_for": key_of(world, again)}
    assert world.published() == {"churn": model["arn"]}
    world.deployer.retire(old)
    assert model["name"] in world.registry.models


def test_what_was_inspected_of_a_deleted_package_is_no_evidence_of_the_one_that_has_its_arn_now():
    world = World()
    world.set_policy("groups/churn")
    arn = world.elsewhere()
    old = key_of(world, arn)
    world.registry_event(world.registry.events.pop())
    execution, started = world.executions.started.pop()
    world.interruptions.before["FakeBucket.opened"] = lambda: _made_anew(world)
    world.execution(execution, started)
    assert told(world.ledger.history(old))[-1] == "ValidationErrored"
    assert "CustomerMetadataProperties" not in world.registry.describe(arn)
    assert world.ledger.history(key_of(world, arn)).entries == ()


def _made_anew(world: World) -> None:
    world.registry.delete_group("churn")
    world.clock.forward(minutes=1)
    world.elsewhere()


# Twice, halfway, late


def test_the_order_to_retire_may_come_twice():
    world = World()
    arn = world.approved()
    key = delete(world, arn)
    history = deleted(world, key)
    world.queues["deployments"].send("again", {"ModelPackageArn": arn, DELETED: key})
    world.deliver()
    assert world.ledger.history(key) == history


def test_an_order_to_retire_the_model_of_a_package_that_is_not_deleted_does_nothing():
    world = World()
    arn = world.approved()
    world.deployer.retire(key_of(world, arn))
    assert (world.state(arn).status, len(world.registry.models)) == (Status.APPROVED, 1)


def test_an_event_of_before_the_deletion_that_comes_late_brings_nothing_back():
    world = World()
    arn = world.approved()
    key = delete(world, arn)
    history = deleted(world, key)
    detail = {"ModelPackageArn": arn, "ModelApprovalStatus": "Approved"}
    world.registry_event({**detail, "UpdatedModelPackageFields": ["ModelApprovalStatus"]})
    world.executions.start(arn)
    world.deliver()
    world.decide(arn, "revoke", approver=APPROVER)
    assert (world.ledger.history(key), world.registry.models) == (history, {})


def test_a_sweep_that_dies_before_any_call_is_made_good_by_the_next():
    world, key = approved_and_deleted()
    world.interruptions.arm(None)
    world.sweeper.run(GRACE)
    calls = world.interruptions.calls
    for call in few(range(1, calls + 1)):
        world, key = approved_and_deleted()
        world.interruptions.arm(call)
        with pytest.raises(Died):
            world.sweeper.run(GRACE)
        world.interruptions.arm(None)
        world.deliver()
        world.sweep()
        world.sweep()
        assert (told(world.ledger.history(key))[-2:], world.registry.models) == (["PackageDeleted", "ModelRetired"], {})


def approved_and_deleted() -> tuple[World, str]:
    world = World()
    key = delete(world, world.approved())
    world.clock.forward(minutes=20)
    return world, key
