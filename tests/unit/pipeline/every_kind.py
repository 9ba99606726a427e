"""A ledger with an entry of every kind, and a piece of evidence, without one sentence of Signoff's own in them."""

from __future__ import annotations

from typing import Any

from signoff.aws.dynamodb import from_item
from signoff.aws.ledger_items import entry_item, package_row_item
from signoff.documents.canonical_json import digest
from signoff.ledger.entries import Draft, Entry, Kind
from signoff.model_package.subject import subject, subject_digest
from signoff.validation.checks import Check, CheckStatus
from signoff.validation.evidence import Attempt, Facts, document, said_of_itself
from tests.support.entries import (
    APPROVER,
    ARN,
    PACKAGE,
    SUBMITTER,
    annotated,
    blocked,
    decided,
    deleted,
    errored,
    evidence,
    history,
    model_created,
    model_retired,
    refused,
    registered,
    reverted,
    started,
    subject_changed,
    updated,
)
from tests.support.golden import as_json
from tests.unit.pipeline.accounts import published, put_on_the_bus

OTHER, PLACE = ARN.replace("/3", "/4"), "222222222222/eu-west-1"
STACK = "arn:aws:cloudformation:us-east-1:123456789012:stack/Churn/1"
MODEL = {"name": "base", "arn": "arn:aws:sagemaker:us-east-1:123456789012:model/base"}
WAITED = {"waiting_since": "2026-03-02T09:15:20.000Z", "policy": "p" * 64}


def _voted(**said: Any) -> Draft:
    return Draft(Kind.VOTED, APPROVER, {"decision": "approve", "reason": "because", "evidence": "e" * 64, **said})


def _alone() -> Draft:
    return Draft(Kind.DECISION_RECORDED, APPROVER, {**decided("approve").details, "break_glass": True, "votes": ["a"]})


def _of(kind: Kind, **details: Any) -> Draft:
    return Draft(kind, "signoff", details)


def _repeated() -> Draft:
    said = {"decision": "approve", "reason": "because", "channel": "proof", "id": "1" * 64, "proof": "2" * 64}
    return Draft(Kind.STATEMENT_REPEATED, APPROVER, said)


EVERY_KIND = (
    Draft(Kind.REGISTRATION_FAILED, "signoff", {"group": "Churn", "faults": [], "fault_count": 0}),
    registered(metadata={"team": "größe"}),
    started(),
    errored(),
    started(2, "x2"),
    evidence("failed", attempt=2),
    started(3, "x3"),
    evidence("passed", attempt=3, submitter=SUBMITTER),
    _of(Kind.REMINDED, reminder="P7D", extended=False, **WAITED),
    _of(Kind.REMINDED, reminder=None, extended=True, **WAITED),
    _of(Kind.EXPIRED, after="P14D", **WAITED),
    decided("reopen"),
    annotated("gpu", removed=("team",), ticket="CHG-1"),
    reverted("Approved"),
    refused(),
    _repeated(),
    _voted(roles=["risk"]),
    decided("approve", SUBMITTER),
    _voted(joins=True),
    updated("Approved"),
    _of(Kind.MODEL_CREATED, model={"name": "churn-v3", "arn": "arn:churn-v3"}, places=[PLACE]),
    _of(Kind.DEPLOYMENT_FAILED, place=PLACE, because="because"),
    _of(Kind.MODEL_CREATED, model={"name": "churn-v3", "arn": "arn:there"}, place=PLACE),
    _of(
        Kind.IMAGE_FINDINGS_CHANGED,
        images=[{"image": "i@sha256:1", "refused": 1, "scan": {"completed": "t"}, "findings": [{"id": "CVE-1"}]}],
        found=["CVE-1"],
        block_at="HIGH",
        policy="p" * 64,
        evidence="e" * 64,
    ),
    _of(Kind.SUPERSEDED, by=OTHER, by_version=4, model="arn:churn-v4"),
    _of(Kind.REINSTATED, after=OTHER, after_version=4, model="arn:churn-v3"),
    decided("revoke"),
    blocked("live"),
    model_retired(),
    _of(Kind.MODEL_RETIRED, model="churn-v3", place=PLACE),
    decided("reject"),
    _alone(),
    decided("rollback"),
    model_created(),
    subject_changed(),
    _of(Kind.ENFORCEMENT_CHANGED, enforced=False, policy="p" * 64),
    _of(Kind.REGISTRY_OBSERVED, found="Approved", last_modified_by=APPROVER, last_modified=None),
    deleted(),
    Draft(Kind.BASELINE_DEPLOYED, STACK, {"group": "Churn", "model": MODEL, "request": "1", "review": "pull/7"}),
    Draft(Kind.BASELINE_RETIRED, STACK, {"group": "Churn", "model": MODEL, "request": "2"}),
)


def ledger_of_every_kind() -> list[Any]:
    """Return for each entry how it is kept, what is announced of it, and what the ledger comes to with it."""
    return [_told(number, entry) for number, entry in enumerate(history(*EVERY_KIND).entries, start=1)]


def _told(number: int, entry: Entry) -> dict[str, Any]:
    so_far = history(*EVERY_KIND[:number])
    return {
        "item": entry_item(entry),
        "events": put_on_the_bus(entry),
        "notifications": published(entry),
        "index": as_json(from_item(package_row_item(so_far))),
        "next_step": so_far.state.next_step,
    }


def prose_free_evidence() -> dict[str, Any]:
    """Return a subject and the evidence that opens with it, each with its digest."""
    container = {"Image": "repository:1", "ModelDataUrl": "s3://vault/models/churn/r1/model.tar.gz"}
    copies = [
        {"url": f"s3://vault/{name}", "key": name, "version_id": f"{name}-1", "sha256": name * 64, "size": 1}
        for name in ("b", "a")
    ]
    described = {"InferenceSpecification": {"Containers": [container]}, "ModelPackageDescription": "not deployed"}
    signed = subject(described, {"policy": {}, "manifest": {}}, {"repository:1": "repository@sha256:1"}, copies)
    attempt = Attempt(PACKAGE, "Churn", 3, 1, "x1", "2026-03-02T09:15:20.000Z")
    facts = Facts(**said_of_itself(described), comparison={})
    checks = [Check("artifact:a", CheckStatus.PASSED, "because"), Check("metrics", CheckStatus.SKIPPED, "because")]
    said = document(attempt, signed, checks, copies, facts, policy="p" * 64, submitter=SUBMITTER, registration="r1")
    return {"subject": subject_digest(signed), "document": said, "sha256": digest(said)}
