"""SageMaker's approval status as a projection of the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from signoff.aws.ledger_table import LedgerTable
from signoff.aws.sagemaker import DESCRIPTION_LIMIT, Registry
from signoff.documents.text import cut, fitting
from signoff.errors import RegistryRefused
from signoff.ledger import checkpoints
from signoff.ledger.entries import Draft, Kind, Status, package_of
from signoff.ledger.history import History
from signoff.ledger.recorded_checks import holding


class RegistryProjector:
    """Makes the registry agree with the ledger."""

    def __init__(self, registry: Registry, ledger: LedgerTable) -> None:
        self._registry = registry
        self._ledger = ledger

    def project(self, arn: str, history: History) -> History:
        """Set the registry's status to the ledger's, if it differs, and record that.

        If the ledger changes meanwhile, this goes on, except after an approval: only the function that records it may
        set that, after extending the retention of what was approved.
        """
        while history.state.projected != history.state.registry_status:
            status, shown = history.state.registry_status, checkpoints.of_evidence(history)
            self._set(arn, status, history)
            history = self._ledger.update(history.package, partial(_updated, status), history)
            if checkpoints.of_evidence(history) != shown:
                self.note(arn, history)
            if history.state.status is Status.APPROVED:
                break
        return history

    def set_back(self, arn: str, history: History) -> None:
        """Set the registry's status to the ledger's, which that already says it is."""
        self._set(arn, history.state.registry_status, history)

    def note(self, arn: str, history: History, **beside: Any) -> None:
        """Write the ledger's head and the evidence's digests to the package's metadata, if there is room for them.

        SageMaker has no conditional write: if there is newer evidence by then, that is written too. With fields
        `beside`, which are written in the same call, `RegistryRefused` says that nothing was.
        """
        shown = None
        while shown != (shown := checkpoints.of_evidence(history)):
            self._note(arn, history, beside)
            history, beside = self._ledger.history(history.package), {}

    def _note(self, arn: str, history: History, beside: Mapping[str, Any]) -> None:
        try:
            self._registry.update_package(arn, CustomerMetadataProperties=checkpoints.metadata(history), **beside)
        except RegistryRefused:
            if beside or checkpoints.has_room(history):
                raise

    def _set(self, arn: str, status: str, history: History) -> None:
        why = explanation(history)
        try:
            self._registry.set_status(arn, status, why, checkpoints.metadata(history))
        except RegistryRefused:
            # A package registered elsewhere may have 50 entries of metadata already; the status is set without it then.
            self._registry.set_status(arn, status, why)


def _updated(status: str, history: History) -> list[Draft]:
    # Recorded even if the ledger has changed: if the function dies now, the next one knows what to correct.
    return [] if history.state.projected == status else [Draft(Kind.REGISTRY_UPDATED, "signoff", {"status": status})]


def explanation(history: History) -> str:
    """Return the reason of a package's status, for the registry's ApprovalDescription."""
    state = history.state
    changed = history.last(Kind.SUBJECT_CHANGED)
    # A package revoked by a person may have been revoked for its subject before.
    decided = state.decision is not None and state.decision["decision"] == "revoke"
    if state.status is Status.REVOKED and changed is not None and not decided:
        return f"Revoked by Signoff: {changed.details['because']}"
    if state.status is Status.VALIDATION_FAILED and state.evidence:
        called = f"{state.group}/{state.version}" if state.version else str(package_of(history.package)[0])
        return refusal(state.evidence["checks"], called)
    if state.status in {Status.APPROVED, Status.REJECTED, Status.REVOKED} and state.decision:
        decision = state.decision
        return f"{state.status} by {decision['approver']}: {decision['reason']} (evidence {decision['evidence']})"
    return "Waiting for a decision in Signoff; a status set here by hand is reverted"


def refusal(checks: Sequence[Mapping[str, Any]], package: str) -> str:
    """Return why a package failed its validation: as many failed checks as there is room for.

    `package` is its name for `signoff show`.
    """
    begin, end = "Signoff refused this package.", f"Details: `signoff show {package}`."
    failed = [_sentence(check) for check in holding(checks)]
    room = DESCRIPTION_LIMIT - len(f"{begin}  And {len(failed)} more checks failed. {end}")
    shown = fitting(failed, room) or [cut(each, room) for each in failed[:1]]
    more = len(failed) - len(shown)
    also = [f"And {more} more check{'s' if more > 1 else ''} failed."] if more else []
    return " ".join([begin, *shown, *also, end])


def _sentence(check: Mapping[str, Any]) -> str:
    return f"{check['name']}: {check['reason']}".rstrip(".") + "."
