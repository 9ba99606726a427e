"""What becomes due with time: reminders, the expiry of a request for approval, and the lapse of an approval.

Pure functions of a package's state, its group's present policy and the time. There are no timers to create, cancel or
lose: the result is the same whenever it is computed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from signoff.documents import timestamps
from signoff.documents.text import counted, fitting
from signoff.ledger.entries import Draft, Kind, Status
from signoff.ledger.state import State
from signoff.policy.approvals import Expiry
from signoff.policy.policy import Policy

_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))
_TOLD = 500  # characters of findings in a reason


def expires(standing: State | Mapping[str, Any], policy: Policy) -> datetime | None:
    """Return when a pending request for approval expires (is rejected or extended), or None when it never does.

    `standing` is the package's state, or its row in the packages table.
    """
    state, expiry = _state(standing), policy.approvals.expiry
    if expiry is None or state.status is not Status.PENDING_APPROVAL or state.asked is None:
        return None
    return timestamps.parse(state.asked) + expiry.after


def lapses(standing: State | Mapping[str, Any], policy: Policy) -> datetime | None:
    """Return when a package's approval lapses, or None when it never does. `standing` is as for `expires`."""
    state, after = _state(standing), policy.approvals.revocation.after
    if after is None or state.status is not Status.APPROVED or state.decision is None:
        return None
    return timestamps.parse(state.decision["time"]) + after


def lapsed(state: State, policy: Policy, now: datetime) -> bool:
    """Return whether the approval that a package's votes made would have lapsed, had nothing else ended it before."""
    after = policy.approvals.revocation.after
    return after is not None and state.approved is not None and now >= timestamps.parse(state.approved) + after


def due(standing: State | Mapping[str, Any], policy: Policy, now: datetime) -> list[Draft]:
    """Return what is due: an entry about a reminder, an expired request, or a revoked approval.

    Of missed reminders only the last is due. A row only tells whether anything is due: entries made from it must not
    be written. In report mode no approval is revoked.
    """
    state = _state(standing)
    if state.status is Status.PENDING_APPROVAL:
        return _waiting(state, policy, now)
    if state.status is Status.APPROVED and policy.enforced:
        return _approved(state, policy, now)
    return []


def next_due(standing: State | Mapping[str, Any], policy: Policy, now: datetime) -> datetime | None:
    """Return the earliest time after `now` at which something may become due by itself, or None if nothing will.

    What a new entry or another policy makes due is found by those. `standing` is as for `expires`.
    """
    state = _state(standing)
    times = [*_reminders(state, policy), expires(state, policy)]
    if policy.enforced:
        times.append(lapses(state, policy))
        if state.status is Status.APPROVED and state.unsound and policy.images.revoke:
            times.append(_midnight(now))  # what is accepted is accepted until the end of a day
    return min((each for each in times if each and each > now), default=None)


def _reminders(state: State, policy: Policy) -> list[datetime]:
    expiry = policy.approvals.expiry
    if expiry is None or state.status is not Status.PENDING_APPROVAL or state.asked is None:
        return []
    return [timestamps.parse(state.asked) + each for each in expiry.reminders]


def _midnight(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def _state(standing: State | Mapping[str, Any]) -> State:
    if isinstance(standing, State):
        return standing
    return State(
        status=Status(standing["status"]) if standing.get("status") else None,
        asked=standing.get("asked"),
        reminded=tuple(standing.get("reminded") or ()),
        superseded_by=standing.get("superseded_by"),
        superseded=bool(standing.get("superseded")),
        unsound=tuple(standing.get("unsound") or ()),
        decision={"time": standing["decided"]} if standing.get("decided") else None,
    )


def _waiting(state: State, policy: Policy, now: datetime) -> list[Draft]:
    expiry, end = policy.approvals.expiry, expires(state, policy)
    if expiry is None or end is None:
        return []
    if now < end:
        reminder = _reminder(state, expiry, now)
        return [_waited(Kind.REMINDED, state, policy, reminder=reminder, extended=False)] if reminder else []
    if expiry.action == "extend":
        return [_waited(Kind.REMINDED, state, policy, reminder=None, extended=True)]
    reason = f"no decision within {spoken(expiry.after)}; it may be re-opened"
    return [_waited(Kind.EXPIRED, state, policy, after=written(expiry.after), reason=reason)]


def _waited(kind: Kind, state: State, policy: Policy, **said: Any) -> Draft:
    return Draft(kind, "signoff", {"waiting_since": state.asked, "policy": policy.digest, **said})


def _reminder(state: State, expiry: Expiry, now: datetime) -> str | None:
    """Return the last reminder that is due, unless it, or a later one, was sent since approval was requested."""
    asked = timestamps.parse(state.asked or "")
    sent = max((msgspec.convert(each, timedelta) for each in state.reminded), default=timedelta(0))
    come = [each for each in expiry.reminders if sent < each <= now - asked]
    return written(max(come)) if come else None


def _approved(state: State, policy: Policy, now: datetime) -> list[Draft]:
    revocation, end = policy.approvals.revocation, lapses(state, policy)
    if revocation.after and end and now >= end:
        return [_revoked(state, policy, "lapsed", f"the approval lapsed: it holds for {spoken(revocation.after)}")]
    if revocation.superseded and state.superseded:
        reason = f"superseded by the group's champion {state.superseded_by}"
        return [_revoked(state, policy, "superseded", reason)]
    refused = [each for each in state.unsound if not policy.images.accepts(each, now.date().isoformat())]
    if policy.images.revoke and policy.images.block_at and refused:
        reason = f"a scan found more in its image than was approved: {', '.join(fitting(refused, _TOLD))}"
        return [_revoked(state, policy, "images", reason)]
    return []


def _revoked(state: State, policy: Policy, why: str, reason: str) -> Draft:
    evidence = state.evidence or {}
    facts = {"decision": "revoke", "revoked_for": why, "reason": reason, "channel": "policy", "policy": policy.digest}
    signed = {"evidence": evidence.get("sha256"), "subject": evidence.get("subject")}
    return Draft(Kind.DECISION_RECORDED, "signoff", {**facts, **signed})


def written(span: timedelta) -> str:
    """Return a duration as policies write it, in ISO 8601, such as `P7D`."""
    return str(msgspec.to_builtins(span))


def spoken(span: timedelta) -> str:
    """Return a duration in words, in the largest unit that divides it: `14 days`, `36 hours`."""
    seconds = span // timedelta(seconds=1)
    name, unit = next(((name, unit) for name, unit in _UNITS if seconds % unit == 0), _UNITS[-1])
    return counted(seconds // unit, name)
