"""Applying a decision: the one path on which a package's status changes by anybody's will."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from signoff.approval import deadlines, decisions
from signoff.approval.decisions import Absorbed, Approver, Decision, Outcome, Recorded, Refused
from signoff.approval.retention import Retention
from signoff.approval.statements import Identifying, Sender, answering, candidate_of, refuse_malformed, refusing, seen
from signoff.aws.ledger_table import LedgerTable
from signoff.aws.sts import Callers
from signoff.aws.vault import Vault
from signoff.documents.timestamps import Clock
from signoff.errors import EventFault
from signoff.governance.candidates import Candidate, Governance
from signoff.governance.registrations import opening_entry
from signoff.governance.registry_status import Projecting
from signoff.ledger.entries import Draft, Kind, Status
from signoff.ledger.history import History, unknown_key
from signoff.ledger.state import State
from signoff.validation.staleness import changed_since_evidence


class Deciding:
    """Weighs what is decided, records what comes of it, and brings the registry to it."""

    def __init__(
        self,
        governance: Governance,
        ledger: LedgerTable,
        vault: Vault,
        projecting: Projecting,
        retention: Retention,
        callers: Callers,
        now: Clock,
    ) -> None:
        self._governance = governance
        self._ledger = ledger
        self._vault = vault
        self._projecting = projecting
        self._retention = retention
        self._identifying = Identifying(callers, "decision")
        self._now = now

    def apply(self, detail: Any, sender: Sender = Sender()) -> Outcome:  # noqa: B008 -- it is frozen
        """Decide what the `detail` of an event asks for, record the outcome, and bring the registry to it.

        The same decision again changes nothing, nor does the same event, however late it comes again. Raises
        `Transient` when nobody could say who sent it.
        """
        try:
            decision = decisions.parse(detail)
        except EventFault as fault:
            return self._refuse_malformed(detail, str(fault))
        candidate = candidate_of(self._governance, decision.package)
        if isinstance(candidate, Refused):
            return self._refuse_unknown(decision, candidate)
        history = self._ledger.history(candidate.key).verified()
        found: Approver | Refused | Absorbed = Absorbed()
        if not seen(history, sender.event):
            found = self._identifying.who(detail, decision.approver, sender, candidate.policy, history)
        if isinstance(found, Absorbed):
            # Whoever recorded it may have died before the registry showed it.
            self.bring_about(candidate.arn, history)
            return found
        if isinstance(found, Refused):
            return self._answer(candidate, decision, None, lambda _: found, sender.event)
        foreign = decisions.foreign(decision.package, found.arn, sender.account, candidate.policy)
        return self._answer(
            candidate,
            decision,
            found,
            lambda state: foreign or self.weigh(state, decision, found, candidate),
            sender.event,
        )

    def _answer(
        self,
        candidate: Candidate,
        decision: Decision,
        approver: Approver | None,
        weigh: Callable[[State], Outcome],
        event: str | None,
    ) -> Outcome:
        outcome: Outcome = Absorbed()

        def drafts(history: History) -> list[Draft]:
            nonlocal outcome
            state = history.verified().state
            again = seen(history, event, approver.id if approver else None)
            outcome = Absorbed() if again else weigh(state)
            # A decision may come before anything else: the ledger still begins with who submitted what.
            first = [] if state.status else self.first(candidate)
            return [*first, *_entries(history, decision, outcome, approver, event)]

        self.bring_about(candidate.arn, self._ledger.update(candidate.key, drafts))
        return outcome

    def weigh(self, state: State, decision: Decision, approver: Approver, candidate: Candidate) -> Outcome:
        """Return what follows from a decision, if the package is still as its evidence says.

        The policy is in the vault before any entry names it.
        """
        outcome = decisions.decide(state, decision, approver, candidate.policy, self._now())
        if isinstance(outcome, Recorded):
            self._vault.write("policies", candidate.policy.document)
        if isinstance(outcome, Recorded) and decision.decision in decisions.ADMITTING:
            return self._stale(state, candidate) or outcome
        return outcome

    def bring_about(self, arn: str, history: History) -> None:
        """Make the registry show what the ledger says; what is approved is kept for longer before that."""
        state = history.state
        if state.status is Status.APPROVED and state.model is None:
            self._retention.extend(state)
        self._projecting.project(arn, history)

    def _stale(self, state: State, candidate: Candidate) -> Refused | None:
        changed = self.changed(state, candidate.described)
        if not changed:
            return None
        parts = ", ".join(changed)
        return Refused("EvidenceStale", f"the package changed since its evidence was recorded ({parts}); revalidate it")

    def changed(self, state: State, described: Mapping[str, Any]) -> list[str]:
        """Return the parts of the subject that `described` shows otherwise than the package's evidence does."""
        return changed_since_evidence(state, described, self._vault)

    def first(self, candidate: Candidate) -> list[Draft]:
        """Return the entries that a package's ledger begins with."""
        return [opening_entry(candidate.described, self._vault), *self._enforcement(True, candidate)]

    def enforcement(self, state: State, candidate: Candidate) -> list[Draft]:
        """Return the entry about a policy that has begun, or ceased, to hold what it refuses."""
        return self._enforcement(state.enforced, candidate) if state.status else []

    def _enforcement(self, before: bool, candidate: Candidate) -> list[Draft]:
        enforced = candidate.policy.enforced
        if enforced == before:
            return []
        policy = self._vault.write("policies", candidate.policy.document)
        return [Draft(Kind.ENFORCEMENT_CHANGED, "signoff", {"enforced": enforced, "policy": policy.sha256})]

    def overdue(self, state: State, candidate: Candidate) -> list[Draft]:
        """Return the entry about what is due by itself: a reminder, time that is over, an approval that ends."""
        drafts = deadlines.due(state, candidate.policy, self._now())
        if drafts:
            self._vault.write("policies", candidate.policy.document)
        return drafts

    def _refuse_unknown(self, decision: Decision, refusal: Refused) -> Outcome:
        key = unknown_key(decision.package)
        self._ledger.update(key, lambda history: _entries(history, decision, refusal))
        return refusal

    def _refuse_malformed(self, detail: Any, because: str) -> Outcome:
        refuse_malformed(self._ledger, detail, because, by="approver", name="MalformedDecision")
        return Refused("MalformedDecision", because)


def subject_changed(parts: list[str]) -> Draft:
    """Return the entry that revokes an approved package because `parts` of its subject are not as they were signed."""
    because = f"SubjectChanged: {', '.join(parts)} not as signed"
    return Draft(Kind.SUBJECT_CHANGED, "signoff", {"parts": parts, "because": because})


def _entries(
    history: History, decision: Decision, outcome: Outcome, approver: Approver | None = None, event: str | None = None
) -> list[Draft]:
    if isinstance(outcome, Recorded):
        return [answering(event, outcome.draft)]
    if isinstance(outcome, Refused):
        return refusing(history, decisions.refused(decision, outcome, approver), event)
    return []
