"""Applying a decision, and answering for a registry status that nobody decided."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from signoff import decisions
from signoff.decisions import Absorbed, Decision, Outcome, Recorded, Refused
from signoff.errors import EventFault, UnknownPackage
from signoff.evidence import outdated
from signoff.governance import Candidate, Governance, first_entry, registration_of
from signoff.ledger import Draft, History, Kind, State, Status, unknown_key
from signoff.registry import Registry
from signoff.retention import Retention
from signoff.steps.answering import answering, candidate_of, refuse_malformed, refusing, seen
from signoff.steps.projecting import Projecting
from signoff.tables import LedgerTable
from signoff.vault import Vault


class Deciding:
    """The one path on which a package's status changes by anybody's will."""

    def __init__(
        self,
        governance: Governance,
        registry: Registry,
        ledger: LedgerTable,
        vault: Vault,
        projecting: Projecting,
        retention: Retention,
    ) -> None:
        self._governance = governance
        self._registry = registry
        self._ledger = ledger
        self._vault = vault
        self._projecting = projecting
        self._retention = retention

    def apply(self, detail: Any, event: str | None = None, account: str | None = None) -> Outcome:
        """Decide what the `detail` of an event asks for, record the outcome, and bring the registry to it.

        The same decision again changes nothing, nor does the same `event` (its id), however late it comes again.
        `account` is the event's, None for the registry's own.
        """
        try:
            decision = decisions.parse(detail)
        except EventFault as fault:
            return self._refuse_malformed(detail, str(fault))
        candidate = candidate_of(self._governance, decision.package)
        if isinstance(candidate, Refused):
            return self._refuse_unknown(decision, candidate)
        return self._decide(candidate, decision, event, account)

    def _decide(self, candidate: Candidate, decision: Decision, event: str | None, account: str | None) -> Outcome:
        outcome: Outcome = Absorbed()
        foreign = decisions.foreign(decision.package, decision.approver, account, candidate.policy)

        def drafts(history: History) -> list[Draft]:
            nonlocal outcome
            state = history.verified().state
            weighed = foreign or decisions.decide(state, decision, candidate.policy)
            outcome = Absorbed() if seen(history, event) else weighed
            if isinstance(outcome, Recorded) and decision.decision == "approve":
                outcome = self._stale(state, candidate) or outcome
            # A decision may come before anything else: the ledger still begins with who submitted what.
            first = [] if state.status else [self._first(candidate)]
            return [*first, *_entries(history, decision, outcome, event)]

        self._vault.write("policies", candidate.policy.document)
        history = self._ledger.update(candidate.key, drafts)
        self._bring_about(candidate.arn, history)
        return outcome

    def _bring_about(self, arn: str, history: History) -> None:
        state = history.state
        if state.status is Status.APPROVED and state.model is None:
            self._retention.extend(state)
        self._projecting.project(arn, history)

    def _stale(self, state: State, candidate: Candidate) -> Refused | None:
        changed = self._changed(state, candidate.described)
        if not changed:
            return None
        parts = ", ".join(changed)
        return Refused("EvidenceStale", f"the package changed since its evidence was recorded ({parts}); revalidate it")

    def _changed(self, state: State, described: Mapping[str, Any]) -> list[str]:
        if state.evidence is None:
            return []
        return outdated(self._vault.read("evidence", state.evidence["sha256"]), described)

    def _refuse_unknown(self, decision: Decision, refusal: Refused) -> Outcome:
        key = unknown_key(decision.package)
        self._ledger.update(key, lambda history: _entries(history, decision, refusal))
        return refusal

    def _refuse_malformed(self, detail: Any, because: str) -> Outcome:
        refuse_malformed(self._ledger, detail, because, by="approver", name="MalformedDecision")
        return Refused("MalformedDecision", because)

    def reconcile(self, arn: str) -> None:
        """Answer a registry event: set back a status that nobody decided, revoke what changed after it was signed."""
        try:
            candidate = self._governance.candidate(arn)
        except UnknownPackage:
            return  # deleted since: nothing to set back
        if candidate is not None:
            self._reconcile(candidate)

    def _reconcile(self, candidate: Candidate) -> None:
        def drafts(history: History) -> list[Draft]:
            # Described after the ledger was read: what is appended in between makes this append fail and begin anew.
            described = self._registry.describe(candidate.arn)
            state = history.verified().state
            if state.status is None:
                return [self._first(candidate)]
            revoked = self._revoked(state, described)
            return [revoked] if revoked else _reverted(state, described)

        self._bring_about(candidate.arn, self._ledger.update(candidate.key, drafts))

    def _first(self, candidate: Candidate) -> Draft:
        return first_entry(candidate.described, registration_of(candidate.described, self._vault))

    def _revoked(self, state: State, described: Mapping[str, Any]) -> Draft | None:
        changed = self._changed(state, described) if state.status is Status.APPROVED else []
        return subject_changed(changed) if changed else None


def subject_changed(parts: list[str]) -> Draft:
    """Return the entry that revokes an approved package because `parts` of its subject are not as they were signed."""
    because = f"SubjectChanged: {', '.join(parts)} not as signed"
    return Draft(Kind.SUBJECT_CHANGED, "signoff", {"parts": parts, "because": because})


def _entries(history: History, decision: Decision, outcome: Outcome, event: str | None = None) -> list[Draft]:
    if isinstance(outcome, Recorded):
        return [answering(event, outcome.draft)]
    if isinstance(outcome, Refused):
        return refusing(history, decisions.refused(decision, outcome), event)
    return []


def _reverted(state: State, described: Mapping[str, Any]) -> list[Draft]:
    """Return the entry about a status that differs from the ledger's, unless Signoff is still on its way to it."""
    found = described["ModelApprovalStatus"]
    if found in (state.registry_status, state.projected):
        return []
    modifier = described.get("LastModifiedBy") or {}
    by = (modifier.get("IamIdentity") or {}).get("Arn") or modifier.get("UserProfileArn")
    details = {"found": found, "restored": state.registry_status, "last_modified_by": by}
    return [Draft(Kind.REGISTRY_REVERTED, "signoff", details)]
