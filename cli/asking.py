"""Asking Signoff for something over the bus, and finding the answer in the ledger."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from cli.following import Patience, TooLong
from cli.reading import Head, Ledger, find
from signoff.ledger import Entry, History, unknown_key

if TYPE_CHECKING:
    from signoff.events import Event

# The same request, answered again in the same way, leaves no entry: an answer that is only to be expected again is
# waited for a little, not to the end.
_SECOND_ANSWER = 10.0


class Bus(Protocol):
    """Where requests are sent (`signoff.events.Bus`)."""

    def put(self, events: Sequence[Event]) -> None: ...  # noqa: D102


class Request(Protocol):
    """What is asked for about one package."""

    @property
    def package(self) -> str: ...  # noqa: D102
    @property
    def event(self) -> Event: ...  # noqa: D102


R = TypeVar("R", bound=Request)
A = TypeVar("A")


class Asking(ABC, Generic[R, A]):
    """One request: what the ledgers said before it was sent, and what they answer."""

    def __init__(self, ledger: Ledger, request: R) -> None:
        self._ledger = ledger
        self.request = request
        self.before = self._histories()

    def send(self, bus: Bus) -> None:
        """Put the request on the bus."""
        bus.put([self.request.event])

    def answer(self, patience: Patience) -> A:
        """Wait for the answer. Raises `TooLong` when there is none in time."""
        before = self.answered_before()
        if before is not None:
            patience = patience.at_most(_SECOND_ANSWER)
        while True:
            answer = self._answer()
            if answer is not None:
                return answer
            try:
                patience.pause(self._unanswered())
            except TooLong:
                if before is None:
                    raise
                return before

    @abstractmethod
    def answered_by(self, entry: Entry) -> A | None:
        """Return the answer that a new entry is, or None when it is about something else."""

    @abstractmethod
    def answered_before(self) -> A | None:
        """Return the answer to the very same request, sent before, that would not be given a second time."""

    def _answer(self) -> A | None:
        seen = {history.package: len(history.entries) for history in self.before}
        for history in self._histories():
            for entry in history.entries[seen.get(history.package, 0) :]:
                answer = self.answered_by(entry)
                if answer is not None:
                    return answer
        return None

    def _histories(self) -> list[History]:
        """Return the ledger of the package, if it has one, and that of what was said of it while it was unknown."""
        head: Head | None = find(self._ledger, self.request.package)
        keys = [*([str(head["package"])] if head else []), unknown_key(self.request.package)]
        return [self._ledger.history(key).verified() for key in keys]

    def _unanswered(self) -> str:
        return (
            f"it was sent, and no answer is in the ledger in the time given with --timeout. Look with "
            f"`signoff show {self.request.package}`; if none comes, look at the dead-letter queue of decisions"
        )
