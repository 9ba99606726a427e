"""Sending a decision, and finding the answer to it in the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Literal

from cli import asking
from signoff.ledger import DECIDED_STATUS, Entry, History, Kind

if TYPE_CHECKING:
    from signoff.events import Event

_ANSWERS = {Kind.DECISION_RECORDED, Kind.DECISION_REFUSED}

Outcome = Literal["recorded", "refused", "absorbed"]


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


class Asking(asking.Asking[Decision, Answer]):
    """One decision: what the ledgers said before it was sent, and what they answer."""

    @property
    def decision(self) -> Decision:
        """What is to be decided."""
        return self.request

    def already(self) -> Answer | None:
        """Return the answer when the package stands already as the decision wants it, or None."""
        for history in self.before:
            if history.state.status is DECIDED_STATUS[self.decision.decision]:
                return Answer(self.decision, "absorbed", self._made_before(history))
        return None

    def answered_by(self, entry: Entry) -> Answer | None:
        """Return the answer that an entry about this decision is; made by somebody else meanwhile, it is the same."""
        if entry.kind not in _ANSWERS or entry.details.get("decision") != self.decision.decision:
            return None
        if entry.kind is Kind.DECISION_RECORDED:
            outcome: Outcome = "recorded" if entry.actor == self.decision.approver else "absorbed"
            return Answer(self.decision, outcome, entry)
        return Answer(self.decision, "refused", entry) if entry.actor == self.decision.approver else None

    def answered_before(self) -> Answer | None:
        """Return the refusal of the very same decision that stands among the newest entries."""
        for entry in (entry for history in self.before for entry in newest_refusals(history)):
            same = entry.details["decision"], entry.details.get("reason")
            if entry.actor == self.decision.approver and same == (self.decision.decision, self.decision.reason):
                return Answer(self.decision, "refused", entry)
        return None

    def _made_before(self, history: History) -> Entry | None:
        last = history.last(Kind.DECISION_RECORDED)
        return last if last and last.details["decision"] == self.decision.decision else None


def newest_refusals(history: History) -> Iterator[Entry]:
    """Yield the refusals since anything else happened, the newest first."""
    return takewhile(lambda entry: entry.kind is Kind.DECISION_REFUSED, reversed(history.entries))
