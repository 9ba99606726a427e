"""Time that passes only while somebody waits, and who answers what is sent, for what follows a ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from signoff.ledger.entries import Draft
from signoff.notification.announcements import Event
from signoff_cli.packages.progress import Deadline
from signoff_cli.statements.request import SentStatement
from tests.support.fakes import FakeLedger


class SimulatedTime:
    """A clock that moves when somebody sleeps, and what happens meanwhile, one thing for each sleep."""

    def __init__(self, *happenings: Callable[[], object]) -> None:
        self.seconds = 0.0
        self._happenings = list(happenings)

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        if self._happenings:
            self._happenings.pop(0)()

    def deadline(self, seconds: float = 60) -> Deadline:
        return Deadline(seconds, lambda: self.seconds, self.sleep)


def append(ledger: FakeLedger, package: str, *drafts: Draft) -> Callable[[], object]:
    """Return what appends `drafts` to a ledger when it happens."""
    return lambda: ledger.append(ledger.history(package), drafts)


class FakeEventBus:
    """A bus, and who answers what is put on it."""

    def __init__(self, answer: Callable[[], object] = lambda: None) -> None:
        self.events: list[Event] = []
        self._answer = answer

    def put(self, events: Sequence[Event]) -> list[str]:
        self.events += events
        self._answer()
        return [f"event-{len(self.events) - len(events) + number}" for number in range(1, len(events) + 1)]


SENT = SentStatement("i" * 64, "event-1")


def as_answer(draft: Draft) -> Draft:
    """Return `draft` as the answer to what was signed and sent: it names it."""
    return replace(draft, details={**draft.details, "id": SENT.id, "event": SENT.event})


class RecordingSender:
    """A post that keeps what it is given to send, and who answers it."""

    def __init__(self, answer: Callable[[], object] = lambda: None) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self._answer = answer

    def send(self, type_: str, statement: Mapping[str, Any]) -> SentStatement:
        self.sent.append((type_, dict(statement)))
        self._answer()
        return SENT
