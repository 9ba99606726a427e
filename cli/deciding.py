"""Sending a decision, and finding the answer to it in the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from cli.following import Patience, TooLong
from cli.reading import Head, Ledger, find
from signoff.ledger import DECIDED_STATUS, Entry, History, Kind, unknown_key

if TYPE_CHECKING:
    from signoff.events import Event

_ANSWERS = {Kind.DECISION_RECORDED, Kind.DECISION_REFUSED}
# The same decision, refused again for the same reason, leaves no entry: an answer that is only to be expected again
# is waited for a little, not to the end.
_SECOND_REFUSAL = 10.0

Outcome = Literal["recorded", "refused", "absorbed"]


class Bus(Protocol):
    """Where decisions are sent (`signoff.events.Bus`)."""

    def put(self, events: Sequence[Event]) -> None: ...  # noqa: D102


@dataclass(frozen=True)
class Decision:
    """What `approver` (an ARN) is about to decide of `package` (an ARN), and why."""

    package: str
    decision: str
    approver: str
    reason: str

    @property
    def event(self) -> Event:
        """The event that asks for it."""
        from signoff.events import DECISION, Event

        detail = {"package": self.package, "decision": self.decision, "approver": self.approver, "reason": self.reason}
        return Event(DECISION, detail)


@dataclass(frozen=True)
class Answer:
    """What became of a decision; `entry` is the ledger's about it, or about the same decision made before."""

    decision: Decision
    outcome: Outcome
    entry: Entry | None = None

    @property
    def refusal(self) -> str | None:
        """The name of the refusal."""
        return str(self.entry.details["refusal"]) if self.entry and self.outcome == "refused" else None

    @property
    def because(self) -> str | None:
        """Why it was refused, in a sentence."""
        return str(self.entry.details["because"]) if self.entry and self.outcome == "refused" else None

    @property
    def document(self) -> dict[str, Any]:
        """The answer as `--json` prints it."""
        return {
            "package": self.decision.package,
            "decision": self.decision.decision,
            "approver": self.decision.approver,
            "outcome": self.outcome,
            "refusal": self.refusal,
            "because": self.because,
            "entry": {**self.entry.content, "hash": self.entry.hash} if self.entry else None,
        }


class Asking:
    """One decision: what the ledgers said before it was sent, and what they answer."""

    def __init__(self, ledger: Ledger, decision: Decision) -> None:
        self._ledger = ledger
        self.decision = decision
        self.before = self._histories()

    def already(self) -> Answer | None:
        """Return the answer when the package stands already as the decision wants it, or None."""
        for history in self.before:
            if history.state.status is DECIDED_STATUS[self.decision.decision]:
                return Answer(self.decision, "absorbed", self._made_before(history))
        return None

    def send(self, bus: Bus) -> None:
        """Put the decision on the bus."""
        bus.put([self.decision.event])

    def answer(self, patience: Patience) -> Answer:
        """Wait for the answer. Raises `TooLong` when there is none in time."""
        refused_before = self._refused_before()
        if refused_before:
            patience = patience.at_most(_SECOND_REFUSAL)
        while True:
            answer = self._answer()
            if answer is not None:
                return answer
            try:
                patience.pause(self._unanswered())
            except TooLong:
                if refused_before is None:
                    raise
                return Answer(self.decision, "refused", refused_before)

    def _answer(self) -> Answer | None:
        seen = {history.package: len(history.entries) for history in self.before}
        for history in self._histories():
            for entry in history.entries[seen.get(history.package, 0) :]:
                answer = self._answered_by(entry)
                if answer is not None:
                    return answer
        return None

    def _answered_by(self, entry: Entry) -> Answer | None:
        if entry.kind not in _ANSWERS or entry.details.get("decision") != self.decision.decision:
            return None
        if entry.kind is Kind.DECISION_RECORDED:
            # By somebody else meanwhile, it is the same decision: ours is absorbed.
            outcome: Outcome = "recorded" if entry.actor == self.decision.approver else "absorbed"
            return Answer(self.decision, outcome, entry)
        return Answer(self.decision, "refused", entry) if entry.actor == self.decision.approver else None

    def _refused_before(self) -> Entry | None:
        for history in self.before:
            for entry in reversed(history.entries):
                if entry.kind is not Kind.DECISION_REFUSED:
                    break
                same = entry.details["decision"], entry.details.get("reason")
                if entry.actor == self.decision.approver and same == (self.decision.decision, self.decision.reason):
                    return entry
        return None

    def _made_before(self, history: History) -> Entry | None:
        last = history.last(Kind.DECISION_RECORDED)
        return last if last and last.details["decision"] == self.decision.decision else None

    def _histories(self) -> list[History]:
        """Return the ledger of the package, if it has one, and that of what was said of it while it was unknown."""
        head: Head | None = find(self._ledger, self.decision.package)
        keys = [*([str(head["package"])] if head else []), unknown_key(self.decision.package)]
        return [self._ledger.history(key).verified() for key in keys]

    def _unanswered(self) -> str:
        return (
            f"the decision was sent, and no answer is in the ledger in the time given with --timeout. Look with "
            f"`signoff show {self.decision.package}`; if none comes, look at the dead-letter queue of decisions"
        )
