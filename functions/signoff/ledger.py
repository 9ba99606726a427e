"""The ledger: the append-only, hash-chained list of all that happened to a package, and the state it folds to.

Every entry's hash covers its content and the hash before it, so nobody changes or removes one unseen. Nothing else
keeps a package's state: the status is a fold over these entries, and SageMaker's approval status its projection.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from signoff import moments, places
from signoff.canonical import digest
from signoff.errors import LedgerBroken
from signoff.places import There

GENESIS = "0" * 64
# Whoever can reach the bus names what they like; a partition key ends at 2,048 bytes, four to a character at most.
_UNKNOWN = 500


class Kind(StrEnum):
    """What an entry says has happened."""

    REGISTERED = "Registered"
    REGISTRATION_FAILED = "RegistrationFailed"
    VALIDATION_STARTED = "ValidationStarted"
    VALIDATION_ERRORED = "ValidationErrored"
    EVIDENCE_RECORDED = "EvidenceRecorded"
    DECISION_RECORDED = "DecisionRecorded"
    DECISION_REFUSED = "DecisionRefused"
    ANNOTATED = "Annotated"
    REGISTRY_UPDATED = "RegistryUpdated"
    REGISTRY_REVERTED = "RegistryReverted"
    SUBJECT_CHANGED = "SubjectChanged"
    MODEL_CREATED = "ModelCreated"
    MODEL_RETIRED = "ModelRetired"
    RETIREMENT_BLOCKED = "RetirementBlocked"
    DEPLOYMENT_FAILED = "DeploymentFailed"
    PACKAGE_DELETED = "PackageDeleted"
    BASELINE_DEPLOYED = "BaselineDeployed"
    BASELINE_RETIRED = "BaselineRetired"


class Status(StrEnum):
    """Where a package stands."""

    VALIDATING = "Validating"
    VALIDATION_ERRORED = "ValidationErrored"
    VALIDATION_FAILED = "ValidationFailed"
    PENDING_APPROVAL = "PendingApproval"
    APPROVED = "Approved"
    REJECTED = "Rejected"
    REVOKED = "Revoked"
    DELETED = "Deleted"


class Step(StrEnum):
    """What a package waits for that no person has to do; `sweep` sees to it when the event for it got lost."""

    VALIDATE = "validate"
    FINISH_VALIDATION = "finish_validation"
    UPDATE_REGISTRY = "update_registry"
    CREATE_MODEL = "create_model"
    RETIRE_MODEL = "retire_model"


REGISTRY_STATUS = {
    Status.VALIDATING: "PendingManualApproval",
    Status.VALIDATION_ERRORED: "PendingManualApproval",
    Status.PENDING_APPROVAL: "PendingManualApproval",
    Status.VALIDATION_FAILED: "Rejected",
    Status.REJECTED: "Rejected",
    Status.REVOKED: "Rejected",
    Status.APPROVED: "Approved",
}
DECIDED_STATUS = {"approve": Status.APPROVED, "reject": Status.REJECTED, "revoke": Status.REVOKED}
VERDICT_STATUS = {"passed": Status.PENDING_APPROVAL, "failed": Status.VALIDATION_FAILED}


@dataclass(frozen=True)
class Draft:
    """An entry before it has a place in the chain. `actor` is an ARN, or `signoff` for what Signoff does by itself."""

    kind: Kind
    actor: str
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Entry:
    """One entry of a ledger, as it is kept and hashed."""

    package: str
    sequence: int
    time: str
    kind: Kind
    actor: str
    group: str | None
    version: int | None
    details: dict[str, Any]
    previous: str
    hash: str

    @property
    def content(self) -> dict[str, Any]:
        """What the hash covers: all of the entry but the hash itself."""
        return {
            "package": self.package,
            "sequence": self.sequence,
            "time": self.time,
            "kind": str(self.kind),
            "actor": self.actor,
            "group": self.group,
            "version": self.version,
            "details": self.details,
            "previous": self.previous,
        }

    @property
    def arn(self) -> str | None:
        """The package's ARN, or None where the entry is about a submission or an unknown package."""
        return package_of(self.package)[0]


@dataclass(frozen=True)
class State:
    """What a package's entries come to."""

    status: Status | None = None
    group: str | None = None
    version: int | None = None
    registered: str | None = None
    submitter: str | None = None
    registration: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    attempt: int = 0
    execution: str | None = None
    attempt_open: bool = False
    policy: str | None = None
    evidence: dict[str, Any] | None = None
    decision: dict[str, Any] | None = None
    projected: str = "PendingManualApproval"
    model: dict[str, Any] | None = None
    retirement_blocked_by: tuple[str, ...] = ()
    elsewhere: dict[str, There] = field(default_factory=dict)  # by place, `<account>/<region>`
    baselines: dict[str, str] = field(default_factory=dict)  # the stack of each model, by ARN; the last one counts

    @property
    def registry_status(self) -> str:
        """SageMaker's approval status as this state projects it; a deleted package keeps the one it had."""
        if self.status is Status.DELETED:
            return self.projected
        return REGISTRY_STATUS[self.status] if self.status else "PendingManualApproval"

    @property
    def next_step(self) -> Step | None:
        """What happens next without a person, or None when nothing does."""
        if self.status is None:
            return None
        if self.status is Status.VALIDATING:
            return Step.FINISH_VALIDATION if self.attempt_open else Step.VALIDATE
        if self.projected != self.registry_status:
            return Step.UPDATE_REGISTRY
        return self._model_step()

    def _model_step(self) -> Step | None:
        models = [self.model, *(there.model for there in self.elsewhere.values())]
        if self.status is Status.APPROVED:
            return None if all(models) else Step.CREATE_MODEL
        return Step.RETIRE_MODEL if any(models) else None

    @property
    def stuck(self) -> bool:
        """Whether a model could not be made or deleted until somebody does something."""
        return bool(self.retirement_blocked_by) or any(there.stuck for there in self.elsewhere.values())


def package_key(arn: str, created: datetime) -> str:
    """Return a ledger's key: the ARN and the creation time, for a group made anew starts again at version 1."""
    return f"{arn}@{moments.text(created)}"


def package_of(key: str) -> tuple[str, str] | tuple[None, None]:
    """Return the ARN and the creation time that `package_key` made `key` of, or twice None for any other key."""
    arn, _, created = key.rpartition("@")
    return (arn, created) if arn.startswith("arn:") else (None, None)


def submission_key(prefix: str) -> str:
    """Return the key of the ledger of a submission that has no package."""
    return f"submission:{prefix}"


def baseline_key(group: str) -> str:
    """Return the key of the ledger of the models that a group's stacks deployed with code review as their approval.

    It is in lower case: the group may not be there yet, and names that differ by case only are one group to SageMaker.
    """
    return f"baseline:{group.lower()}"


def unknown_key(arn: str) -> str:
    """Return the key of the ledger of what was said about a package that Signoff does not know."""
    return f"unknown:{arn[:_UNKNOWN]}"


@dataclass(frozen=True)
class History:
    """A ledger as it was read: its key and its entries in order."""

    package: str
    entries: tuple[Entry, ...] = ()

    @property
    def head(self) -> str:
        """The hash that the next entry must follow."""
        return self.entries[-1].hash if self.entries else GENESIS

    @property
    def state(self) -> State:
        """What the entries fold to."""
        return fold(self.entries)

    def last(self, kind: Kind) -> Entry | None:
        """Return the newest entry of that kind."""
        return next((entry for entry in reversed(self.entries) if entry.kind == kind), None)

    def extended(self, drafts: Sequence[Draft], now: datetime) -> History:
        """Return this history with `drafts` sealed behind its head, at the time `now`."""
        history = self
        for draft in drafts:
            history = replace(history, entries=(*history.entries, _sealed(history, draft, now)))
        return history

    def verified(self) -> History:
        """Return itself. Raises `LedgerBroken` naming the first entry that does not follow from the one before."""
        previous = GENESIS
        for position, entry in enumerate(self.entries, start=1):
            fits = entry.sequence == position and entry.previous == previous and entry.hash == digest(entry.content)
            if not fits or entry.package != self.package:
                raise LedgerBroken(f"entry {position} of {self.package} does not follow from the one before it")
            previous = entry.hash
        return self


def _sealed(history: History, draft: Draft, now: datetime) -> Entry:
    state = history.state
    entry = Entry(
        package=history.package,
        sequence=len(history.entries) + 1,
        time=moments.text(now),
        kind=draft.kind,
        actor=draft.actor,
        group=draft.details.get("group", state.group),
        version=draft.details.get("version", state.version),
        details=draft.details,
        previous=history.head,
        hash="",
    )
    return replace(entry, hash=digest(entry.content))


def fold(entries: Iterable[Entry]) -> State:
    """Return the state that `entries`, in order, come to."""
    state = State()
    for entry in entries:
        step = _FOLDS.get(entry.kind)
        state = step(state, entry.details, entry) if step else state
    return state


def _registered(state: State, details: dict[str, Any], entry: Entry) -> State:
    return replace(
        state,
        status=Status.VALIDATING,
        group=details["group"],
        version=details["version"],
        registered=entry.time,
        submitter=details.get("submitter"),
        registration=details.get("registration"),
        metadata=details.get("metadata", {}),
        projected=details.get("registry_status", state.projected),
    )


def _started(state: State, details: dict[str, Any], _: Entry) -> State:
    return replace(
        state,
        status=Status.VALIDATING,
        attempt=details["attempt"],
        execution=details["execution"],
        attempt_open=True,
        policy=details["policy"],
        evidence=None,
    )


def _errored(state: State, _details: dict[str, Any], _: Entry) -> State:
    return replace(state, status=Status.VALIDATION_ERRORED, attempt_open=False)


def _evidence(state: State, details: dict[str, Any], _: Entry) -> State:
    return replace(state, status=VERDICT_STATUS[details["verdict"]], attempt_open=False, evidence=details)


def _decision(state: State, details: dict[str, Any], entry: Entry) -> State:
    decision = {**details, "approver": entry.actor, "time": entry.time}
    return replace(state, status=DECIDED_STATUS[details["decision"]], decision=decision)


def _annotated(state: State, details: dict[str, Any], _: Entry) -> State:
    kept = {key: value for key, value in state.metadata.items() if key not in details["removed"]}
    evidence = state.evidence
    if evidence and details["added"]:
        evidence = {**evidence, "specification": None}  # no summary shows that it is as validated any more
    return replace(state, metadata={**kept, **details["set"]}, evidence=evidence)


def _registry(state: State, details: dict[str, Any], _: Entry) -> State:
    return replace(state, projected=details["status"])


def _reverted(state: State, details: dict[str, Any], _: Entry) -> State:
    return replace(state, projected=details["found"])


def _subject_changed(state: State, _details: dict[str, Any], _: Entry) -> State:
    return replace(state, status=Status.REVOKED)


def _model_created(state: State, details: dict[str, Any], _: Entry) -> State:
    if "place" in details:
        return replace(state, elsewhere=places.created(state.elsewhere, details["place"], details["model"]))
    state = replace(state, elsewhere=places.awaited(state.elsewhere, details.get("places", ())))
    return replace(state, model=details["model"], retirement_blocked_by=())


def _model_retired(state: State, details: dict[str, Any], _: Entry) -> State:
    if "place" in details:
        return replace(state, elsewhere=places.retired(state.elsewhere, details["place"]))
    return replace(state, model=None, retirement_blocked_by=())


def _retirement_blocked(state: State, details: dict[str, Any], _: Entry) -> State:
    if "place" in details:
        there = places.blocked(state.elsewhere, details["place"], details["endpoints"])
        return replace(state, elsewhere=there)
    return replace(state, retirement_blocked_by=tuple(details["endpoints"]))


def _deployment_failed(state: State, details: dict[str, Any], _: Entry) -> State:
    return replace(state, elsewhere=places.failed(state.elsewhere, details["place"], details["because"]))


def _package_deleted(state: State, _details: dict[str, Any], _: Entry) -> State:
    return replace(state, status=Status.DELETED, attempt_open=False)


def _baseline_deployed(state: State, details: dict[str, Any], entry: Entry) -> State:
    others = _other_baselines(state, details)
    return replace(state, group=details["group"], baselines={**others, details["model"]["arn"]: entry.actor})


def _baseline_retired(state: State, details: dict[str, Any], _: Entry) -> State:
    return replace(state, baselines=_other_baselines(state, details))


def _other_baselines(state: State, details: dict[str, Any]) -> dict[str, str]:
    return {arn: stack for arn, stack in state.baselines.items() if arn != details["model"]["arn"]}


_FOLDS = {
    Kind.REGISTERED: _registered,
    Kind.VALIDATION_STARTED: _started,
    Kind.VALIDATION_ERRORED: _errored,
    Kind.EVIDENCE_RECORDED: _evidence,
    Kind.DECISION_RECORDED: _decision,
    Kind.ANNOTATED: _annotated,
    Kind.REGISTRY_UPDATED: _registry,
    Kind.REGISTRY_REVERTED: _reverted,
    Kind.SUBJECT_CHANGED: _subject_changed,
    Kind.MODEL_CREATED: _model_created,
    Kind.MODEL_RETIRED: _model_retired,
    Kind.RETIREMENT_BLOCKED: _retirement_blocked,
    Kind.DEPLOYMENT_FAILED: _deployment_failed,
    Kind.PACKAGE_DELETED: _package_deleted,
    Kind.BASELINE_DEPLOYED: _baseline_deployed,
    Kind.BASELINE_RETIRED: _baseline_retired,
}
