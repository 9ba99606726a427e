"""Handling events of the registry and the sweep: statuses set by hand, changed subjects, and what is due."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from signoff.approval.apply_decision import DecisionHandler, subject_changed
from signoff.approval.first_entries import enforcement_changed
from signoff.aws.sagemaker import Registry
from signoff.errors import UnknownPackage
from signoff.governance.candidates import Candidate
from signoff.governance.registrations import last_modifier
from signoff.ledger.entries import Draft, Kind, Status
from signoff.ledger.history import History
from signoff.ledger.state import State

_EDITS = {Kind.REGISTRY_REVERTED, Kind.REGISTRY_OBSERVED}
_MOST_EDITS = 500  # that a ledger takes, so that nobody makes it too long for a revocation


class Reconciler:
    """Reverts a status that was set by hand, or leaves it where the policy only reports.

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
            answer[:] = self._answer(history.verified(), candidate)
            return answer

        ledger = self._adapters.ledger
        ledger.update(candidate.key, lambda history: self._enforcement(history.state, candidate))
        history = ledger.update(candidate.key, answered)
        self._decision_handler.settle(candidate.arn, history)
        return history.state if answer else None

    def _enforcement(self, state: State, candidate: Candidate) -> list[Draft]:
        return enforcement_changed(state.enforced, candidate, self._adapters.vault) if state.status else []

    def _answer(self, history: History, candidate: Candidate) -> list[Draft]:
        # Described after the ledger was read: an entry appended in between makes this append fail and start again.
        described = self._registry.describe(candidate.arn)
        state = history.state
        if state.status is None:
            return self._adapters.first_entries(candidate)
        changed = self._decision_handler.changed(state, described) if state.status is Status.APPROVED else []
        if changed:
            return [subject_changed(changed)]
        # The registry may not have been updated to the ledger's status yet.
        if described["ModelApprovalStatus"] not in (state.registry_status, state.projected):
            return self._edited(candidate.arn, history, described)
        return self._decision_handler.overdue(state, candidate)

    def _edited(self, arn: str, history: History, described: Mapping[str, Any]) -> list[Draft]:
        """Return the entry about a status that was set by hand. Beyond the limit it is set back all the same."""
        state = history.state
        facts = {"found": described["ModelApprovalStatus"], "last_modified_by": last_modifier(described)}
        if sum(entry.kind in _EDITS for entry in history.entries) >= _MOST_EDITS:
            if state.enforced:
                self._decision_handler.set_back(arn, history)
            return []
        if not state.enforced:
            return [Draft(Kind.REGISTRY_OBSERVED, "signoff", facts)]
        return [Draft(Kind.REGISTRY_REVERTED, "signoff", {**facts, "restored": state.registry_status})]
