"""The round: everything is looked at, piece by piece, whatever fails and however many runs there are at once."""

from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.deliveries import GRACE
from tests.support.interruptions import Died
from tests.support.lost_events import died, lose_everything
from tests.support.world import World

FEW = 8  # calls


def paced(world: World, calls: int = FEW) -> World:
    """Have each run of the sweep make so few calls for the round that it takes several."""
    world.sweeper = replace(world.sweeper, calls=calls)
    return world


def sweeps_until(world: World, done: Any) -> int:
    """Return how many sweeps it takes until something is so; no round of these tests takes more than thirty."""
    for number in range(1, 31):
        world.sweep(minutes=15)
        if done():
            return number
    raise AssertionError("not in thirty runs")


def settled(groups: int, **policy: Any) -> tuple[World, list[str]]:
    """Return a world with an approved package in each group, and their ARNs; nothing is due."""
    world = World(**policy)
    arns = [world.approved(prefix=f"group-{number:02}/run-1") for number in range(groups)]
    world.sweep()
    world.sweep(days=2)
    return world, arns


def test_a_deleted_package_is_found_whatever_part_of_the_round_it_is_in():
    world, arns = settled(12)
    paced(world)
    world.registry.delete_package(arns[0])
    assert sweeps_until(world, lambda: len(world.registry.models) == 11) == 1
    world.registry.delete_package(arns[-1])
    assert sweeps_until(world, lambda: len(world.registry.models) == 10) > 1


def test_a_group_is_gone_through_in_pieces_and_its_champion_is_looked_at_once():
    world = World()
    arns = [world.submit(f"churn/run-{number}") for number in range(120)]
    world.deliver()
    world.decide(arns[0], "approve")
    world.deliver()
    for _ in range(3):
        world.sweep()
    paced(world, calls=6)
    world.sweep(days=2)
    world.parameters.values["/signoff/champions/churn"] = "another"
    world.parameters.written["/signoff/champions/churn"] = world.clock()
    world.registry.batches.clear()
    sweeps_until(world, lambda: world.published()["churn"] == world.state(arns[0]).model["arn"])
    assert 20 in map(len, world.registry.batches)


def test_a_part_that_fails_goes_on_where_it_was_and_keeps_no_other_from_going_on():
    world, arns = settled(3)
    world.registry.delete_package(arns[1])
    world.set_policy("groups/fraud")
    world.elsewhere("fraud")
    lose_everything(world)
    world.clock.forward(minutes=10)
    world.interruptions.before["FakeRegistry.batch"] = throttled
    first = world.sweep(minutes=0)
    assert (first["problem"], first["never validated"]) == (1, 1)
    assert world.sweep(minutes=15)["deleted package"] == 1


def throttled() -> None:
    raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}, "Any")


def test_of_two_runs_at_once_the_first_to_end_keeps_its_place_and_nothing_is_left_out():
    world, arns = settled(12)
    paced(world)
    world.registry.delete_package(arns[-1])
    world.interruptions.before["FakeSubmissions.keep_round"] = lambda: world.sweeper.run(GRACE)
    world.sweep(minutes=15)
    sweeps_until(world, lambda: len(world.registry.models) == 11)


def test_a_run_that_dies_leaves_the_round_where_it_was():
    world, arns = settled(12)
    paced(world)
    world.registry.delete_package(arns[-1])
    world.interruptions.before["FakeSubmissions.keep_round"] = died
    with pytest.raises(Died):
        world.sweeper.run(GRACE)
    sweeps_until(world, lambda: len(world.registry.models) == 11)


def test_the_age_of_the_round_is_told_until_it_closes():
    world, _ = settled(12)
    paced(world)
    ages = [world.sweeper.run(GRACE).round_seconds]
    while world.submissions.kept.get("began"):
        world.clock.forward(minutes=15)
        ages.append(world.sweeper.run(GRACE).round_seconds)
    assert ages == [900 * number for number in range(len(ages))]
    world.clock.forward(minutes=15)
    assert world.sweeper.run(GRACE).round_seconds == 0


# What does not wait for the round


@pytest.mark.parametrize("status", ["Approved", "Rejected"])
def test_a_status_set_by_hand_is_found_by_the_next_run_however_long_a_round_takes(status: str):
    world, arns = settled(12)
    paced(world, calls=2)
    world.decide(arns[-1], "revoke")
    world.deliver()
    pending = world.pending(prefix="group-11/run-2")
    world.clock.forward(minutes=10)
    world.registry.by_hand(pending, ModelApprovalStatus=status)
    lose_everything(world)
    assert world.sweep()["diverging status"] == 1
    assert world.status(pending) == "PendingManualApproval"


def test_a_deadline_is_met_by_the_next_run_however_long_a_round_takes():
    world, _ = settled(12, approvals={"expiry": {"after": "P7D", "action": "reject"}})
    arn = world.pending(prefix="group-11/run-2")
    paced(world, calls=2)
    world.sweep()
    looked: list[str] = []
    due = world.ledger.rows_due
    world.ledger.rows_due = lambda *asked: looked.extend(row["arn"] for row in due(*asked)) or due(*asked)  # type: ignore[method-assign, func-returns-value]
    assert (world.sweep(days=6), looked) == ({}, [])
    assert world.sweep(days=1)["deadline"] == 1
    assert "Expired" in world.kinds(arn)


def test_a_policy_that_sets_a_shorter_time_reaches_what_waits_within_a_round():
    world, _ = settled(12)
    arn = world.pending(prefix="group-11/run-2")
    world.sweep()
    world.set_policy("default", approvals={"expiry": {"after": "P1D", "action": "reject"}})
    world.clock.forward(days=2)
    paced(world)
    assert sweeps_until(world, lambda: "Expired" in world.kinds(arn)) < 30
