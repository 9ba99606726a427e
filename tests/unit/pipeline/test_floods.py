"""Floods: whatever anybody repeats, ledgers end, memory does not grow with it, and a revocation counts."""

import json
import tracemalloc
from collections.abc import Callable
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest

from signoff.approval import reconcile, statements
from signoff.approval.decisions import Recorded
from signoff.aws.vault import Vault
from signoff.ledger import attempts, checkpoints
from signoff.ledger.entries import Kind, Status
from signoff.submission import register_model
from signoff.sweep.daily_checkpoint import DailyCheckpoint
from signoff.sweep.sweep import CALLS
from tests.support.clock import START, Clock
from tests.support.deliveries import GRACE
from tests.support.validations import claimed
from tests.support.voting import ANN, EVE, asking, refused
from tests.support.world import World

SIZES = (500, 5_000)


def peak(act: Callable[[], Any]) -> int:
    """Return the most memory, in bytes, that `act` takes beside what there was."""
    tracemalloc.start()
    try:
        act()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


# The sweep's function


class Disk:
    """A bucket that keeps what it is given where memory does not hold it."""

    def __init__(self) -> None:
        self.bytes = 0

    def current(self, _: str) -> None: ...
    def names(self, _: str) -> list[tuple[str, datetime]]:
        return []

    def put_locked(self, _key: str, data: Any, _mode: str, _until: datetime) -> bool:
        while part := data.read(65536):
            self.bytes += len(part)
        return True


def test_the_heads_of_ten_times_as_many_ledgers_take_no_more_memory():
    def written(ledgers: int) -> Disk:
        heads = ((f"submission:churn/{number}", 1, "0" * 64) for number in range(ledgers))
        disk, ledger = Disk(), SimpleNamespace(chain_heads=lambda: heads)
        DailyCheckpoint(ledger, Vault(disk), Clock(), "GOVERNANCE", 365).write_once()  # type: ignore[arg-type]
        return disk

    written(1)
    few, many = (peak(lambda size=size: written(size)) for size in SIZES)  # type: ignore[misc]
    assert written(SIZES[1]).bytes > 9 * written(SIZES[0]).bytes
    assert many < few + 20_000


def test_a_run_looks_at_as_many_uploads_as_its_calls_allow_however_many_there_are():
    world, looks = World(), list[int]()
    world.clock.forward(hours=1)
    names = [(f"churn/{number:06}/model.tar.gz", START) for number in range(SIZES[1])]

    def page(after: str, most: int) -> list[tuple[str, datetime]]:
        return [each for each in names if each[0] > after][:most]

    def registered(prefixes: list[str]) -> dict[str, Any]:
        looks.append(len(prefixes))
        return {prefix: {"state": "registered"} for prefix in prefixes}

    world.inbox.page = page  # type: ignore[method-assign]
    world.submissions.get_all = registered  # type: ignore[method-assign, assignment]
    world.sweeper.run(GRACE)
    first = sum(looks)
    assert 0 < len(looks) < CALLS
    while world.submissions.kept.get("began"):
        world.sweeper.run(GRACE)
    assert first < sum(looks) <= SIZES[1] * 1.01


# Ledgers end


def entries(world: World, arn: str, kind: Kind) -> int:
    return world.kinds(arn).count(kind)


def assert_taken_back(world: World, arn: str) -> None:
    assert isinstance(world.decide(arn, "revoke", EVE), Recorded)
    assert world.status(arn) == "Rejected"


@pytest.fixture
def approved() -> tuple[World, str]:
    world, arn = asking(approvers=[ANN, EVE])
    world.decide(arn, "approve", ANN)
    world.deliver()
    return world, arn


def test_a_status_that_is_set_by_hand_however_often_is_set_back_and_the_ledger_ends(
    monkeypatch: pytest.MonkeyPatch, approved: tuple[World, str]
):
    monkeypatch.setattr(reconcile, "_MOST_EDITS", 3)
    world, arn = approved
    for _ in range(8):
        world.registry.set_status(arn, "Rejected", "by hand")
        world.deliver()
        assert world.status(arn) == "Approved"
    assert entries(world, arn, Kind.REGISTRY_REVERTED) == 3
    assert_taken_back(world, arn)


def test_a_package_that_is_validated_however_often_has_a_ledger_that_ends(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(attempts, "MOST", 3)
    world, arn = asking()
    for _ in range(5):
        world.validate(arn, by=EVE)
    assert (entries(world, arn, Kind.VALIDATION_STARTED), world.state(arn).attempt) == (3, 3)
    assert claimed(world, arn, "x9", by=EVE)["outcome"] == "TooManyAttempts"
    world.decide(arn, "approve", ANN)
    assert_taken_back(world, arn)


def test_who_approves_and_reopens_without_end_is_refused_and_others_revoke(
    monkeypatch: pytest.MonkeyPatch, approved: tuple[World, str]
):
    monkeypatch.setitem(statements._LIMITS, Kind.DECISION_RECORDED, (6, 100))
    world, arn = approved
    outcomes = []
    for number in range(12):
        verb = {Status.APPROVED: "revoke", Status.REVOKED: "reopen"}.get(world.state(arn).status or "", "approve")
        world.clock.forward(minutes=1)
        outcomes.append(world.decide(arn, verb, ANN, reason=str(number)))
        world.deliver()
    assert refused(outcomes[-1]) == "TooManyDecisions"
    assert entries(world, arn, Kind.DECISION_RECORDED) <= 7
    if world.state(arn).status is not Status.APPROVED:
        for verb in ("reopen", "approve")[world.state(arn).status is Status.PENDING_APPROVAL :]:
            world.decide(arn, verb, EVE)
    assert_taken_back(world, arn)


def test_a_submission_that_is_refused_without_end_is_told_by_its_report(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(register_model, "_MOST_REFUSALS", 3)
    world = World()
    for number in range(6):
        assert world.upload("churn/run-7/manifest.json", {"Unknown": number}).startswith("refused")
    (key,) = world.ledger.histories
    assert len(world.ledger.history(key).entries) == 3


def test_a_checkpoint_in_parts_is_what_it_says():
    heads = {f"k{number}": checkpoints.Head(number, "0" * 64) for number in range(1, 4)}
    parts = checkpoints.daily(START, None, ((key, head.sequence, head.hash) for key, head in heads.items()))
    document = json.loads(b"".join(parts))
    assert (document["date"], document["previous"]) == (checkpoints.day(START), None)
    assert checkpoints.of_document(document) == heads
