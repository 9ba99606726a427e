"""Ledgers to test with, built as Signoff builds them."""

from __future__ import annotations

from typing import Any

from signoff.ledger.entries import Draft, Kind
from signoff.ledger.history import History
from tests.support.clock import START

ARN = "arn:aws:sagemaker:us-east-1:123456789012:model-package/churn/3"
PACKAGE = f"{ARN}@2026-03-02T09:15:20.000Z"
SUBMITTER, APPROVER = "arn:aws:iam::123456789012:user/sam", "arn:aws:iam::123456789012:user/ann"
EVIDENCE = {"attempt": 1, "uri": "s3://vault/evidence/e.json", "sha256": "e" * 64, "subject": "5" * 64}


def registered(**details: Any) -> Draft:
    facts = {"group": "Churn", "version": 3, "submitter": SUBMITTER, "registration": "r1"}
    return Draft(Kind.REGISTERED, "signoff", {**facts, "registry_status": "PendingManualApproval", **details})


def started(attempt: int = 1, execution: str = "x1") -> Draft:
    details = {"attempt": attempt, "execution": execution, "policy": "p" * 64}
    return Draft(Kind.VALIDATION_STARTED, "signoff", details)


def evidence(verdict: str = "passed", **details: Any) -> Draft:
    checks = [{"name": "artifact:a", "status": verdict, "reason": "because"}]
    return Draft(Kind.EVIDENCE_RECORDED, "signoff", {**EVIDENCE, "verdict": verdict, "checks": checks, **details})


def errored() -> Draft:
    return Draft(Kind.VALIDATION_ERRORED, "signoff", {"attempt": 1, "execution": "x1", "error": "E", "cause": "c"})


def decided(decision: str, actor: str = APPROVER) -> Draft:
    details = {"decision": decision, "reason": "because", "evidence": "e" * 64, "subject": "5" * 64, "policy": "p" * 64}
    return Draft(Kind.DECISION_RECORDED, actor, details)


def updated(status: str) -> Draft:
    return Draft(Kind.REGISTRY_UPDATED, "signoff", {"status": status})


def reverted(found: str) -> Draft:
    return Draft(Kind.REGISTRY_REVERTED, "signoff", {"found": found, "restored": "?", "last_modified_by": None})


def subject_changed() -> Draft:
    return Draft(Kind.SUBJECT_CHANGED, "signoff", {"parts": ["images"], "because": "SubjectChanged: images"})


def model_created(name: str = "churn-v3") -> Draft:
    return Draft(Kind.MODEL_CREATED, "signoff", {"model": {"name": name, "arn": f"arn:{name}"}})


def model_retired(name: str = "churn-v3") -> Draft:
    return Draft(Kind.MODEL_RETIRED, "signoff", {"model": name})


def blocked(*endpoints: str) -> Draft:
    return Draft(Kind.RETIREMENT_BLOCKED, "signoff", {"model": "churn-v3", "endpoints": list(endpoints)})


def refused(name: str = "NotAnApprover") -> Draft:
    details = {"decision": "approve", "reason": "because", "refusal": name, "because": "said so"}
    return Draft(Kind.DECISION_REFUSED, APPROVER, details)


def annotated(*added: str, removed: tuple[str, ...] = (), **set_: str) -> Draft:
    details = {"set": set_, "removed": list(removed), "added": list(added), "reason": "", "annotation": "a" * 64}
    return Draft(Kind.ANNOTATED, SUBMITTER, details)


def deleted() -> Draft:
    return Draft(Kind.PACKAGE_DELETED, "signoff", {"because": "it does not exist"})


def history(*drafts: Draft, package: str = PACKAGE) -> History:
    return History(package).extended(drafts, START)


PENDING = (registered(), started(), evidence())
APPROVED = (*PENDING, decided("approve"), updated("Approved"))
