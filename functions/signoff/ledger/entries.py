"""What a ledger's entries are: their kinds, and where packages come to stand by them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What an entry says has happened."""

    REGISTERED = "Registered"
    REGISTRATION_FAILED = "RegistrationFailed"
    VALIDATION_STARTED = "ValidationStarted"
    VALIDATION_ERRORED = "ValidationErrored"
    EVIDENCE_RECORDED = "EvidenceRecorded"
    VOTED = "VoteRecorded"
    DECISION_RECORDED = "DecisionRecorded"
    DECISION_REFUSED = "DecisionRefused"
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
DECIDED_STATUS = {
    "approve": Status.APPROVED,
    "reject": Status.REJECTED,
    "revoke": Status.REVOKED,
    "reopen": Status.PENDING_APPROVAL,
    "rollback": Status.APPROVED,
}
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


def package_of(key: str) -> tuple[str, str] | tuple[None, None]:
    """Return the ARN and the creation time that `package_key` made `key` of, or twice None for any other key."""
    arn, _, created = key.rpartition("@")
    return (arn, created) if arn.startswith("arn:") else (None, None)
