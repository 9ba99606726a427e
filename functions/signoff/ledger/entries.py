"""The entries of a ledger: their kinds, and the effect of each.

To add a kind, name it in `Kind` and give it a row in `EFFECTS`: it defines the status, the events and the
notifications. The rest are texts and facts, and a test fails for each that is missing: its line in the terminal
(`signoff.report.sentences`), its message if the row names a stage (`signoff.notification.notifications`), what
the state keeps of it besides the status (`signoff.ledger.state`), and one such entry in the golden ledger
(`tests/unit/pipeline/every_kind.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What happened, according to an entry."""

    REGISTERED = "Registered"
    REGISTRATION_FAILED = "RegistrationFailed"
    VALIDATION_STARTED = "ValidationStarted"
    VALIDATION_ERRORED = "ValidationErrored"
    EVIDENCE_RECORDED = "EvidenceRecorded"
    VOTED = "VoteRecorded"
    DECISION_RECORDED = "DecisionRecorded"
    DECISION_REFUSED = "DecisionRefused"
    STATEMENT_REPEATED = "StatementRepeated"
    REMINDED = "Reminded"
    EXPIRED = "Expired"
    ANNOTATED = "Annotated"
    REGISTRY_UPDATED = "RegistryUpdated"
    REGISTRY_REVERTED = "RegistryReverted"
    REGISTRY_OBSERVED = "RegistryObserved"
    ENFORCEMENT_CHANGED = "EnforcementChanged"
    SUBJECT_CHANGED = "SubjectChanged"
    MODEL_CREATED = "ModelCreated"
    MODEL_RETIRED = "ModelRetired"
    RETIREMENT_BLOCKED = "RetirementBlocked"
    SUPERSEDED = "Superseded"
    REINSTATED = "Reinstated"
    DEPLOYMENT_FAILED = "DeploymentFailed"
    IMAGE_FINDINGS_CHANGED = "ImageFindingsChanged"
    PACKAGE_DELETED = "PackageDeleted"
    BASELINE_DEPLOYED = "BaselineDeployed"
    BASELINE_RETIRED = "BaselineRetired"


class Status(StrEnum):
    """The status of a package."""

    VALIDATING = "Validating"
    VALIDATION_ERRORED = "ValidationErrored"
    VALIDATION_FAILED = "ValidationFailed"
    PENDING_APPROVAL = "PendingApproval"
    APPROVED = "Approved"
    REJECTED = "Rejected"
    REVOKED = "Revoked"
    DELETED = "Deleted"


class Step(StrEnum):
    """The next automatic step of a package; `sweep` triggers it when its event got lost."""

    VALIDATE = "validate"
    FINISH_VALIDATION = "finish_validation"
    UPDATE_REGISTRY = "update_registry"
    CREATE_MODEL = "create_model"
    RETIRE_MODEL = "retire_model"


class Stage(StrEnum):
    """The stages of notifications: each has an SNS topic of its own."""

    REGISTRATIONS = "registrations"
    APPROVALS = "approvals"
    DECISIONS = "decisions"
    DEPLOYMENTS = "deployments"


REGISTRY_STATUS = {
    Status.VALIDATING: "PendingManualApproval",
    Status.VALIDATION_ERRORED: "PendingManualApproval",
    Status.PENDING_APPROVAL: "PendingManualApproval",
    Status.VALIDATION_FAILED: "Rejected",
    Status.REJECTED: "Rejected",
    Status.REVOKED: "Rejected",
    Status.APPROVED: "Approved",
}
DECIDED_STATUS = {
    "approve": Status.APPROVED,
    "reject": Status.REJECTED,
    "revoke": Status.REVOKED,
    "reopen": Status.PENDING_APPROVAL,
    "rollback": Status.APPROVED,
}
VERDICT_STATUS = {"passed": Status.PENDING_APPROVAL, "failed": Status.VALIDATION_FAILED}

BREAK_GLASS = "Break Glass Used"


@dataclass(frozen=True)
class Effect:
    """The effect of an entry.

    `status` is the package's new status (None: unchanged), `events` are the detail-types of its events on the bus, and
    `stages` those of its notifications, one each, in their order.
    """

    status: Status | None = None
    events: tuple[str, ...] = ()
    stages: tuple[Stage, ...] = ()


def _evidence(details: Mapping[str, Any]) -> Effect:
    status = VERDICT_STATUS[details["verdict"]]
    if status is Status.PENDING_APPROVAL:
        return Effect(status, ("Validation Completed", "Approval Requested"), (Stage.APPROVALS,))
    return Effect(status, ("Validation Completed",), (Stage.REGISTRATIONS,))


def _vote(details: Mapping[str, Any]) -> Effect:
    """Return the effect of a vote: one that joins a decision needs no further approvals."""
    return Effect(None, ("Vote Recorded",), (Stage.DECISIONS if details.get("joins") else Stage.APPROVALS,))


def _decision(details: Mapping[str, Any]) -> Effect:
    """Return the effect of a decision. Approvers are notified if it needs them, or was made alone (break glass)."""
    status, alone = DECIDED_STATUS[details["decision"]], details.get("break_glass")
    approvers = (Stage.APPROVALS,) if alone or status is Status.PENDING_APPROVAL else ()
    events = ("Decision Recorded", BREAK_GLASS) if alone else ("Decision Recorded",)
    return Effect(status, events, (Stage.DECISIONS, *approvers))


EFFECTS: Mapping[Kind, Effect | Callable[[Mapping[str, Any]], Effect]] = {
    Kind.REGISTERED: Effect(Status.VALIDATING),
    Kind.REGISTRATION_FAILED: Effect(None, ("Registration Failed",), (Stage.REGISTRATIONS,)),
    Kind.VALIDATION_STARTED: Effect(Status.VALIDATING),
    Kind.VALIDATION_ERRORED: Effect(Status.VALIDATION_ERRORED, ("Validation Completed",), (Stage.REGISTRATIONS,)),
    Kind.EVIDENCE_RECORDED: _evidence,
    Kind.VOTED: _vote,
    Kind.DECISION_RECORDED: _decision,
    Kind.DECISION_REFUSED: Effect(None, ("Decision Refused",), (Stage.DECISIONS,)),
    Kind.STATEMENT_REPEATED: Effect(),
    Kind.REMINDED: Effect(None, ("Approval Reminder",), (Stage.APPROVALS,)),
    Kind.EXPIRED: Effect(Status.REJECTED, ("Approval Expired",), (Stage.APPROVALS,)),
    Kind.ANNOTATED: Effect(None, ("Package Annotated",)),
    Kind.REGISTRY_UPDATED: Effect(),
    Kind.REGISTRY_REVERTED: Effect(None, ("Registry Edit Held",), (Stage.DECISIONS,)),
    Kind.REGISTRY_OBSERVED: Effect(None, ("Registry Observed",), (Stage.DECISIONS,)),
    Kind.ENFORCEMENT_CHANGED: Effect(None, ("Enforcement Changed",), (Stage.DECISIONS,)),
    Kind.SUBJECT_CHANGED: Effect(Status.REVOKED, ("Decision Recorded",), (Stage.DECISIONS,)),
    Kind.MODEL_CREATED: Effect(None, ("Model Created",), (Stage.DEPLOYMENTS,)),
    Kind.MODEL_RETIRED: Effect(None, ("Model Retired",), (Stage.DEPLOYMENTS,)),
    Kind.RETIREMENT_BLOCKED: Effect(None, (), (Stage.DEPLOYMENTS,)),
    Kind.SUPERSEDED: Effect(None, ("Model Superseded",), (Stage.DEPLOYMENTS,)),
    Kind.REINSTATED: Effect(None, ("Model Reinstated",), (Stage.DEPLOYMENTS,)),
    Kind.DEPLOYMENT_FAILED: Effect(None, ("Deployment Failed",), (Stage.DEPLOYMENTS,)),
    Kind.IMAGE_FINDINGS_CHANGED: Effect(None, ("Image Findings Changed",), (Stage.DEPLOYMENTS,)),
    Kind.PACKAGE_DELETED: Effect(Status.DELETED, ("Package Deleted",), (Stage.DEPLOYMENTS,)),
    Kind.BASELINE_DEPLOYED: Effect(None, ("Baseline Deployed",), (Stage.DEPLOYMENTS,)),
    Kind.BASELINE_RETIRED: Effect(None, ("Baseline Retired",), (Stage.DEPLOYMENTS,)),
}


@dataclass(frozen=True)
class Draft:
    """An entry before it is added to the chain. `actor` is an ARN, or `signoff` for automatic steps."""

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
    def effect(self) -> Effect:
        """Its effect."""
        row = EFFECTS[self.kind]
        return row if isinstance(row, Effect) else row(self.details)

    @property
    def arn(self) -> str | None:
        """The package's ARN, or None where the entry is about a submission or an unknown package."""
        return package_of(self.package)[0]

    @property
    def about(self) -> str:
        """The package's ARN, as far as it is one; or else the submission's prefix, or the group."""
        return self.arn or str(self.details.get("package") or self.package.partition(":")[2])


def package_of(key: str) -> tuple[str, str] | tuple[None, None]:
    """Return the ARN and the creation time in a `key` made by `package_key`, or twice None for any other key."""
    arn, _, created = key.rpartition("@")
    return (arn, created) if arn.startswith("arn:") else (None, None)
