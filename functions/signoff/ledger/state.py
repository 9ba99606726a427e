"""A package's state: the result of its ledger's entries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from signoff.identity.principals import UNKNOWN, is_users_id
from signoff.ledger import attempts, targets
from signoff.ledger.entries import REGISTRY_STATUS, Entry, Kind, Status, Step
from signoff.ledger.targets import TargetState


@dataclass(frozen=True)
class Moved:
    """The newest entry that gave a package its status, or ended votes: its hash, when it was written, and its kind."""

    hash: str
    time: str
    kind: Kind

    @classmethod
    def by(cls, entry: Entry) -> Moved:
        """Return the move that an entry is."""
        return cls(entry.hash, entry.time, entry.kind)


@dataclass(frozen=True)
class State:
    """The state that results from a package's entries.

    `unmatched` says why a package is like none of the registrations that it names. `changers` are the ARNs of who may
    have changed it since it was submitted, in order, or `UNKNOWN`. `fingerprint` are the digests of what was
    registered, as far as no registration says it, and of the specifications that were added since. `policy` is the
    digest of the policy that it is validated by, `policy_name` that policy's name if it was recorded. `votes` are the
    ARNs of those whose approvals of the present evidence count, `deciders` of those who made, or since joined, the
    present decision. `approved` is when the approval was given that `votes` made. `revoked_for` says why a package is
    Revoked: for somebody's `decision`, because its approval `lapsed`, its `subject` changed, a scan found more in its
    `images`, or it was `superseded`, the only reason that leaves votes standing. `errors` are the validations since the
    last verdict that ended without one, `next_attempt` is when another begins by itself. `specifications` are the names
    of the additional inference specifications that it was registered with, or that annotations added. `asked` is when
    approval was requested, `reminded` which reminders were sent since then, `rollback` since when a rollback to it
    waits for votes. Where a policy only reports (`enforced` is false), the registry is left as it is unless a person
    decided. `superseded_by` is the ARN of the next champion, until this package is champion again; `superseded` says
    that this happened since its last approval. `found` are the ids of what scans found in its images since the present
    evidence, `unsound` of what they found since its last approval. `unverified` is the model of a package that was
    rolled back to, until it has been verified again.
    """

    status: Status | None = None
    moved: Moved | None = None
    group: str | None = None
    version: int | None = None
    registered: str | None = None
    submitter: str | None = None
    registration: str | None = None
    unmatched: str | None = None
    changers: tuple[str, ...] = ()
    fingerprint: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    specifications: tuple[str, ...] = ()
    attempt: int = 0
    execution: str | None = None
    attempt_open: bool = False
    errors: int = 0
    next_attempt: str | None = None
    policy: str | None = None
    policy_name: str | None = None
    evidence: dict[str, Any] | None = None
    decision: dict[str, Any] | None = None
    votes: tuple[str, ...] = ()
    deciders: tuple[str, ...] = ()
    approved: str | None = None
    revoked_for: str | None = None
    asked: str | None = None
    reminded: tuple[str, ...] = ()
    rollback: str | None = None
    superseded_by: str | None = None
    superseded: bool = False
    found: tuple[str, ...] = ()
    unsound: tuple[str, ...] = ()
    enforced: bool = True
    by_person: bool = False
    projected: str = "PendingManualApproval"
    model: dict[str, Any] | None = None
    unverified: dict[str, Any] | None = None
    retirement_blocked_by: tuple[str, ...] = ()
    targets: dict[str, TargetState] = field(default_factory=dict)  # by place, `<account>/<region>`
    users: dict[str, tuple[str, ...]] = field(default_factory=dict)  # the ARNs of IAM users, by the ids they keep
    baselines: dict[str, str] = field(default_factory=dict)  # the stack of each model, by ARN; the last one counts

    @property
    def authors(self) -> tuple[str | None, ...]:
        """The ARNs of everybody who made the package what it is: the submitter, if known, and its changers."""
        return (self.submitter, *self.changers)

    @property
    def registry_status(self) -> str:
        """SageMaker's approval status as this state projects it; a deleted package keeps the one it had."""
        held = self.enforced or self.by_person
        if self.status is Status.DELETED or not held:
            return self.projected
        return REGISTRY_STATUS[self.status] if self.status else "PendingManualApproval"

    @property
    def would_be_held(self) -> bool:
        """Whether the registry, in report mode, has a status that would be reverted if the policy were enforced."""
        left = not (self.enforced or self.by_person) and self.status not in {None, Status.DELETED}
        return left and self.projected != replace(self, enforced=True).registry_status

    @property
    def next_step(self) -> Step | None:
        """The next automatic step, or None."""
        if self.status is None:
            return None
        if self.status is Status.VALIDATING:
            return Step.FINISH_VALIDATION if self.attempt_open else Step.VALIDATE
        if self.projected != self.registry_status:
            return Step.UPDATE_REGISTRY
        return self._model_step()

    def _model_step(self) -> Step | None:
        models = [self.model, *(target.model for target in self.targets.values())]
        if self.status is Status.APPROVED:
            # In report mode the registry may have been set to another status: then there is nothing to wait for.
            awaited = self.registry_status == "Approved" and not all(models)
            return Step.CREATE_MODEL if awaited else None
        return Step.RETIRE_MODEL if any(models) or self.unverified else None

    @property
    def stuck(self) -> bool:
        """Whether creating or deleting a model failed and needs somebody to act."""
        return bool(self.retirement_blocked_by) or any(target.stuck for target in self.targets.values())


def fold(entries: Iterable[Entry], state: State = State()) -> State:
    """Return the state that results from applying `entries`, in order, to `state`."""
    for entry in entries:
        status, keep = entry.effect.status, _KEPT.get(entry.kind)
        state = state if status is None else replace(state, status=status, moved=Moved.by(entry))
        state = keep(state, entry.details, entry) if keep else state
        state = _met(state, entry)
    return state


def _met(state: State, entry: Entry) -> State:
    """Keep the ARNs of the IAM users whose ids the entry has: its author or submitter, and who changed a package."""
    details = entry.details
    author = details.get("submitter") if entry.kind is Kind.REGISTERED else entry.actor
    users = state.users
    for user_id, arn in ((details.get("user_id"), author), (details.get("changed_by_id"), details.get("changed_by"))):
        if isinstance(user_id, str) and is_users_id(user_id) and arn and arn not in users.get(user_id, ()):
            users = {**users, user_id: (*users.get(user_id, ()), arn)}
    return state if users is state.users else replace(state, users=users)


def _registered(state: State, details: dict[str, Any], entry: Entry) -> State:
    return replace(
        state,
        group=details["group"],
        version=details["version"],
        registered=entry.time,
        submitter=details.get("submitter"),
        registration=details.get("registration"),
        unmatched=details.get("unmatched"),
        changers=_changers((), details),
        fingerprint=details.get("fingerprint", {}),
        metadata=details.get("metadata", {}),
        specifications=tuple(details.get("specifications", ())),
        projected=details.get("registry_status", state.projected),
    )


def _changers(before: tuple[str, ...], details: dict[str, Any]) -> tuple[str, ...]:
    """Return who may have changed a package: its last modifier, and whoever wrote before them and is not named."""
    found = (*before, details["changed_by"] or UNKNOWN, UNKNOWN) if "changed_by" in details else before
    return tuple(dict.fromkeys(found))


def _started(state: State, details: dict[str, Any], _: Entry) -> State:
    return replace(
        state,
        attempt=details["attempt"],
        execution=details["execution"],
        attempt_open=True,
        next_attempt=None,
        policy=details["policy"],
        policy_name=details.get("policy_name"),
        evidence=None,
        changers=_changers(state.changers, details),
        fingerprint=details.get("fingerprint", state.fingerprint),
        enforced=details.get("enforced", True),
        by_person=False,
    )


def _ended(state: State, _details: dict[str, Any], _: Entry) -> State:
    return replace(state, attempt_open=False)


def _errored(state: State, details: dict[str, Any], entry: Entry) -> State:
    return replace(_ended(state, details, entry), errors=state.errors + 1, next_attempt=attempts.promised(entry))


def _evidence(state: State, details: dict[str, Any], entry: Entry) -> State:
    asked = entry.time if state.status is Status.PENDING_APPROVAL else None
    state = replace(state, attempt_open=False, errors=0, next_attempt=None, evidence=details)
    state = replace(state, found=(), unsound=())
    return replace(state, votes=(), deciders=(), approved=None, asked=asked, reminded=(), rollback=None)


def _voted(state: State, details: dict[str, Any], entry: Entry) -> State:
    if details.get("joins"):
        return _joined(state, details, entry)
    if details["decision"] == "rollback":
        state = replace(state, rollback=state.rollback or entry.time)
    before = () if details.get("anew") else state.votes
    return replace(state, votes=(*before, entry.actor), approved=None if details.get("anew") else state.approved)


def _joined(state: State, details: dict[str, Any], entry: Entry) -> State:
    state = replace(state, deciders=(*state.deciders, entry.actor))
    if details["decision"] == "revoke":
        return _revoked(replace(state, moved=Moved.by(entry)), "decision")
    return replace(state, votes=(*state.votes, entry.actor)) if details["decision"] == "approve" else state


def _decision(state: State, details: dict[str, Any], entry: Entry) -> State:
    verb = details["decision"]
    decision = {**details, "approver": entry.actor, "time": entry.time}
    state = replace(state, decision=decision, deciders=(entry.actor,), revoked_for=None, by_person=True, rollback=None)
    if verb == "reopen":
        return replace(state, votes=(), approved=None, asked=entry.time, reminded=())
    if verb == "revoke":
        by_policy = details.get("channel") == "policy"
        return _revoked(state, details.get("revoked_for", "decision") if by_policy else "decision")
    if state.status is not Status.APPROVED:
        return state
    votes = tuple(details.get("votes", (entry.actor,)))
    state = replace(state, votes=votes, deciders=votes, approved=entry.time, superseded=False, unsound=())
    state = replace(state, retirement_blocked_by=())
    # After a rollback the model is created again even if it exists, which verifies all that was signed.
    return state if verb == "approve" else replace(state, model=None, unverified=state.model or state.unverified)


def _revoked(state: State, why: str) -> State:
    """Return the state of a revoked package: approvals are over, unless another package merely became champion."""
    if why == "superseded":
        return replace(state, revoked_for=why)
    return replace(state, revoked_for=why, votes=(), approved=None, rollback=None)


def _reminded(state: State, details: dict[str, Any], entry: Entry) -> State:
    if details.get("extended"):
        return replace(state, asked=entry.time, reminded=())
    return replace(state, reminded=(*state.reminded, details["reminder"]))


def _expired(state: State, details: dict[str, Any], entry: Entry) -> State:
    evidence = state.evidence or {}
    signed = {"evidence": evidence.get("sha256"), "subject": evidence.get("subject")}
    decision = {**details, **signed, "decision": "expire", "approver": entry.actor, "time": entry.time}
    return replace(state, decision=decision, deciders=(), by_person=False)


def _superseded(state: State, details: dict[str, Any], _: Entry) -> State:
    return replace(state, superseded_by=details["by"], superseded=True)


def _reinstated(state: State, _details: dict[str, Any], _: Entry) -> State:
    return replace(state, superseded_by=None, superseded=False)


def _image_findings(state: State, details: dict[str, Any], _: Entry) -> State:
    new = tuple(details["found"])
    return replace(state, found=(*state.found, *new), unsound=(*state.unsound, *new))


def _annotated(state: State, details: dict[str, Any], entry: Entry) -> State:
    kept = {key: value for key, value in state.metadata.items() if key not in details["removed"]}
    evidence = state.evidence
    if evidence and details["added"]:
        evidence = {**evidence, "specification": None}  # no summary can show any more that it is as validated
    names = (*state.specifications, *(name for name in details["added"] if name not in state.specifications))
    state = replace(state, metadata={**kept, **details["set"]}, specifications=names, evidence=evidence)
    if not details["added"]:
        return state
    others = () if entry.actor in state.authors else (entry.actor,)
    added = details.get("fingerprint", {})
    return replace(state, changers=(*state.changers, *others), fingerprint={**state.fingerprint, **added})


def _registry(state: State, details: dict[str, Any], _: Entry) -> State:
    return replace(state, projected=details["status"])


def _reverted(state: State, details: dict[str, Any], _: Entry) -> State:
    return replace(state, projected=details["found"])


def _observed(state: State, details: dict[str, Any], _: Entry) -> State:
    return replace(state, projected=details["found"], by_person=False)


def _enforcement(state: State, details: dict[str, Any], _: Entry) -> State:
    return replace(state, enforced=details["enforced"])


def _subject_changed(state: State, _details: dict[str, Any], _: Entry) -> State:
    return _revoked(replace(state, deciders=(), by_person=False), "subject")


def _model_created(state: State, details: dict[str, Any], _: Entry) -> State:
    if "place" in details:
        return replace(state, targets=targets.created(state.targets, details["place"], details["model"]))
    state = replace(state, targets=targets.awaited(state.targets, details.get("places", ())))
    return replace(state, model=details["model"], unverified=None, retirement_blocked_by=())


def _model_retired(state: State, details: dict[str, Any], _: Entry) -> State:
    if "place" in details:
        return replace(state, targets=targets.retired(state.targets, details["place"]))
    return replace(state, model=None, unverified=None, retirement_blocked_by=())


def _retirement_blocked(state: State, details: dict[str, Any], _: Entry) -> State:
    if "place" in details:
        target = targets.blocked(state.targets, details["place"], details["endpoints"])
        return replace(state, targets=target)
    return replace(state, retirement_blocked_by=tuple(details["endpoints"]))


def _deployment_failed(state: State, details: dict[str, Any], _: Entry) -> State:
    return replace(state, targets=targets.failed(state.targets, details["place"], details["because"]))


def _baseline_deployed(state: State, details: dict[str, Any], entry: Entry) -> State:
    others = _other_baselines(state, details)
    return replace(state, group=details["group"], baselines={**others, details["model"]["arn"]: entry.actor})


def _baseline_retired(state: State, details: dict[str, Any], _: Entry) -> State:
    return replace(state, baselines=_other_baselines(state, details))


def _other_baselines(state: State, details: dict[str, Any]) -> dict[str, str]:
    return {arn: stack for arn, stack in state.baselines.items() if arn != details["model"]["arn"]}


# What is kept of an entry besides its status.
_KEPT = {
    Kind.REGISTERED: _registered,
    Kind.VALIDATION_STARTED: _started,
    Kind.VALIDATION_ERRORED: _errored,
    Kind.EVIDENCE_RECORDED: _evidence,
    Kind.VOTED: _voted,
    Kind.DECISION_RECORDED: _decision,
    Kind.REMINDED: _reminded,
    Kind.EXPIRED: _expired,
    Kind.SUPERSEDED: _superseded,
    Kind.REINSTATED: _reinstated,
    Kind.IMAGE_FINDINGS_CHANGED: _image_findings,
    Kind.REGISTRY_OBSERVED: _observed,
    Kind.ENFORCEMENT_CHANGED: _enforcement,
    Kind.ANNOTATED: _annotated,
    Kind.REGISTRY_UPDATED: _registry,
    Kind.REGISTRY_REVERTED: _reverted,
    Kind.SUBJECT_CHANGED: _subject_changed,
    Kind.MODEL_CREATED: _model_created,
    Kind.MODEL_RETIRED: _model_retired,
    Kind.RETIREMENT_BLOCKED: _retirement_blocked,
    Kind.DEPLOYMENT_FAILED: _deployment_failed,
    Kind.PACKAGE_DELETED: _ended,
    Kind.BASELINE_DEPLOYED: _baseline_deployed,
    Kind.BASELINE_RETIRED: _baseline_retired,
}
