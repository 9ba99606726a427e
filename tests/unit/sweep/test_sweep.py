"""The sweep: whatever event was lost, what lacks its next step is moved on, and the rest is left alone."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from hypothesis import given
from hypothesis import strategies as st

from signoff.ledger.entries import Draft, Status, Step
from signoff.ledger.history import History
from signoff.model_package.batch_summary import its_turn
from tests.support.clock import START
from tests.support.deliveries import GRACE
from tests.support.depth import few
from tests.support.interruptions import Died
from tests.support.lost_events import PREFIX, died, lose_everything
from tests.support.world import ACCURATE, MODEL, World

# Whatever waits is moved on


def test_a_package_whose_registration_event_was_lost_is_validated():
    world = World()
    arn = world.submit()
    lose_everything(world)
    assert world.sweep() == {"validate": 1}
    assert world.state(arn).status is Status.PENDING_APPROVAL


def test_a_package_that_no_ledger_knows_is_validated():
    world = World()
    world.set_policy("groups/churn")
    arn = world.elsewhere()
    lose_everything(world)
    assert world.sweep() == {"never validated": 1}
    assert world.state(arn).status is Status.PENDING_APPROVAL


def test_a_claim_whose_execution_died_is_released_and_says_so():
    world = World()
    arn = world.submit()
    execution, started = next(iter_started(world))
    world.interruptions.before["FakeBucket.opened"] = died
    with pytest.raises(Died):
        world.execution(execution, started)
    world.executions.statuses[execution] = "TIMED_OUT"
    assert world.sweep() == {"finish_validation": 1}
    error = world.history(arn).entries[-1].details
    assert (world.state(arn).status, error["error"]) == (Status.VALIDATION_ERRORED, "ExecutionDied")
    assert "TIMED_OUT" in error["cause"]


@pytest.mark.parametrize("status", ["RUNNING", "PENDING_REDRIVE"])
def test_a_claim_whose_execution_is_alive_is_left_to_it(status: str):
    world = World()
    arn = world.submit()
    execution, started = next(iter_started(world))
    world.interruptions.before["FakeBucket.opened"] = died
    with pytest.raises(Died):
        world.execution(execution, started)
    world.executions.statuses[execution] = status
    world.sweep()
    assert world.state(arn).status is Status.VALIDATING


def iter_started(world: World) -> Any:
    world.registry_event(world.registry.events.pop())
    yield world.executions.started.pop()


def test_an_approval_that_did_not_reach_the_registry_does():
    world = World()
    arn = world.pending()
    world.interruptions.before["FakeRegistry.set_status"] = died
    with pytest.raises(Died):
        world.decide(arn, "approve")
    assert world.state(arn).next_step is Step.UPDATE_REGISTRY
    assert world.sweep()["update_registry"] == 1
    assert (world.status(arn), len(world.registry.models)) == ("Approved", 1)


def test_a_failed_package_that_the_registry_does_not_show_as_rejected_is():
    world = World(metrics=[{**ACCURATE[0], "at_least": 0.99}])
    arn = world.submit()
    world.interruptions.before["FakeRegistry.set_status"] = died
    with pytest.raises(Died):
        world.deliver()
    world.sweep()
    assert world.status(arn) == "Rejected"


def test_an_approval_without_a_model_gets_one():
    world = World()
    arn = world.pending()
    world.decide(arn, "approve")
    lose_everything(world)
    assert world.sweep() == {"create_model": 1}
    assert world.state(arn).model["name"] in world.registry.models


def test_a_revocation_whose_model_is_still_there_loses_it():
    world = World()
    arn = world.approved()
    world.decide(arn, "revoke")
    lose_everything(world)
    assert world.sweep() == {"retire_model": 1, "champion": 1}
    assert world.registry.models == {}


def test_a_status_set_by_hand_whose_event_was_lost_is_set_back():
    world = World()
    arn = world.pending()
    world.clock.forward(minutes=10)
    world.registry.by_hand(arn, ModelApprovalStatus="Approved")
    lose_everything(world)
    assert world.sweep() == {"diverging status": 1}
    assert world.status(arn) == "PendingManualApproval"


def change(world: World, arn: str) -> None:
    world.clock.forward(minutes=10)
    described = world.registry.describe(arn)["InferenceSpecification"]
    world.registry.by_hand(arn, InferenceSpecification={**described, "SupportedContentTypes": ["text/plain"]})
    lose_everything(world)


def test_a_changed_package_that_awaits_a_decision_is_validated_anew_when_the_event_was_lost():
    world = World()
    arn = world.pending()
    change(world, arn)
    assert world.sweep() == {"changed specification": 1}
    assert (world.state(arn).status, world.state(arn).attempt) == (Status.VALIDATION_FAILED, 2)


def test_a_package_changed_after_approval_loses_its_model_when_the_event_was_lost():
    world = World()
    arn = world.approved()
    change(world, arn)
    assert world.sweep()["changed specification"] == 1
    assert (world.state(arn).status, world.registry.models) == (Status.REVOKED, {})


def test_metadata_written_since_is_no_change():
    world = World()
    arn = world.approved()
    world.clock.forward(minutes=10)
    world.registry.by_hand(arn, CustomerMetadataProperties={"team": "churn"})
    lose_everything(world)
    assert world.sweep() == {}
    assert world.state(arn).status is Status.APPROVED


def change_source(world: World, arn: str) -> None:
    """Have somebody set a source, which no summary shows; its event is lost."""
    world.clock.forward(minutes=10)
    world.registry.by_hand(arn, SourceUri="s3://elsewhere")
    lose_everything(world)


def test_what_no_summary_shows_is_found_within_a_day_when_its_event_was_lost():
    world = World()
    arn = world.approved()
    change_source(world, arn)
    found = [sweep for sweep in range(96) if world.sweep(minutes=15).get("changed specification")]
    assert len(found) == 1
    assert (world.state(arn).status, world.registry.models) == (Status.REVOKED, {})


def test_a_package_that_has_what_no_summary_shows_is_looked_at_in_every_sweep():
    world = World()
    arn = world.pending()
    container = world.registry.describe(arn)["InferenceSpecification"]["Containers"][0]
    world.annotate(arn, add_specifications=[{"Name": "gpu", "Containers": [container]}])
    world.deliver()
    world.clock.forward(minutes=10)
    world.registry.by_hand(arn, SourceUri="s3://elsewhere")
    lose_everything(world)
    assert world.sweep() == {"changed specification": 1}
    assert (world.state(arn).status, world.state(arn).attempt) == (Status.VALIDATION_FAILED, 3)


def test_packages_that_are_as_they_were_signed_are_looked_through_a_hundred_to_a_call():
    world = World()
    arns = [world.submit(f"churn/run-{n}") for n in range(120)]
    world.deliver()
    world.decide(arns[0], "approve")
    world.deliver()
    world.clock.now = START + timedelta(minutes=15 * its_own_turn_is_not(world, arns))
    world.registry.batches.clear()
    world.registry.reads.clear()
    assert world.sweep(minutes=0) == {}
    assert [len(batch) for batch in world.registry.batches] == [100, 20]
    assert world.registry.reads == []


def its_own_turn_is_not(world: World, arns: list[str]) -> int:
    """Return the number of a quarter of an hour, past the first few, in which it is no package's turn."""
    keys = [world.history(arn).package for arn in arns]
    quarters = (START + timedelta(minutes=15 * n) for n in range(4, 400))
    return next(n for n, now in enumerate(quarters, 4) if not any(its_turn(key, now) for key in keys))


@given(package=st.text(), minutes=st.integers(0, 1_000_000))
def test_every_package_has_its_turn_once_a_day(package: str, minutes: int):
    turns = [its_turn(package, START + timedelta(minutes=minutes + 15 * n)) for n in range(96)]
    assert turns.count(True) == 1


def test_evidence_of_before_there_were_digests_of_summaries_is_described():
    world = World()
    arn = world.pending()
    history = world.history(arn)
    old = [replace(entry, details=without(entry.details, "specification")) for entry in history.entries]
    drafts = [Draft(entry.kind, entry.actor, entry.details) for entry in old]
    world.ledger.histories[history.package] = History(history.package).extended(drafts, world.clock())
    change(world, arn)
    assert world.sweep() == {"changed specification": 1}


def without(details: dict[str, Any], name: str) -> dict[str, Any]:
    return {field: value for field, value in details.items() if field != name}


# And nothing else is


@pytest.mark.parametrize("settled", ["pending", "approved", "rejected", "revoked", "failed", "refused", "registered"])
def test_what_is_settled_is_left_alone(settled: str):
    world = World(metrics=[{**ACCURATE[0], "at_least": 0.99 if settled == "failed" else 0.9}])
    if settled == "refused":
        world.upload(f"{PREFIX}/manifest.json", b"{")
    else:
        arn = world.pending()
        if settled in ("approved", "revoked"):
            world.decide(arn, "approve")
        if settled in ("rejected", "revoked"):
            world.decide(arn, "revoke" if settled == "revoked" else "reject")
        world.deliver()
    written = list(world.registry.writes)
    assert world.sweep() == {}
    assert world.registry.writes == written


def test_what_has_not_waited_long_is_given_time():
    world = World()
    world.submit()
    lose_everything(world)
    assert world.sweep(minutes=4) == {}


def test_refused_decisions_do_not_put_off_what_a_package_waits_for():
    world = World()
    arn = world.submit()
    lose_everything(world)
    world.clock.forward(minutes=4)
    world.decide(arn, "approve")
    assert world.sweep(minutes=2) == {"validate": 1}


# Problems


def test_one_group_with_a_faulty_policy_keeps_no_other_from_being_swept():
    world = World()
    world.set_policy("groups/churn")
    world.set_policy("groups/fraud")
    world.elsewhere("churn")
    arn = world.elsewhere("fraud")
    lose_everything(world)
    world.parameters.values["/signoff/policies/groups/churn"] = "{"
    assert world.sweep() == {"never validated": 1, "problem": 1}
    assert world.state(arn).status is Status.PENDING_APPROVAL


def throttled() -> None:
    raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}, "Any")


def cut_off() -> None:
    raise EndpointConnectionError(endpoint_url="https://sagemaker")


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("FakeRegistry.modified", throttled),
        ("FakeRegistry.versions", throttled),
        ("FakeRegistry.batch", throttled),
        ("FakeRegistry.batch", cut_off),
        ("FakeLedger.group_page", throttled),
        ("FakeLedger.indexed_all", throttled),
        ("FakeLedger.rows_due", throttled),
        ("FakeBucket.page", throttled),
        ("FakeSubmissions.round", cut_off),
        ("FakeSubmissions.keep_round", throttled),
        ("FakeSubmissions.open", throttled),
        ("FakeParameters.get_parameters", throttled),
        ("FakeLedger.rows_by_step", throttled),
    ],
)
def test_what_cannot_be_looked_through_keeps_nothing_else_from_being_moved_on(call: str, error: Callable[[], None]):
    world = World()
    world.put(f"{PREFIX}/model.tar.gz", MODEL)
    world.set_policy("groups/fraud")
    arn = world.elsewhere("fraud")
    world.deliver()
    world.decide(arn, "approve")
    world.elsewhere("fraud")
    lose_everything(world)
    world.clock.forward(minutes=20)
    undisturbed = world.sweeper.run(GRACE).moved
    for queue, _ in world.waiting():
        queue.clear()
    world.interruptions.before[call] = error
    moved = world.sweeper.run(GRACE).moved
    assert undisturbed == {"create_model": 1, "never validated": 1, "submission": 1}
    assert moved["problem"] == 1
    assert sum(moved.values()) - 1 >= 2


def test_the_age_of_the_oldest_validation_is_told():
    world = World()
    assert world.sweeper.run(GRACE).oldest_validating_seconds == 0
    world.submit()
    world.clock.forward(minutes=90)
    assert world.sweeper.run(GRACE).oldest_validating_seconds == 5400


def much_to_do() -> tuple[World, str, str]:
    world = World()
    approved, validating = world.pending(prefix="churn/run-1"), world.submit("churn/run-2")
    world.decide(approved, "approve")
    *others, (last, signed) = world.files("churn/run-3").items()
    world.upload(last, signed)  # once a signature was seen, all the rest may come late
    for key, data in others:
        world.put(key, data)
    lose_everything(world)
    world.clock.forward(minutes=20)
    return world, approved, validating


def test_a_sweep_that_dies_before_any_call_is_made_good_by_the_next():
    world, _, _ = much_to_do()
    world.interruptions.arm(None)
    world.sweeper.run(GRACE)
    calls = world.interruptions.calls
    assert calls > 10
    for call in few(range(1, calls + 1)):
        world, approved, validating = much_to_do()
        world.interruptions.arm(call)
        with pytest.raises(Died):
            world.sweeper.run(GRACE)
        world.interruptions.arm(None)
        world.sweep()
        assert world.state(approved).model is not None
        assert world.state(validating).status is Status.PENDING_APPROVAL
        assert world.submissions.get("churn/run-3")["state"] == "registered"
