"""A validation that ended in an error begins again by itself: a few times, further and further apart."""

from typing import Any

import pytest

from signoff.ledger.attempts import PAUSES
from signoff.ledger.entries import Draft, Kind, Status
from signoff.notification.notifications import notifications
from signoff.validation.open_validation import ValidationRequest
from tests.support.world import IMAGE, SUBMITTER, World

QUARTER = {"minutes": 15}
ERROR = {"Error": "Runtime.ExitError", "Cause": "killed"}


def without_its_copy(world: World) -> tuple[str, Any]:
    """A package whose validation errs for as long as its artifact is not in the vault; and what puts it back there."""
    arn = world.submit()
    key = next(key for key in world.vault_bucket.versions if key.endswith("model.tar.gz"))
    versions = world.vault_bucket.versions.pop(key)
    world.deliver()
    return arn, lambda: world.vault_bucket.versions.update({key: versions})


def errors(world: World, arn: str) -> list[Any]:
    return [entry for entry in world.history(arn).entries if entry.kind is Kind.VALIDATION_ERRORED]


def test_an_error_that_passes_needs_nobody():
    world = World()
    arn, mend = without_its_copy(world)
    mend()
    assert world.sweep(**QUARTER)["next attempt"] == 1
    assert (world.state(arn).status, world.state(arn).attempt) == (Status.PENDING_APPROVAL, 2)
    assert (world.state(arn).errors, world.state(arn).next_attempt) == (0, None)


def test_an_error_that_stays_is_tried_further_and_further_apart_and_then_no_more():
    world = World()
    arn, _ = without_its_copy(world)
    first = world.clock()
    for _ in range(4 * 48):
        world.sweep(**QUARTER)

    begun = [entry.time for entry in world.history(arn).entries if entry.kind is Kind.VALIDATION_STARTED]
    assert len(errors(world, arn)) == len(begun) == 1 + len(PAUSES)
    assert world.clock() - first > 2 * sum(PAUSES[1:], PAUSES[0])
    assert world.state(arn).next_attempt is None
    assert world.sweep(**QUARTER) == {}


def test_no_attempt_begins_before_it_is_due_whoever_starts_an_execution():
    world = World()
    arn, mend = without_its_copy(world)
    mend()
    world.clock.forward(minutes=14)
    world.validate(arn)
    assert world.state(arn).status is Status.VALIDATION_ERRORED
    world.clock.forward(minutes=1)
    world.validate(arn)
    assert world.state(arn).status is Status.PENDING_APPROVAL


def test_an_attempt_that_is_begun_twice_is_one():
    world = World()
    arn, mend = without_its_copy(world)
    mend()
    world.clock.forward(minutes=15)
    for _ in range(2):
        world.executions.start(arn)
    world.deliver()
    assert world.kinds(arn).count("ValidationStarted") == 2


def test_an_execution_that_died_is_followed_by_another():
    world = World()
    arn = world.submit()
    world.registry_event(world.registry.events.pop())
    execution, _ = world.executions.started.pop()
    claim = world.opener.open(ValidationRequest(arn, execution))
    world.executions.statuses[execution] = "ABORTED"
    world.sweep()
    assert (claim["outcome"], world.state(arn).status) == ("Claimed", Status.VALIDATION_ERRORED)
    world.sweep()
    assert world.state(arn).status is Status.PENDING_APPROVAL


def test_an_attempt_that_cannot_be_opened_counts_too():
    world = World()
    arn, _ = without_its_copy(world)
    for _ in range(3 * len(PAUSES)):
        world.clock.forward(days=1)
        for execution in ("x1", "x1", "x2"):  # the step that records it may be tried again
            world.recorder.record_unopened(arn, execution, ERROR)
    assert len(errors(world, arn)) == 1 + len(PAUSES)
    assert world.sweep() == {}


def test_somebody_who_asks_in_vain_does_not_begin_the_row_anew():
    world = World()
    arn, _ = without_its_copy(world)
    for _ in range(3 * len(PAUSES)):
        world.validate(arn, by=SUBMITTER)
    assert [entry.details.get("next_attempt_in") for entry in errors(world, arn)][:5] == [900, 3600, 14400, 57600, None]
    assert world.state(arn).next_attempt is None


def test_an_error_of_which_an_older_version_promised_nothing_waits_for_somebody():
    world = World()
    arn, mend = without_its_copy(world)
    mend()
    key = world.history(arn).package
    world.ledger.update(key, lambda _: [Draft(Kind.VALIDATION_ERRORED, "signoff", {"attempt": 1, "error": "E"})])
    assert "next attempt" not in world.sweep(days=3)
    assert world.validate(arn, by=SUBMITTER) == "passed"


def test_a_verdict_is_no_error():
    world = World()
    world.submit()
    world.images.digests.pop(IMAGE)
    world.deliver()
    assert "next attempt" not in world.sweep(days=3)


@pytest.mark.parametrize(("number", "says"), [(1, "by itself after 2026-03-02T09:30:20.000Z"), (5, "none by itself")])
def test_people_are_told_whether_it_is_their_turn(number: int, says: str):
    world = World()
    arn, _ = without_its_copy(world)
    for _ in range(len(PAUSES)):
        world.sweep(days=1)
    (message,) = notifications(errors(world, arn)[number - 1])
    assert says in message.text
