"""Deciding, as a pure function: a package's state, a decision and the policy in; what follows from it out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec

from signoff.errors import EventFault
from signoff.identity import account_of, person, same_person
from signoff.ledger import DECIDED_STATUS, Draft, Kind, State, Status
from signoff.policy import Policy

Name = Annotated[str, msgspec.Meta(max_length=2048)]


class Decision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A `Model Approval Decision`: what `approver` (an ARN) decides about `package` (an ARN), and why."""

    package: Name
    decision: Literal["approve", "reject", "revoke"]
    approver: Name
    reason: Annotated[str, msgspec.Meta(max_length=2000)] = ""

    def __post_init__(self) -> None:
        """A decision nobody can explain later is none, nor is one that cannot be written down."""
        if not self.reason.strip():
            raise ValueError("`reason` must say why")
        for text in (self.package, self.approver, self.reason):
            if storable(text) != text:
                raise ValueError(f"`{storable(text)}` holds half a surrogate pair, which is no character")


def parse(detail: Any) -> Decision:
    """Read a decision from an event's detail. Raises `EventFault` saying what is wrong and where."""
    try:
        return msgspec.convert(detail, type=Decision)
    except msgspec.ValidationError as error:
        raise EventFault(f"not a decision: {error}") from error


def storable(text: str) -> str:
    """Return `text` with what is no character (JSON may hold half a surrogate pair) replaced by question marks."""
    return text.encode("utf-8", "replace").decode()


@dataclass(frozen=True)
class Recorded:
    """The decision stands."""

    draft: Draft


@dataclass(frozen=True)
class Refused:
    """The decision does not stand, for a reason with a name."""

    name: str
    reason: str


@dataclass(frozen=True)
class Absorbed:
    """The decision was made already, with the same outcome: nothing more is to be done."""


Outcome = Recorded | Refused | Absorbed

_NO_DECISION_YET = {Status.VALIDATING, Status.VALIDATION_ERRORED}


def decide(state: State, decision: Decision, policy: Policy) -> Outcome:
    """Return what follows from `decision` about a package in `state` under `policy`."""
    wanted = DECIDED_STATUS[decision.decision]
    if state.status is wanted:
        return Absorbed()
    refusal = _wrong_person(state, decision, policy) or _wrong_moment(state, decision)
    return refusal or Recorded(_recorded(state, decision, policy))


def foreign(package: str, by: str, account: str | None, policy: Policy) -> Refused | None:
    """Return why what `by` (an ARN) says of `package` does not stand that another account than the registry's sent.

    `account` is that of the event, which EventBridge sets and keeps when a rule passes the event on; None is the
    registry's own. Only accounts that the group's policy names have a say in it, and each for its own people only.
    """
    if account in {None, account_of(package)}:
        return None
    if account_of(by) != account:
        return Refused("ForeignApprover", f"it is from account {account} and names {by}, who is not of that account")
    if not policy.opens_to(account):
        return Refused("AccountNotListed", f"the policy of {package} does not name account {account}")
    return None


def _wrong_person(state: State, decision: Decision, policy: Policy) -> Refused | None:
    own = same_person(decision.approver, state.submitter)
    if own and decision.decision == "approve" and not policy.approvals.submitter_may_approve:
        return Refused("OwnModel", f"{decision.approver} submitted this model; somebody else must approve it")
    if not policy.lists(decision.approver):
        return Refused("NotAnApprover", f"{decision.approver} is not among the approvers of group {state.group}")
    return None


def _wrong_moment(state: State, decision: Decision) -> Refused | None:
    if state.status is None or state.status in _NO_DECISION_YET:
        return Refused(
            "NotValidated", f"the package is {state.status or 'not validated'}: there is no evidence to decide on"
        )
    if state.status is Status.VALIDATION_FAILED:
        return Refused("ValidationFailed", "the package failed its validation; no decision skips the evidence")
    allowed = Status.APPROVED if decision.decision == "revoke" else Status.PENDING_APPROVAL
    if state.status is not allowed:
        return Refused("AlreadyDecided", _decided_otherwise(state, decision))
    return None


def _decided_otherwise(state: State, decision: Decision) -> str:
    if decision.decision == "revoke":
        return f"the package is {state.status}: only an approved one can be revoked"
    by = f" by {state.decision['approver']}" if state.decision else ""
    remedy = "; revoke it instead" if state.status is Status.APPROVED else ""
    return f"the package is {state.status} already{by}{remedy}"


def _recorded(state: State, decision: Decision, policy: Policy) -> Draft:
    evidence = state.evidence or {}
    return Draft(
        Kind.DECISION_RECORDED,
        decision.approver,
        {
            "decision": decision.decision,
            "reason": decision.reason,
            "person": person(decision.approver),
            "evidence": evidence.get("sha256"),
            "subject": evidence.get("subject"),
            "policy": policy.digest,
        },
    )


def refused(decision: Decision, refusal: Refused) -> Draft:
    """Return the ledger's entry about a refused decision."""
    return Draft(
        Kind.DECISION_REFUSED,
        decision.approver,
        {"decision": decision.decision, "reason": decision.reason, "refusal": refusal.name, "because": refusal.reason},
    )
