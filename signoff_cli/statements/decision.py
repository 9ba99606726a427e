"""Sending a decision, and finding the answer to it in the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from signoff.approval import decisions
from signoff.approval.decisions import Repeated
from signoff.documents.timestamps import Clock
from signoff.ledger.entries import Entry, Kind, Status
from signoff.ledger.history import History
from signoff.ledger.recorded_checks import asking
from signoff.ledger.state import State
from signoff.notification.announcements import DECISION
from signoff.policy.deployment import Deployment
from signoff.policy.policy import Policy
from signoff.report.standing import outstanding
from signoff.runtime.clock import utc_now
from signoff_cli.packages.lookup import LedgerReader
from signoff_cli.statements import request

if TYPE_CHECKING:
    from signoff.approval.decisions import Outcome as Expected


def expected_outcome(
    state: State, decision: DecisionRequest, policy: Policy | None, now: datetime
) -> decisions.Outcome | None:
    """Return what follows from a decision about a package in `state`, as far as is known before it is sent.

    Without a policy that is only whether it was made already. A package that changed since it was validated, the
    pipeline alone finds out.
    """
    asked = decisions.parse(decision.statement)
    known = policy or Policy(Deployment(""))
    by = decisions.Approver(decision.approver, known.approvals.person(decision.approver))
    foreign = policy and decisions.foreign(decision.package, decision.approver, None, policy)
    outcome = foreign or decisions.decide(state, asked, by, known, now)
    return outcome if policy or isinstance(outcome, decisions.Repeated) else None


_MADE = {Kind.DECISION_RECORDED, Kind.VOTED}


@dataclass(frozen=True)
class DecisionRequest:
    """What `approver` (an ARN) is about to decide of `package` (an ARN), and why.

    They have seen `evidence` (SHA-256), and the status that the entry with the hash `standing` gave the package.
    `accepts` are the names of the checks that ask for a person's word, and have theirs.
    """

    package: str
    decision: str
    approver: str
    reason: str
    evidence: str | None = None
    standing: str | None = None
    break_glass: bool = False
    accepts: tuple[str, ...] = ()
    type: str = DECISION

    @property
    def statement(self) -> dict[str, Any]:
        """What is signed."""
        statement = {"statement": "decision", "package": self.package, "decision": self.decision, "reason": self.reason}
        seen = {"evidence": self.evidence, "standing": self.standing, "accepts": list(self.accepts)}
        named = {name: value for name, value in seen.items() if value}
        return {**statement, **named, **({"break_glass": True} if self.break_glass else {})}


@dataclass(frozen=True)
class DecisionResult(request.StatementResult[DecisionRequest]):
    """The result of a decision. `outstanding` says which approvals are missing still, in words."""

    outstanding: str | None = None

    @property
    def decision(self) -> DecisionRequest:
        """What was decided."""
        return self.request

    @property
    def joins(self) -> bool:
        """Whether it was recorded beside a decision that others had made already."""
        return bool(self.entry and self.entry.details.get("joins"))

    @property
    def document(self) -> dict[str, Any]:
        """The answer as `--json` prints it."""
        return {
            "package": self.decision.package,
            "decision": self.decision.decision,
            "approver": self.decision.approver,
            "break_glass": self.decision.break_glass,
            "outcome": self.outcome,
            "outstanding": self.outstanding,
            "joins": self.joins,
            **self.entry_fields,
        }


class PendingDecision(request.PendingStatement[DecisionRequest, DecisionResult]):
    """One decision: what the ledgers said before it was sent, and what they answer.

    It names the evidence and the status that the package had then, which its approver is shown. `policy` is the
    group's, where the caller may read it.
    """

    def __init__(
        self, ledger: LedgerReader, decision: DecisionRequest, policy: Policy | None = None, now: Clock = utc_now
    ) -> None:
        super().__init__(ledger, decision)
        self._policy = policy
        self._now = now
        evidence, moved = self.state.evidence, self.state.moved
        self.request = replace(
            decision,
            evidence=evidence["sha256"] if evidence else decision.evidence,
            standing=moved.hash if moved else decision.standing,
        )

    @property
    def decision(self) -> DecisionRequest:
        """What is to be decided."""
        return self.request

    @property
    def state(self) -> State:
        """Where the package stood before."""
        return self.before[0].state

    @property
    def asking(self) -> list[Mapping[str, Any]]:
        """The checks of the evidence that ask for a person's word, which an approval gives by name."""
        return asking((self.state.evidence or {}).get("checks") or ()) if self.decision.decision == "approve" else []

    def accept(self, names: Iterable[str]) -> None:
        """Give one's word for the checks of these names."""
        self.request = replace(self.request, accepts=tuple(names))

    def expected(self) -> Expected | None:
        """Return the expected outcome; None where it is not known."""
        known = self.state.group is not None
        return expected_outcome(self.state, self.decision, self._policy, self._now()) if known else None

    def existing_result(self) -> DecisionResult | None:
        """Return the answer when the caller has decided so already, and sending it would change nothing; or None."""
        return self._made_in(self.before)

    def result_without_entry(self) -> DecisionResult | None:
        """Return the answer when the caller has decided so meanwhile, elsewhere."""
        return self._made_in(self._histories())

    def result_from(self, entry: Entry) -> DecisionResult:
        """Return the answer that an entry is which names this decision."""
        if entry.kind is Kind.STATEMENT_REPEATED:
            return self._made_in(self._histories()) or DecisionResult(self.decision, "absorbed")
        refused = entry.kind is Kind.DECISION_REFUSED
        return DecisionResult(
            self.decision, "refused" if refused else "recorded", entry, entry.details.get("outstanding")
        )

    def is_same_request(self, entry: Entry) -> bool:
        """Return whether an entry is about such a decision, for the same reason."""
        said = entry.details.get("decision"), entry.details.get("reason", self.decision.reason)
        return said == (self.decision.decision, self.decision.reason)

    def _made_in(self, histories: list[History]) -> DecisionResult | None:
        for history in histories:
            state = history.state
            if state.group and isinstance(expected_outcome(state, self.decision, self._policy, self._now()), Repeated):
                return DecisionResult(self.decision, "absorbed", self._made_before(history), self._missing(state))
        return None

    def _missing(self, state: State) -> str | None:
        """Return what an approval that counts already takes beside it, in words; None where nothing, or unknown."""
        open_vote = {
            "approve": state.status is Status.PENDING_APPROVAL,
            "rollback": state.status is Status.REVOKED or state.superseded,
        }
        if self._policy is None or not open_vote.get(self.decision.decision):
            return None
        return str(outstanding(self._policy, state.authors, state.votes))

    def _made_before(self, history: History) -> Entry | None:
        made = [entry for entry in history.entries if entry.kind in _MADE]
        same = [entry for entry in made if entry.details["decision"] == self.decision.decision]
        return next((entry for entry in reversed(same) if entry.actor == self.decision.approver), None) or (
            same[-1] if same else None
        )
