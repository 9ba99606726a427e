"""The rules of decisions, as a pure function of a package's state, a decision and the policy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from signoff.approval.deadlines import expires, lapsed
from signoff.approval.signing_time import outrun
from signoff.documents.text import cut, storable
from signoff.errors import EventFault
from signoff.identity.principals import account_of
from signoff.ledger.entries import DECIDED_STATUS, Draft, Kind, Status
from signoff.ledger.recorded_checks import unaccepted
from signoff.ledger.state import State
from signoff.policy.policy import Policy

UNKNOWN = "unknown"
_NAMED = 5  # checks that a refusal names
_BECAUSE = 4000  # characters of a reason that an entry keeps
_ACCEPTED = 50_000  # characters of all names of checks that a decision accepts, of up to 4 bytes each
Name = Annotated[str, msgspec.Meta(max_length=2048)]
CheckName = Annotated[str, msgspec.Meta(max_length=1024)]
Verb = Literal["approve", "reject", "revoke", "reopen", "rollback"]
Channel = Literal["proof", "publisher"]
# Those that bring a model closer to production.
ADMITTING = {"approve", "reopen", "rollback"}


class Decision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A `Model Approval Decision` about `package` (an ARN), and its reason.

    `evidence` is the SHA-256 of the evidence that it is based on, `standing` the hash of the entry that gave the
    package the status that its approver saw, `accepts` the names of the checks that ask for an approver's answer. The
    proof of the approver (`statement`, `audience`, `time`, `proof`) is read by `signoff.identity.proofs`; `approver`
    (an ARN) is only the sender's claim.
    """

    package: Name
    decision: Verb
    approver: Name | None = None
    reason: Annotated[str, msgspec.Meta(max_length=2000)] = ""
    evidence: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")] | None = None
    standing: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")] | None = None
    break_glass: bool = False
    accepts: Annotated[tuple[CheckName, ...], msgspec.Meta(max_length=200)] = ()
    statement: Literal["decision"] = "decision"
    audience: Name | None = None
    time: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    proof: str | None = None

    @property
    def claimed(self) -> str | None:
        """The author that it names (an ARN)."""
        return self.approver

    def __post_init__(self) -> None:
        """Refuse a decision without a reason, or one that cannot be stored."""
        if not self.reason.strip():
            raise ValueError("`reason` must say why")
        if sum(map(len, self.accepts)) > _ACCEPTED:
            raise ValueError(f"`accepts` has more than {_ACCEPTED:,} characters, which no entry has room for")
        if self.break_glass and self.decision != "approve":
            raise ValueError("`break_glass` is only for `approve`; no other decision needs it")
        for text in (self.package, self.approver or "", self.reason, *self.accepts):
            if storable(text) != text:
                raise ValueError(f"`{storable(text)}` contains an unpaired surrogate, which is not a character")


@dataclass(frozen=True)
class Approver:
    """Who decides (an ARN), and how they were identified: by a proof, or by a trusted publisher.

    `person` is the person behind it under the group's policy (an ARN), `user_id` the id that IAM gives to no other.
    `id` is the hash of the signed statement, `proof` that of the proof; `signed` is when (ISO 8601), by the signature.
    """

    arn: str
    person: str
    channel: Channel = "proof"
    id: str | None = None
    proof: str | None = None
    signed: str | None = None
    publisher: str | None = None
    user_id: str | None = None

    @property
    def details(self) -> dict[str, Any]:
        """What an entry records about them."""
        known = {"id": self.id, "proof": self.proof, "signed": self.signed, "publisher": self.publisher}
        known["user_id"] = self.user_id
        return {"channel": self.channel, **{name: value for name, value in known.items() if value is not None}}


def parse(detail: Any) -> Decision:
    """Read a decision from an event's detail. Raises `EventFault` saying what is wrong and where."""
    try:
        return msgspec.convert(detail, type=Decision)
    except msgspec.ValidationError as error:
        raise EventFault(f"not a decision: {error}") from error


@dataclass(frozen=True)
class Recorded:
    """The decision is accepted, or counts as one of several votes."""

    draft: Draft


@dataclass(frozen=True)
class Refusal:
    """The decision is refused: the rule's name, and the reason."""

    name: str
    reason: str

    @property
    def details(self) -> dict[str, str]:
        """What an entry records of it: a reason may repeat what somebody sent, which may be as large as an event."""
        return {"refusal": self.name, "because": cut(self.reason, _BECAUSE)}


@dataclass(frozen=True)
class Repeated:
    """The same decision was recorded before: there is nothing to do."""


Outcome = Recorded | Refusal | Repeated

_NO_DECISION_YET = {Status.VALIDATING, Status.VALIDATION_ERRORED}
# The statuses in which each decision is possible.
_FROM = {
    "approve": {Status.PENDING_APPROVAL},
    "reject": {Status.PENDING_APPROVAL},
    "revoke": {Status.APPROVED},
    "reopen": {Status.REJECTED, Status.REVOKED},
    "rollback": {Status.APPROVED, Status.REVOKED},
}


def decide(state: State, decision: Decision, approver: Approver, policy: Policy, now: datetime) -> Outcome:
    """Return the outcome of `decision` by `approver` about a package in `state` under `policy`, at the time `now`.

    If the package was decided like that before, the outcome is `Repeated` for the same person, and for another one a
    vote that joins the decision.
    """
    refusal = _wrong_person(state, decision, approver, policy)
    if refusal:
        return refusal
    if _stands(state, decision):
        return _join(state, decision, approver, policy)
    refusal = (
        _wrong_status(state, decision, policy, now)
        or _not_what_was_seen(state, decision)
        or _not_accepted(state, decision)
        or _outrun(state, decision, approver)
    )
    return refusal or _made(state, decision, approver, policy, now)


def _stands(state: State, decision: Decision) -> bool:
    """Return whether the package already has the status that `decision` leads to; after a rollback it is champion."""
    superseded = decision.decision == "rollback" and state.superseded
    return state.status is DECIDED_STATUS[decision.decision] and not superseded


def _join(state: State, decision: Decision, approver: Approver, policy: Policy) -> Outcome:
    if decision.decision == "reopen" or others(state.deciders, state, approver, policy) != [*state.deciders]:
        return Repeated()
    if decision.evidence and state.evidence and decision.evidence != state.evidence["sha256"]:
        return _stale(decision, state.evidence["sha256"])
    return Recorded(_vote(state, decision, approver, policy, joins=True))


def _made(state: State, decision: Decision, approver: Approver, policy: Policy, now: datetime) -> Outcome:
    if decision.decision in {"approve", "rollback"}:
        return _admitted(state, decision, approver, policy, now)
    return Recorded(_recorded(state, decision, approver, policy))


def _admitted(state: State, decision: Decision, approver: Approver, policy: Policy, now: datetime) -> Outcome:
    """Return the outcome of an approval or a rollback: it is made, or a vote as long as approvals are missing.

    A version that somebody revoked, or whose approval lapsed or subject changed, takes the full number again: the state
    has no votes of before then. An approval that lapsed without anything having recorded it does not count either.
    """
    approvals = policy.approvals
    unknown = not approvals.know_all(state.authors)
    if unknown and approvals.unknown_submitter == "refuse":
        return Refusal(
            "UnknownSubmitter",
            f"it is not known who submitted or changed this model, and group {state.group} refuses that",
        )
    # The approver is listed last, and once: they may have voted before, under a policy that needed more votes.
    anew = decision.decision == "rollback" and lapsed(state, policy, now)
    restarted, standing = ({"anew": True}, ()) if anew else ({}, state.votes)
    before = others(standing, state, approver, policy)
    votes = [*before, approver.arn]
    outstanding = approvals.outstanding(votes, unknown_submitter=unknown)
    if outstanding.satisfied or decision.break_glass:
        return Recorded(_recorded(state, decision, approver, policy, votes=votes, **restarted))
    if len(before) < len(standing):
        return Repeated()
    return Recorded(_vote(state, decision, approver, policy, outstanding=str(outstanding), **restarted))


def foreign(package: str, by: str, account: str | None, policy: Policy) -> Refusal | None:
    """Return why a statement by `by` (an ARN) about `package` is refused because of their account, or None.

    Anyone with AWS credentials can prove who they are; only the registry's account and those that the policy names may
    decide. `account` is that of the event, which EventBridge sets and keeps when a rule forwards it; None is the
    registry's own. Another account can only send statements of its own people.
    """
    home, theirs = account_of(package), account_of(by)
    if account not in {None, home, theirs}:
        return Refusal(
            "ForeignApprover", f"it is from account {account} and names {by}, who does not belong to that account"
        )
    for named in (theirs, account):
        if named not in {None, home} and not policy.opens_to(named or ""):
            return Refusal("AccountNotListed", f"the policy of {package} does not name account {named}")
    return None


def _wrong_person(state: State, decision: Decision, approver: Approver, policy: Policy) -> Refusal | None:
    approvals, arn = policy.approvals, approver.arn
    own = next((each for each in state.authors if each and not others([each], state, approver, policy)), None)
    if own and not _own_allowed(decision, policy):
        did = "submitted this model" if own == state.submitter else "may have changed this model since it was submitted"
        return Refusal("OwnModel", f"{arn} {did}; someone else must {decision.decision} it")
    if decision.break_glass:
        allowed = approvals.breaks_glass(arn)
        return None if allowed else Refusal("NotBreakGlass", f"{arn} may not approve alone in group {state.group}")
    if not policy.lists(arn):
        anybody = "" if approvals.knows(arn) else "; it may be used by anyone, so only a pattern for it lists it"
        return Refusal("NotAnApprover", f"{arn} is not among the approvers of group {state.group}{anybody}")
    return None


def others(arns: Iterable[str], state: State, approver: Approver, policy: Policy) -> list[str]:
    """Return those of `arns` (of people in the package's ledger) that do not stand for the approver.

    A renamed IAM user keeps their id, and is whoever the ledger knows by it. One made anew with the name of another has
    another id, and is taken for that other all the same: of the two mistakes, this one refuses.
    """
    known = (approver.arn, *state.users.get(approver.user_id or "", ()))
    same = {policy.approvals.person(arn) for arn in known}
    return [arn for arn in arns if policy.approvals.person(arn) not in same]


def _own_allowed(decision: Decision, policy: Policy) -> bool:
    approvals = policy.approvals
    withdraws = decision.decision not in ADMITTING and approvals.submitter_may_withdraw
    return approvals.submitter_may_approve or withdraws


def _wrong_status(state: State, decision: Decision, policy: Policy, now: datetime) -> Refusal | None:
    if state.status is None or state.status in _NO_DECISION_YET:
        return Refusal(
            "NotValidated", f"the package is {state.status or 'not validated'}: there is no evidence to decide on"
        )
    if state.status is Status.VALIDATION_FAILED:
        return Refusal("ValidationFailed", "the package failed its validation, and no decision can override that")
    if state.status not in _FROM[decision.decision]:
        return Refusal("AlreadyDecided", _decided_otherwise(state, decision))
    if decision.decision == "approve" and _overdue(state, policy, now):
        return Refusal(
            "Expired", f"it has been waiting for a decision since {state.asked}, which is too long; re-open it"
        )
    return None


def _overdue(state: State, policy: Policy, now: datetime) -> bool:
    expiry, end = policy.approvals.expiry, expires(state, policy)
    return expiry is not None and expiry.action == "reject" and end is not None and now >= end


def _not_what_was_seen(state: State, decision: Decision) -> Refusal | None:
    present = (state.evidence or {}).get("sha256")
    if decision.evidence is None and decision.decision in {"approve", "rollback"}:
        return Refusal("EvidenceNotNamed", "it must name the evidence that it is based on, by its SHA-256 (`evidence`)")
    return _stale(decision, present) if decision.evidence not in {None, present} else None


def _not_accepted(state: State, decision: Decision) -> Refusal | None:
    """Return why an approval is refused that says nothing of what the evidence asks its approver about, or None."""
    missing = unaccepted(state.evidence, decision.decision, decision.accepts)
    named = ", ".join(missing[:_NAMED] + [f"{len(missing) - _NAMED} more"] * (len(missing) > _NAMED))
    because = f"its evidence asks whoever approves it to accept by name (`accepts`): {named}"
    return Refusal("NotAccepted", because) if missing else None


def _outrun(state: State, decision: Decision, approver: Approver) -> Refusal | None:
    admits = decision.decision in ADMITTING
    because = outrun(state, approver.signed, decision.standing, decision.evidence, admits=admits)
    return Refusal("OlderThanStatus", f"{because}; look at the package again, and sign again") if because else None


def _stale(decision: Decision, present: str | None) -> Refusal:
    because = (
        f"it is based on evidence {decision.evidence}, but the package's evidence is {present} now; review that first"
    )
    return Refusal("EvidenceStale", because)


def _decided_otherwise(state: State, decision: Decision) -> str:
    if decision.decision in {"revoke", "reopen", "rollback"}:
        wanted = " or ".join(sorted(_FROM[decision.decision]))
        return f"the package is {state.status}: {decision.decision} needs one that is {wanted}"
    by = f" by {state.decision['approver']}" if state.decision else ""
    remedy = "revoke it instead" if state.status is Status.APPROVED else "re-open it first"
    return f"the package is {state.status} already{by}; {remedy}"


def _recorded(state: State, decision: Decision, approver: Approver, policy: Policy, **said: Any) -> Draft:
    alone = {"break_glass": True} if decision.break_glass else {}
    return Draft(Kind.DECISION_RECORDED, approver.arn, _about(state, decision, approver, policy, {**said, **alone}))


def _vote(state: State, decision: Decision, approver: Approver, policy: Policy, **said: Any) -> Draft:
    return Draft(Kind.VOTED, approver.arn, _about(state, decision, approver, policy, said))


def _about(
    state: State, decision: Decision, approver: Approver, policy: Policy, said: dict[str, Any]
) -> dict[str, Any]:
    evidence = state.evidence or {}
    return {
        "decision": decision.decision,
        "reason": decision.reason,
        "person": approver.person,
        "roles": policy.approvals.roles_of(approver.arn),
        "evidence": evidence.get("sha256"),
        "subject": evidence.get("subject"),
        "policy": policy.digest,
        **({"standing": decision.standing} if decision.standing else {}),
        **({"accepts": list(decision.accepts)} if decision.accepts else {}),
        **approver.details,
        **said,
    }


def repeated(decision: Decision, approver: Approver) -> Draft:
    """Return the ledger's entry about a decision that had been made already and changed nothing."""
    said = {"decision": decision.decision, "reason": decision.reason}
    return Draft(Kind.STATEMENT_REPEATED, approver.arn, {**said, **approver.details})


def refused(decision: Decision, refusal: Refusal, approver: Approver | None = None) -> Draft:
    """Return the ledger's entry about a refused decision; without a verified `approver` its actor is unknown."""
    details: dict[str, Any] = {"decision": decision.decision, "reason": decision.reason}
    details |= refusal.details
    if approver is not None:
        return Draft(Kind.DECISION_REFUSED, approver.arn, {**details, **approver.details})
    claimed = {"claimed": decision.approver} if decision.approver else {}
    return Draft(Kind.DECISION_REFUSED, UNKNOWN, {**details, **claimed})
