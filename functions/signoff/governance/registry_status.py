"""SageMaker's approval status as the projection of the ledger: brought there, and set back when somebody moved it."""

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


class RegistryProjector:
    """Brings the registry to what the ledger says."""

    def __init__(self, registry: Registry, ledger: LedgerTable) -> None:
        self._registry = registry
        self._ledger = ledger

    def project(self, arn: str, history: History) -> History:
        """Make the registry's status that of the ledger, where it is not yet, and record that it is.

        A ledger that has moved on meanwhile is followed, except to an approval: that is for the function that records
        it, which alone may set it, once what was approved is kept for longer.
        """
        while history.state.projected != history.state.registry_status:
            status = history.state.registry_status
            self._set(arn, status, history)
            history = self._ledger.update(history.package, partial(_updated, status))
            if history.state.status is Status.APPROVED:
                break
        return history

    def _set(self, arn: str, status: str, history: History) -> None:
        why = explanation(history)
        try:
            self._registry.set_status(arn, status, why, checkpoints.metadata(history))
        except RegistryRefused:
            # A package from elsewhere may have its 50 entries of metadata already; the status must not wait for that.
            self._registry.set_status(arn, status, why)


def _updated(status: str, history: History) -> list[Draft]:
    # What was set, even if the ledger has moved on: should the function die now, it is known what has to be mended.
    return [] if history.state.projected == status else [Draft(Kind.REGISTRY_UPDATED, "signoff", {"status": status})]


def explanation(history: History) -> str:
    """Return, for the registry's ApprovalDescription, why a package stands where it does."""
    state = history.state
    changed = history.last(Kind.SUBJECT_CHANGED)
    # One that somebody revoked may have been so for its subject before, and approved again since.
    decided = state.decision is not None and state.decision["decision"] == "revoke"
    if state.status is Status.REVOKED and changed is not None and not decided:
        return f"Revoked by Signoff: {changed.details['because']}"
    if state.status is Status.VALIDATION_FAILED and state.evidence:
        called = f"{state.group}/{state.version}" if state.version else str(package_of(history.package)[0])
        return refusal(state.evidence["checks"], called)
    if state.status in {Status.APPROVED, Status.REJECTED, Status.REVOKED} and state.decision:
        decision = state.decision
        return f"{state.status} by {decision['approver']}: {decision['reason']} (evidence {decision['evidence']})"
    return "Awaits a decision that Signoff records; a status set here by hand is set back"


def refusal(checks: Sequence[Mapping[str, Any]], package: str) -> str:
    """Return why a package failed its validation, check by check: as many whole ones as there is room for.

    `package` is what `signoff show` calls it.
    """
    begin, end = "Signoff refused this package.", f"All of it: `signoff show {package}`."
    failed = [_sentence(check) for check in checks if check["status"] == "failed"]
    room = DESCRIPTION_LIMIT - len(f"{begin}  And {len(failed)} more checks failed. {end}")
    shown = fitting(failed, room) or [cut(each, room) for each in failed[:1]]
    more = len(failed) - len(shown)
    also = [f"And {more} more check{'s' if more > 1 else ''} failed."] if more else []
    return " ".join([begin, *shown, *also, end])


def _sentence(check: Mapping[str, Any]) -> str:
    return f"{check['name']}: {check['reason']}".rstrip(".") + "."
