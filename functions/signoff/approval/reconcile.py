"""Handling events of the registry and the sweep: statuses set by hand, changed subjects, and what is due."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from signoff.approval import decisions
from signoff.approval.apply_decision import DecisionHandler, subject_changed
from signoff.approval.decisions import Approver, Outcome, Recorded, Refusal
from signoff.approval.first_entries import enforcement_changed, first_entries
from signoff.approval.registry_edits import as_decision, editor, last_modifier
from signoff.aws.sagemaker import Registry
from signoff.errors import UnknownPackage
from signoff.governance.candidates import Candidate
from signoff.ledger.entries import Draft, Kind, Status
from signoff.ledger.history import History
from signoff.ledger.state import State


class Reconciler:
    """Reverts a status that was set by hand, or counts it as its author's decision where the policy says so.

    It also handles deadlines: requests for approval that expire, and approvals that lapse.
    """

    def __init__(self, registry: Registry, decision_handler: DecisionHandler) -> None:
        self._registry = registry
        self._decision_handler = decision_handler
        self._adapters = decision_handler.adapters

    def reconcile(self, event: Mapping[str, Any]) -> State | None:
        """Handle a registry event, of which `event` is the detail, or one that has only the package's ARN.

        Return the package's new state, or None when there was nothing to record.
        """
        try:
            candidate = self._adapters.governance.candidate(event["ModelPackageArn"])
        except UnknownPackage:
            return None  # deleted since: nothing to revert
        if candidate is None:
            return None
        answer: list[Draft] = []

        def answered(history: History) -> list[Draft]:
            answer[:] = self._answer(history.verified(), candidate, event)
            return answer

        ledger = self._adapters.ledger
        ledger.update(candidate.key, lambda history: self._enforcement(history.state, candidate))
        history = ledger.update(candidate.key, answered)
        self._decision_handler.settle(candidate.arn, history)
        return history.state if answer else None

    def _enforcement(self, state: State, candidate: Candidate) -> list[Draft]:
        return enforcement_changed(state.enforced, candidate, self._adapters.vault) if state.status else []

    def _answer(self, history: History, candidate: Candidate, event: Mapping[str, Any]) -> list[Draft]:
        # Described after the ledger was read: an entry appended in between makes this append fail and start again.
        described = self._registry.describe(candidate.arn)
        state = history.state
        if state.status is None:
            return first_entries(candidate, self._adapters.vault)
        changed = self._decision_handler.changed(state, described) if state.status is Status.APPROVED else []
        if changed:
            return [subject_changed(changed)]
        # The registry may not have been updated to the ledger's status yet.
        if described["ModelApprovalStatus"] not in (state.registry_status, state.projected):
            return self._edited(history, candidate, described, event)
        return self._decision_handler.overdue(state, candidate)

    def _edited(
        self, history: History, candidate: Candidate, described: Mapping[str, Any], event: Mapping[str, Any]
    ) -> list[Draft]:
        state = history.state
        facts = {"found": described["ModelApprovalStatus"], "last_modified_by": last_modifier(described)}
        drafts = self._counted(history, candidate, described, event)
        if any(draft.kind is Kind.DECISION_RECORDED for draft in drafts):
            return drafts
        if not state.enforced:
            return [*drafts, Draft(Kind.REGISTRY_OBSERVED, "signoff", facts)]
        return [*drafts, Draft(Kind.REGISTRY_REVERTED, "signoff", {**facts, "restored": state.registry_status})]

    def _counted(
        self, history: History, candidate: Candidate, described: Mapping[str, Any], event: Mapping[str, Any]
    ) -> list[Draft]:
        """Return the entry about the edit as a decision of its author, where the policy counts those."""
        approvals = candidate.policy.approvals
        arn = editor(event, described) if approvals.registry_edits == "count" else None
        decision = as_decision(event, described, history.state)
        if arn is None or decision is None or not approvals.knows(arn):
            return []
        approver = Approver(arn, approvals.person(arn), "registry")
        foreign = decisions.foreign(candidate.arn, arn, None, candidate.policy)
        outcome: Outcome = foreign or self._decision_handler.evaluate(history, decision, approver, candidate)
        if isinstance(outcome, Recorded):
            return [outcome.draft]
        return [decisions.refused(decision, outcome, approver)] if isinstance(outcome, Refusal) else []
