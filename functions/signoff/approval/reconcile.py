"""Handling events of the registry and the sweep: statuses set by hand, changed subjects, and what is due."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from signoff.approval.apply_decision import DecisionHandler, is_settled, subject_changed
from signoff.approval.first_entries import enforcement_changed
from signoff.approval.vault_reading import VaultReading
from signoff.aws.sagemaker import Registry
from signoff.errors import UnknownPackage
from signoff.governance.candidates import Candidate, key_of
from signoff.governance.registrations import last_modifier
from signoff.ledger.entries import Draft, Kind, Status
from signoff.ledger.history import History
from signoff.ledger.state import State
from signoff.validation.staleness import changed_since_evidence

_EDITS = {Kind.REGISTRY_REVERTED, Kind.REGISTRY_OBSERVED}
# What an update of a status alone is about. Of other fields, and where none is named, everything is compared.
_OF_A_STATUS = ("ModelApprovalStatus", "ApprovalDescription", "CustomerMetadataProperties")
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
        governance, ledger = self._adapters.governance, self._adapters.ledger
        try:
            described = governance.describe(event["ModelPackageArn"])
        except UnknownPackage:
            return None  # deleted since: nothing to revert
        known = None
        if _is_about_a_status(event):
            known = ledger.history(key_of(described)).verified()
            if _is_as_recorded(described, known):
                return None
        candidate = governance.governed(described)
        if candidate is None:
            return None
        return self._reconciled(candidate, known)

    def _reconciled(self, candidate: Candidate, known: History | None) -> State | None:
        reading = VaultReading(self._adapters.vault)
        answer: list[Draft] = []

        def answered(history: History) -> list[Draft]:
            answer[:] = self._answer(history.verified(), candidate, reading)
            return answer

        update = self._adapters.ledger.update
        known = update(candidate.key, lambda history: self._enforcement(history.state, candidate), known)
        history = update(candidate.key, answered, known)
        self._decision_handler.settle(candidate.arn, history, reading)
        return history.state if answer else None

    def _enforcement(self, state: State, candidate: Candidate) -> list[Draft]:
        return enforcement_changed(state.enforced, candidate, self._adapters.vault) if state.status else []

    def _answer(self, history: History, candidate: Candidate, reading: VaultReading) -> list[Draft]:
        state, described = history.state, candidate.described
        if state.status is None:
            return self._adapters.first_entries(candidate)
        if _changed(state, described, reading) or _is_edited(state, described):
            # It may be older than the ledger. Described after that was read, it is not: an entry appended in between
            # makes this append fail and start again.
            described = self._registry.describe(candidate.arn)
        changed = _changed(state, described, reading)
        if changed:
            return [subject_changed(changed)]
        if _is_edited(state, described):
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


def _changed(state: State, described: Mapping[str, Any], reading: VaultReading) -> list[str]:
    """Return the parts of an approved package's subject that are not as its evidence has them."""
    return changed_since_evidence(state, described, reading) if state.status is Status.APPROVED else []


def _is_edited(state: State, described: Mapping[str, Any]) -> bool:
    # The registry may not have been updated to the ledger's status yet.
    return described["ModelApprovalStatus"] not in (state.registry_status, state.projected)


def _is_about_a_status(event: Mapping[str, Any]) -> bool:
    changed = event.get("UpdatedModelPackageFields")
    return isinstance(changed, list) and changed != [] and all(field in _OF_A_STATUS for field in changed)


def _is_as_recorded(described: Mapping[str, Any], history: History) -> bool:
    """Return whether an event that is about a status only tells what the ledger knows: that Signoff has set it."""
    state = history.state
    same = state.status is not None and described["ModelApprovalStatus"] == state.registry_status
    return same and is_settled(history)
