"""Sending signed requests to Signoff over the bus, and finding the results in the ledger."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeVar

from signoff.ledger.checkpoints import day_before
from signoff.ledger.entries import Entry, Kind
from signoff.ledger.history import NAMED, History, unknown_key
from signoff_cli.packages.lookup import Head, LedgerReader, find
from signoff_cli.packages.progress import Deadline, TimedOut

if TYPE_CHECKING:
    from signoff.notification.announcements import Event

# The same request, answered again in the same way, leaves no entry: an answer that is only to be expected again is
# waited for a little, not to the end.
_SECOND_ANSWER = 10.0
# An event may never come. The very same may be sent again: Signoff knows by its id that it answered it.
_AGAIN = 20.0


class EventSender(Protocol):
    """Where requests are sent (`signoff.aws.eventbridge.Bus`)."""

    def put(self, events: Sequence[Event]) -> list[str]: ...  # noqa: D102


@dataclass(frozen=True)
class SentStatement:
    """How an answer names what was sent: by the id of what was signed, or by that of the event it came in.

    `repeat` sends the same statement again and returns the id of that event.
    """

    id: str
    event: str
    repeat: Callable[[], str] | None = field(default=None, repr=False, compare=False)

    def is_answered_by(self, entry: Entry) -> bool:
        """Return whether `entry` is the answer."""
        return entry.details.get("id") == self.id or entry.details.get("event") == self.event


class StatementSender(Protocol):
    """Where statements are signed and sent (`signoff_cli.statements.bus.StatementBus`)."""

    def send(self, type_: str, statement: Mapping[str, Any]) -> SentStatement: ...  # noqa: D102


class StatementRequest(Protocol):
    """What is asked for about one package: the statement to be signed, and the detail-type of its event."""

    @property
    def package(self) -> str: ...  # noqa: D102
    @property
    def type(self) -> str: ...  # noqa: D102
    @property
    def statement(self) -> dict[str, Any]: ...  # noqa: D102


R = TypeVar("R", bound=StatementRequest)
A = TypeVar("A")
Outcome = Literal["recorded", "refused", "absorbed"]


@dataclass(frozen=True)
class StatementResult(Generic[R]):
    """The result of a request; `entry` is the ledger's about it, or about the same that was asked for before."""

    request: R
    outcome: Outcome
    entry: Entry | None = None

    @property
    def refusal(self) -> str | None:
        """The name of the refusal."""
        return self._said("refusal")

    @property
    def because(self) -> str | None:
        """Why it was refused, in a sentence."""
        return self._said("because")

    @property
    def entry_fields(self) -> dict[str, Any]:
        """What `--json` prints of the ledger's answer, whatever was asked for."""
        entry = {**self.entry.content, "hash": self.entry.hash} if self.entry else None
        return {"refusal": self.refusal, "because": self.because, "entry": entry}

    def _said(self, field: str) -> str | None:
        return str(self.entry.details[field]) if self.entry and self.outcome == "refused" else None


class PendingStatement(ABC, Generic[R, A]):
    """One request: what the ledgers said before it was sent, and what they answer."""

    def __init__(self, ledger: LedgerReader, request: R) -> None:
        self._ledger = ledger
        self._sent: list[SentStatement] = []
        self.request = request
        self.before = self._histories()

    def send(self, statement_bus: StatementSender) -> None:
        """Sign the request and put it on the bus."""
        self._sent = [statement_bus.send(self.request.type, self.request.statement)]

    def wait_for_result(self, deadline: Deadline) -> A:
        """Wait for the answer, and send the very same again while there is none, for an event may get lost.

        Raises `TimedOut` when there is none in time.
        """
        before = self.previous_result()
        if before is not None:
            deadline = deadline.capped_at(_SECOND_ANSWER)
        again = deadline.left - _AGAIN
        while True:
            result = self._find_result()
            if result is not None:
                return result
            if deadline.left <= again:
                self._repeat()
                again = deadline.left - _AGAIN
            try:
                deadline.pause(self._unanswered())
            except TimedOut:
                result = self.result_without_entry() or before
                if result is None:
                    raise
                return result

    @abstractmethod
    def result_from(self, entry: Entry) -> A:
        """Return the answer that an entry is."""

    @abstractmethod
    def is_same_request(self, entry: Entry) -> bool:
        """Return whether an entry is about a request in the same words, by anybody."""

    def previous_result(self) -> A | None:
        """Return the answer to the same request, sent before, that would not be given a second time.

        A refusal of somebody unknown stands once, until something else happens.
        """
        for entry in (entry for history in self.before for entry in history.newest(Kind.DECISION_REFUSED)):
            if "id" not in entry.details and self._is_about_it(entry) and self.is_same_request(entry):
                return self.result_from(entry)
        return None

    def result_without_entry(self) -> A | None:
        """Return the answer that leaves no entry, because what was asked for had come about meanwhile."""
        return None

    def _repeat(self) -> None:
        last = self._sent[-1] if self._sent else None
        if last and last.repeat:
            self._sent.append(replace(last, event=last.repeat()))

    def _find_result(self) -> A | None:
        seen = {history.package: len(history.entries) for history in self.before}
        for history in self._histories():
            for entry in history.entries[seen.get(history.package, 0) :]:
                if self._is_result(entry):
                    return self.result_from(entry)
        return None

    def _is_result(self, entry: Entry) -> bool:
        if any(sent.is_answered_by(entry) for sent in self._sent):
            return True
        # What is said of a package that Signoff does not know is refused before anybody asks who says it.
        nameless = not {"id", "event"} & entry.details.keys()
        refused = nameless and entry.kind is Kind.DECISION_REFUSED
        return refused and self._is_about_it(entry) and self.is_same_request(entry)

    def _is_about_it(self, entry: Entry) -> bool:
        """Return whether an entry is about the package; the ledger of the unknown has those about any other, too."""
        return entry.arn is not None or entry.about == self.request.package[:NAMED]

    def _histories(self) -> list[History]:
        """Return the ledger of the package, if it has one, and what was said of unknown ones today and yesterday."""
        head: Head | None = find(self._ledger, self.request.package)
        today = self._ledger.today
        keys = [*([str(head["package"])] if head else []), unknown_key(today), unknown_key(day_before(today))]
        return [self._ledger.history(key).verified() for key in keys]

    def _unanswered(self) -> str:
        return (
            f"it was sent, but timed out waiting for the result in the ledger. Look again with `signoff show "
            f"{self.request.package}`; if there is none, check the dead-letter queue of decisions"
        )
