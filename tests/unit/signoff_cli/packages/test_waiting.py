import pytest

from signoff.errors import LedgerBroken
from signoff.ledger.history import History
from signoff_cli.packages.progress import TimedOut, follow, is_settled
from tests.support import entries
from tests.support.clock import Clock
from tests.support.fakes import FakeLedger
from tests.support.watching import SimulatedTime, append


@pytest.fixture
def ledger() -> FakeLedger:
    ledger = FakeLedger(Clock())
    ledger.append(History(entries.PACKAGE), [entries.registered()])
    return ledger


def test_entries_are_yielded_as_they_come_until_the_package_settles(ledger: FakeLedger) -> None:
    package = entries.PACKAGE
    waiting = SimulatedTime(append(ledger, package, entries.started()), append(ledger, package, entries.evidence()))
    followed = follow(lambda: ledger.history(package), lambda history: is_settled(history.state), waiting.deadline())
    assert [str(entry.kind) for entry in followed] == ["Registered", "ValidationStarted", "EvidenceRecorded"]


def test_entries_that_were_seen_are_not_yielded_again(ledger: FakeLedger) -> None:
    append(ledger, entries.PACKAGE, entries.started(), entries.evidence())()
    read = lambda: ledger.history(entries.PACKAGE)  # noqa: E731
    followed = follow(read, lambda history: is_settled(history.state), SimulatedTime().deadline(), seen=2)
    assert [entry.sequence for entry in followed] == [3]


def test_waiting_ends_at_the_deadline_and_says_what_was_waited_for(ledger: FakeLedger) -> None:
    waiting = SimulatedTime()
    read = lambda: ledger.history(entries.PACKAGE)  # noqa: E731
    with pytest.raises(TimedOut, match="still waits for validate"):
        list(follow(read, lambda history: is_settled(history.state), waiting.deadline(30)))
    assert waiting.seconds == pytest.approx(30)


def test_a_tampered_ledger_is_not_followed(ledger: FakeLedger) -> None:
    whole = entries.history(*entries.PENDING)
    beheaded = History(whole.package, whole.entries[1:])
    with pytest.raises(LedgerBroken):
        list(follow(lambda: beheaded, lambda history: True, SimulatedTime().deadline()))


@pytest.mark.parametrize(
    ("drafts", "expected"),
    [
        ([], False),
        ([entries.registered()], False),
        ([entries.registered(), entries.started()], False),
        (entries.PENDING, True),
        ([entries.registered(), entries.started(), entries.errored()], True),
        ([*entries.PENDING, entries.decided("approve")], False),
        (entries.APPROVED, False),
        ([*entries.APPROVED, entries.model_created()], True),
        ([entries.registered(), entries.started(), entries.evidence("failed")], False),
        ([entries.registered(), entries.started(), entries.evidence("failed"), entries.updated("Rejected")], True),
    ],
)
def test_a_package_has_settled_when_nothing_more_happens_by_itself(drafts: list[object], expected: bool) -> None:
    assert is_settled(entries.history(*drafts).state) is expected  # type: ignore[arg-type]


def test_a_model_that_an_endpoint_keeps_from_being_retired_is_not_waited_for() -> None:
    revoked = [entries.model_created(), entries.decided("revoke"), entries.updated("Rejected")]
    assert not is_settled(entries.history(*entries.APPROVED, *revoked).state)
    assert is_settled(entries.history(*entries.APPROVED, *revoked, entries.blocked("prod")).state)
