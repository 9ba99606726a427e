"""Answering the registry's events: a status that nobody decided here, and a package that is not as it was signed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from signoff import decisions
from signoff.decisions import Approver, Outcome, Recorded, Refused
from signoff.errors import UnknownPackage
from signoff.governance import Candidate, Governance
from signoff.ledger import Draft, History, Kind, State, Status
from signoff.registry import Registry
from signoff.registry_edits import as_decision, editor, last_modifier
from signoff.steps.deciding import Deciding, subject_changed
from signoff.tables import LedgerTable


class Reconciling:
    """Sets back a status that was set by hand, or counts it as its author's decision where the policy says so."""

    def __init__(self, governance: Governance, registry: Registry, ledger: LedgerTable, deciding: Deciding) -> None:
        self._governance = governance
        self._registry = registry
        self._ledger = ledger
        self._deciding = deciding

    def reconcile(self, event: Mapping[str, Any]) -> None:
        """Answer a registry event, of which `event` is the detail; one of the sweep's says only the package's ARN."""
        try:
            candidate = self._governance.candidate(event["ModelPackageArn"])
        except UnknownPackage:
            return  # deleted since: nothing to set back
        if candidate is None:
            return
        self._ledger.update(candidate.key, lambda history: _enforcement(history.verified(), candidate))
        history = self._ledger.update(candidate.key, lambda history: self._answer(history.verified(), candidate, event))
        self._deciding.bring_about(candidate.arn, history)

    def _answer(self, history: History, candidate: Candidate, event: Mapping[str, Any]) -> list[Draft]:
        # Described after the ledger was read: what is appended in between makes this append fail and begin anew.
        described = self._registry.describe(candidate.arn)
        state = history.state
        if state.status is None:
            return [self._deciding.first(candidate)]
        changed = self._deciding.changed(state, described) if state.status is Status.APPROVED else []
        if changed:
            return [subject_changed(changed)]
        # Signoff may still be on its way to the status that the ledger says.
        found = described["ModelApprovalStatus"]
        return (
            []
            if found in (state.registry_status, state.projected)
            else self._edited(state, candidate, described, event)
        )

    def _edited(
        self, state: State, candidate: Candidate, described: Mapping[str, Any], event: Mapping[str, Any]
    ) -> list[Draft]:
        facts = {"found": described["ModelApprovalStatus"], "last_modified_by": last_modifier(described)}
        if not state.enforced:
            return [Draft(Kind.REGISTRY_OBSERVED, "signoff", facts)]
        drafts = self._counted(state, candidate, described, event)
        if any(draft.kind is Kind.DECISION_RECORDED for draft in drafts):
            return drafts
        return [*drafts, Draft(Kind.REGISTRY_REVERTED, "signoff", {**facts, "restored": state.registry_status})]

    def _counted(
        self, state: State, candidate: Candidate, described: Mapping[str, Any], event: Mapping[str, Any]
    ) -> list[Draft]:
        """Return the entry about the edit as a decision of whoever made it, where the policy counts those."""
        approvals = candidate.policy.approvals
        arn = editor(event, described) if approvals.registry_edits == "count" else None
        decision = as_decision(event, described, state)
        if arn is None or decision is None or not approvals.knows(arn):
            return []
        approver = Approver(arn, "registry")
        outcome: Outcome = decisions.foreign(candidate.arn, arn, None, candidate.policy) or self._deciding.weigh(
            state, decision, approver, candidate
        )
        if isinstance(outcome, Recorded):
            return [outcome.draft]
        return [decisions.refused(decision, outcome, approver)] if isinstance(outcome, Refused) else []


def _enforcement(history: History, candidate: Candidate) -> list[Draft]:
    """Return the entry about a policy that has begun, or ceased, to hold what it refuses."""
    enforced, state = candidate.policy.enforced, history.state
    if state.status is None or state.enforced == enforced:
        return []
    return [Draft(Kind.ENFORCEMENT_CHANGED, "signoff", {"enforced": enforced, "policy": candidate.policy.digest})]
