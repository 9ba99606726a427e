"""The document of a package: everything that its ledger says, as `signoff show --json` prints it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from signoff.ledger.entries import Kind, Status, package_of
from signoff.ledger.recorded_checks import holding

if TYPE_CHECKING:
    from signoff.ledger.entries import Entry
    from signoff.ledger.history import History
    from signoff.ledger.state import State
    from signoff.ledger.targets import TargetState

_DECISIONS = {Kind.DECISION_RECORDED: "recorded", Kind.VOTED: "voted", Kind.DECISION_REFUSED: "refused"}


def document(history: History) -> dict[str, Any]:
    """Return all that a package's ledger says, as `show --json` prints it; the chain must have been verified."""
    state = history.state
    return {
        "package": package_of(history.package)[0],
        "group": state.group,
        "version": state.version,
        "status": str(state.status) if state.status else None,
        "standing": state.moved.hash if state.moved else None,
        "registry_status": state.registry_status,
        "next": str(state.next_step) if state.next_step else None,
        "submitter": state.submitter,
        "changed_by": list(state.changers),
        "registration": state.registration,
        "policy": {"name": state.policy_name, "sha256": state.policy},
        "attempt": state.attempt,
        "next_attempt": state.next_attempt,
        "checks": _checks(history),
        "evidence": _evidence(state),
        "asked": state.asked,
        "votes": list(state.votes),
        "rollback": state.rollback,
        "revoked_for": state.revoked_for,
        "decided": state.decision["time"] if state.decision else None,
        "break_glass": _alone(state),
        "superseded_by": state.superseded_by,
        "found": list(state.found),
        "enforced": state.enforced,
        "decisions": [_decision(entry) for entry in history.entries if entry.kind in _DECISIONS],
        "model": state.model,
        "retirement_blocked_by": list(state.retirement_blocked_by),
        "elsewhere": {place: _there(there) for place, there in state.targets.items()},
        "ledger": [{**entry.content, "hash": entry.hash} for entry in history.entries],
    }


def _there(there: TargetState) -> dict[str, Any]:
    return {"model": there.model, "retirement_blocked_by": list(there.blocked_by), "failed": there.failed}


def reason(history: History) -> str | None:
    """Return why a package's registration or validation failed, in one line, or None when it did not."""
    state = history.state
    if state.evidence and state.evidence["verdict"] == "failed":
        checks = holding(state.evidence["checks"])
        return "; ".join(f"{check['name']}: {check['reason']}" for check in checks)
    errored = history.last(Kind.VALIDATION_ERRORED)
    if errored is not None and state.status is Status.VALIDATION_ERRORED:
        return errored_reason(errored.details)
    return None


def errored_reason(details: Mapping[str, Any]) -> str:
    """Return why a validation ended without a verdict, from its entry's details."""
    if "checks" in details:
        errored = (each for each in details["checks"] if each["status"] == "errored" and each.get("blocks") is None)
        return "; ".join(f"{check['name']}: {check['reason']}" for check in errored)
    return f"{details.get('error', 'Unknown')}: {details.get('cause', '')}"


def _checks(history: History) -> list[dict[str, Any]]:
    state, errored = history.state, history.last(Kind.VALIDATION_ERRORED)
    if state.evidence:
        return list(state.evidence["checks"])
    if errored is not None and state.status is Status.VALIDATION_ERRORED:
        return list(errored.details.get("checks", ()))
    return []


def _evidence(state: State) -> dict[str, Any] | None:
    if not state.evidence:
        return None
    return {name: state.evidence.get(name) for name in ("uri", "sha256", "verdict", "subject")}


def _alone(state: State) -> bool:
    """Return whether the approval that stands was one person's alone, past the policy."""
    return state.status is Status.APPROVED and bool((state.decision or {}).get("break_glass"))


def _decision(entry: Entry) -> dict[str, Any]:
    names = (
        *("decision", "reason", "refusal", "because", "evidence", "subject", "policy", "person", "roles", "channel"),
        *("publisher", "claimed", "outstanding", "joins", "votes", "break_glass", "accepts"),
    )
    return {
        "outcome": _DECISIONS[entry.kind],
        "approver": entry.actor,
        "time": entry.time,
        "sequence": entry.sequence,
        **{name: entry.details[name] for name in names if name in entry.details},
    }
