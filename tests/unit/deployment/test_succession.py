"""Succession: whoever was followed by another champion is marked once, and whoever is champion again too."""

import contextlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from signoff.deployment.succession import Succession
from signoff.ledger.entries import Draft, Kind, Status
from signoff.ledger.history import baseline_key
from tests.support.deliveries import GRACE
from tests.support.depth import few
from tests.support.interruptions import Died
from tests.support.world import World
from tests.unit.deployment.test_champions import baseline, lagging, revoke, three_approved


def said(world: World, arn: str) -> list[tuple[str, str | None]]:
    """Return what a package's ledger says of its succession: the kind, and whom it follows or was followed by."""
    kinds = (Kind.SUPERSEDED, Kind.REINSTATED)
    found = [entry for entry in world.history(arn).entries if entry.kind in kinds]
    return [(str(entry.kind), entry.details.get("by") or entry.details.get("after")) for entry in found]


def rollback(world: World, arn: str) -> None:
    world.decide(arn, "rollback")
    world.deliver()


# Who follows whom


def test_the_first_champion_follows_nobody():
    world = World()
    assert said(world, world.approved()) == []


def test_a_former_champion_says_by_whom_it_was_followed_and_with_which_model():
    world = World()
    first, second = world.approved(prefix="churn/run-1"), world.approved(prefix="churn/run-2")
    (entry,) = [entry for entry in world.history(first).entries if entry.kind is Kind.SUPERSEDED]
    assert entry.details == {"by": second, "by_version": 2, "model": world.state(second).model["arn"]}
    assert (entry.actor, world.state(first).status, said(world, second)) == ("signoff", Status.APPROVED, [])


def test_it_keeps_its_model_and_is_not_marked_again_for_the_champion_after_that():
    world = World()
    first, second, third = three_approved(world)
    assert said(world, first) == [("Superseded", second)]
    assert said(world, second) == [("Superseded", third)]
    assert len(world.registry.models) == 3


def test_the_one_before_is_reinstated_once_the_champion_is_revoked():
    world = World()
    _, second, third = three_approved(world)
    revoke(world, third)
    entry = world.history(second).last(Kind.REINSTATED)
    assert said(world, second) == [("Superseded", third), ("Reinstated", third)]
    assert (entry.details["after_version"], world.state(second).superseded_by) == (3, None)


def test_a_revocation_of_another_than_the_champion_changes_nothing():
    world = World()
    first, second, third = three_approved(world)
    before = said(world, first), said(world, third)
    revoke(world, second)
    assert (said(world, first), said(world, third)) == before


def test_what_is_rolled_back_to_is_reinstated_and_who_was_champion_is_marked():
    world = World()
    first, second, third = three_approved(world)
    rollback(world, first)
    assert said(world, first) == [("Superseded", second), ("Reinstated", third)]
    assert said(world, third) == [("Superseded", first)]
    assert said(world, second) == [("Superseded", third)]


def test_there_and_back_again():
    world = World()
    first, second = world.approved(prefix="churn/run-1"), world.approved(prefix="churn/run-2")
    for target in (first, second, first):
        world.clock.forward(minutes=1)
        rollback(world, target)
    assert said(world, first) == [("Superseded", second), ("Reinstated", second)] * 2
    assert said(world, second) == [("Superseded", first), ("Reinstated", first), ("Superseded", first)]


def test_a_champion_that_was_deleted_is_followed_by_the_one_before():
    world = World()
    _, second, third = three_approved(world)
    key = world.history(third).package
    world.registry.delete_package(third)
    world.sweep()
    assert world.ledger.history(key).state.status is Status.DELETED
    assert said(world, second) == [("Superseded", third), ("Reinstated", third)]


def test_a_baseline_supersedes_nobody():
    world = World()
    arn = world.approved()
    baseline(world)
    world.sweep()
    assert said(world, arn) == []
    revoke(world, arn)
    assert said(world, arn) == []
    assert len(world.ledger.history(baseline_key("churn")).entries) == 1


def test_one_that_is_approved_again_and_whose_model_comes_late_is_marked_again():
    world = World()
    first, second, third = (world.pending(prefix=f"churn/run-{number}") for number in (1, 2, 3))
    for arn in (first, second):
        world.decide(arn, "approve")
        world.deliver()
    revoke(world, first)
    for verb in ("reopen", "approve"):
        world.clock.forward(minutes=1)
        world.decide(first, verb)
        lose(world)
    world.clock.forward(minutes=1)
    world.decide(third, "approve")
    world.deliver()
    world.sweep()
    assert said(world, first) == [("Superseded", second), ("Superseded", third)]


# What it costs


def test_where_nothing_changed_no_ledger_is_read():
    world = World()
    three_approved(world)
    reads: list[str] = []
    read = world.ledger.history
    world.ledger.history = lambda package: reads.append(package) or read(package)
    world.clock.forward(minutes=20)
    world.sweeper.run(GRACE)
    assert reads == []


def test_what_a_lost_event_kept_from_being_marked_the_sweep_marks():
    world = World()
    first, second = world.approved(prefix="churn/run-1"), world.pending(prefix="churn/run-2")
    world.decide(second, "approve")
    world.interruptions.before["FakeParameters.put_parameter"] = died
    with pytest.raises(Died):
        world.deliver()
    lose(world)
    assert said(world, first) == []
    assert world.sweep()["succession"] == 1
    assert said(world, first) == [("Superseded", second)]
    assert world.sweep() == {}


def died() -> None:
    raise Died


def lose(world: World) -> None:
    for queue, _ in world.waiting():
        queue.clear()


def test_an_index_that_is_far_behind_marks_nobody_who_was_approved_last():
    world = World()
    first, second = world.approved(prefix="churn/run-1"), world.pending(prefix="churn/run-2")
    ledger, champions = lagging(world)
    before = next(head for head in ledger.shown if head["arn"] == first)
    world.clock.forward(minutes=1)
    world.decide(second, "approve")
    world.deliver()
    for verb in ("revoke", "reopen", "approve"):
        world.clock.forward(minutes=1)
        world.decide(first, verb)
        world.deliver()
    ledger.caught_up()
    ledger.shown = [before if head["arn"] == first else head for head in ledger.shown]
    marked = said(world, first)
    Succession(ledger, champions).settle("churn")
    assert said(world, first) == marked == [("Superseded", second), ("Reinstated", second)]


# A policy that revokes what was followed


def revoking() -> World:
    return World(approvals={"revocation": {"superseded": True}})


def test_a_policy_may_revoke_what_another_champion_followed():
    world = revoking()
    first, second = world.approved(prefix="churn/run-1"), world.approved(prefix="churn/run-2")
    decision = world.state(first).decision
    assert (world.state(first).status, world.status(first)) == (Status.REVOKED, "Rejected")
    assert (decision["decision"], decision["channel"], decision["approver"]) == ("revoke", "policy", "signoff")
    assert second in decision["reason"]
    assert list(world.registry.models) == [world.state(second).model["name"]]
    assert world.published() == {"churn": world.state(second).model["arn"]}


def test_what_it_revoked_can_be_rolled_back_to_and_the_other_is_revoked_then():
    world = revoking()
    first, second = world.approved(prefix="churn/run-1"), world.approved(prefix="churn/run-2")
    world.clock.forward(minutes=1)
    rollback(world, first)
    world.sweep()
    assert (world.state(first).status, world.state(second).status) == (Status.APPROVED, Status.REVOKED)
    assert world.published() == {"churn": world.state(first).model["arn"]}


def test_a_version_that_is_rolled_back_to_is_not_revoked_while_its_model_is_verified():
    world = revoking()
    first = world.approved(prefix="churn/run-1")
    world.approved(prefix="churn/run-2")
    world.clock.forward(minutes=1)
    world.decide(first, "rollback")
    lose(world)
    world.sweep()
    assert (world.state(first).status, world.state(first).model is not None) == (Status.APPROVED, True)


def test_a_policy_that_comes_to_say_so_revokes_what_was_followed_before():
    world = World()
    first, second, third = three_approved(world)
    world.set_policy("default", groups={"create": True}, approvals={"revocation": {"superseded": True}})
    assert world.sweep() == {"deadline": 2}
    assert [world.state(arn).status for arn in (first, second, third)] == [Status.REVOKED, Status.REVOKED, "Approved"]


def test_where_a_policy_only_reports_what_was_followed_is_marked_and_stays():
    world = World(mode="report", approvals={"revocation": {"superseded": True}})
    first, second = world.approved(prefix="churn/run-1"), world.approved(prefix="churn/run-2")
    assert (said(world, first), world.state(first).status) == ([("Superseded", second)], Status.APPROVED)
    assert world.sweep() == {}


# Dying, and crossing


def superseding(world: World) -> Callable[[], Any]:
    world.approved(prefix="churn/run-1")
    world.clock.forward(minutes=1)
    arn = world.pending(prefix="churn/run-2")
    world.decide(arn, "approve")
    world.registry.events.clear()
    return lambda: world.deployer.converge(arn)


def reinstating(world: World) -> Callable[[], Any]:
    _, _, third = three_approved(world)
    world.decide(third, "revoke")
    world.registry.events.clear()
    return lambda: world.deployer.converge(third)


def rolling_back(world: World) -> Callable[[], Any]:
    first, _, _ = three_approved(world)
    world.decide(first, "rollback")
    lose(world)
    return lambda: world.deployer.converge(first)


def sweeping(world: World) -> Callable[[], Any]:
    superseding(world)()
    for key, history in world.ledger.histories.items():
        kept = [Draft(each.kind, each.actor, each.details) for each in history.entries if each.kind != "Superseded"]
        world.ledger.histories[key] = type(history)(key).extended(kept, world.clock())
    world.clock.forward(minutes=20)
    return lambda: world.sweeper.run(timedelta(minutes=5))


@pytest.mark.parametrize("scenario", [superseding, reinstating, rolling_back, sweeping], ids=lambda each: each.__name__)
@pytest.mark.parametrize("error", [Died, lambda: ClientError({"Error": {"Code": "ThrottlingException"}}, "Any")])
def test_dying_before_any_call_and_tried_again_it_comes_to_the_same(scenario: Any, error: Any):
    world = World()
    act = scenario(world)
    world.interruptions.arm(None)
    act()
    calls = world.interruptions.calls
    world.deliver()
    expected = world.outcome()
    for call in few(range(1, calls + 1), first=int(error is Died)):
        world = World()
        act = scenario(world)
        world.interruptions.arm(call, error)
        with contextlib.suppress(Died, ClientError):
            act()
        world.interruptions.arm(None)
        act()
        world.deliver()
        assert world.outcome() == expected, f"died before call {call} of {calls}"


def test_two_that_cross_leave_the_ledgers_right_whenever_one_comes_between_the_calls_of_the_other():
    calls = 40
    for call in few(range(1, calls + 1)):
        world = World()
        first, second = world.approved(prefix="churn/run-1"), world.pending(prefix="churn/run-2")
        world.clock.forward(minutes=1)
        world.decide(second, "approve")
        world.registry.events.clear()
        happen_at(world, call, lambda world=world, second=second: crossing(world, second))
        world.deployer.converge(second)
        world.deliver()
        happened = world.state(second).status is Status.REVOKED
        assert world.state(first).superseded_by == (None if happened else second), call
        assert world.sweep().get("succession") is None


def crossing(world: World, arn: str) -> None:
    world.decide(arn, "revoke")
    world.registry.events.clear()
    world.deployer.converge(arn)


def happen_at(world: World, number: int, what: Callable[[], None]) -> None:
    """Have something happen before the call of that number."""
    interruptions = world.interruptions
    count, call = 0, interruptions.call

    def counted(name: str) -> None:
        nonlocal count
        count += 1
        if count == number:
            what()
        call(name)

    interruptions.call = counted
