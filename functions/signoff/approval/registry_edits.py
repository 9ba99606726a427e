"""A status set in the registry itself (Studio, the console, the CLI): who did it, and which decision it means."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from signoff.approval.decisions import Decision, storable
from signoff.documents import timestamps
from signoff.ledger.entries import Status
from signoff.ledger.state import State

_REASON = 1900  # characters; a decision's reason ends at 2,000


def last_modifier(described: Mapping[str, Any]) -> str | None:
    """Return the ARN of the package's last modifier, whatever they changed, as SageMaker reports it."""
    modifier = described.get("LastModifiedBy") or {}
    arn: str | None = (modifier.get("IamIdentity") or {}).get("Arn") or modifier.get("UserProfileArn")
    return arn


def editor(event: Mapping[str, Any], described: Mapping[str, Any]) -> str | None:
    """Return the IAM identity (an ARN) that set the status in `event`, or None when that is not certain.

    SageMaker only names the last modifier, whatever they changed. So the event has to say that the status was changed,
    and has to be about the package's last change.
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UserContext.html
    """
    if "ModelApprovalStatus" not in (event.get("UpdatedModelPackageFields") or ()):
        return None
    same_status = event.get("ModelApprovalStatus") == described["ModelApprovalStatus"]
    if not same_status or not _same_moment(event.get("LastModifiedTime"), described.get("LastModifiedTime")):
        return None
    arn: str | None = ((described.get("LastModifiedBy") or {}).get("IamIdentity") or {}).get("Arn")
    return arn


def _same_moment(event_time: Any, known: datetime | None) -> bool:
    """Return whether an event's time (ISO 8601, or milliseconds) is `known`, to the second, as events are."""
    try:
        parsed = (
            datetime.fromtimestamp(event_time / 1000, UTC)
            if isinstance(event_time, int)
            else timestamps.parse(str(event_time))
        )
    except (ValueError, OverflowError, OSError):
        return False
    return known is not None and parsed.replace(microsecond=0) == known.replace(microsecond=0)


def as_decision(event: Mapping[str, Any], described: Mapping[str, Any], state: State) -> Decision | None:
    """Return the decision that a status set in the registry means, or None.

    Its author saw the registry, which names the present evidence.
    """
    verb = _verb(described["ModelApprovalStatus"], state)
    if verb is None:
        return None
    said = "ApprovalDescription" in (event.get("UpdatedModelPackageFields") or ())
    why = str(described.get("ApprovalDescription") or "")[:_REASON] if said else ""
    reason = f"set in the registry: {storable(why)}" if why.strip() else "set in the registry"
    evidence = (state.evidence or {}).get("sha256")
    return Decision(described["ModelPackageArn"], verb, reason=reason, evidence=evidence)


def _verb(found: str, state: State) -> Any:
    if found == "Approved":
        return "approve"
    if found == "Rejected":
        return "revoke" if state.status is Status.APPROVED else "reject"
    return "reopen" if state.status in {Status.REJECTED, Status.REVOKED} else None
