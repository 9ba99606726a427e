"""A registry of any size in memory, for the command to read: groups of many versions, and ledgers of many entries."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from moto import mock_aws

from benchmarks.memory_tables import MemoryTables, Table, count_calls
from signoff.aws.clients import client
from signoff.aws.dynamodb import to_item
from signoff.aws.ledger_items import entry_item, package_row
from signoff.documents import timestamps
from signoff.ledger.entries import Draft, Kind
from signoff.ledger.history import History, package_key

ARN = "arn:aws:sagemaker:eu-west-1:123456789012:model-package"
SUBMITTER, APPROVER = "arn:aws:iam::123456789012:user/sam", "arn:aws:iam::123456789012:user/ann"
START = datetime(2026, 3, 2, tzinfo=UTC)
_POLICY = {"deployment": {"execution_role": "arn:aws:iam::123456789012:role/models"}}
_OUTPUTS = {
    "ArtifactsBucket": "artifacts",
    "VaultBucket": "vault",
    "LedgerTable": "ledger",
    "PackagesTable": "packages",
    "BusName": "signoff",
    "BusArn": "arn:aws:events:eu-west-1:123456789012:event-bus/signoff",
    "ChampionPath": "/signoff/champions",
    "PolicyPath": "/signoff/policies",
}
_SERVICES = ("cloudformation", "dynamodb", "s3", "sagemaker", "ssm", "sts")
_INDEXES = {
    "by-group": ("group", "version"),
    "by-arn": ("arn", "created"),
    "by-status": ("status", "since"),
    "by-next": ("next", "since"),
    "by-deployed": ("deployed", "rank"),
    "by-rollback": ("rollback",),
}


@dataclass(frozen=True)
class Size:
    """How many groups there are, versions in the first of them, and entries in the ledger of its newest version.

    Each other group has one version. Of ten versions one is pending and one is approved and has a model.
    """

    groups: int = 1
    versions: int = 10
    entries: int = 10

    @property
    def newest(self) -> str:
        """The name of the version that has a ledger."""
        return f"churn/{self.versions}"

    @property
    def champion(self) -> int:
        """The version that was approved last."""
        return max(version for version in range(1, self.versions) if version % 10 == 1)


@dataclass
class Account:
    """What the command reads, with the `calls` that it made."""

    calls: Counter[str]
    tables: MemoryTables


@contextmanager
def account(size: Size) -> Iterator[Account]:
    """Let the command read a registry of that size while the block runs."""
    with mock_aws(), patch.dict(os.environ, {"AWS_DEFAULT_REGION": "eu-west-1"}):
        client.cache_clear()
        clients = {service: client(service) for service in _SERVICES}
        calls = count_calls(clients.values())
        tables = _tables(size)
        tables.serve(clients["dynamodb"])
        _answer(clients["cloudformation"], "DescribeStacks", lambda _: {"Stacks": [{"Outputs": _outputs()}]})
        _answer(clients["sagemaker"], "BatchDescribeModelPackage", _summaries)
        _answer(clients["sagemaker"], "DescribeModelPackage", _described)
        clients["ssm"].put_parameter(Name="/signoff/policies/default", Value=json.dumps(_POLICY), Type="String")
        clients["s3"].create_bucket(Bucket="vault", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        calls.clear()
        yield Account(calls, tables)
        client.cache_clear()


def _outputs() -> list[dict[str, str]]:
    return [{"OutputKey": key, "OutputValue": value} for key, value in _OUTPUTS.items()]


def _answer(of: Any, operation: str, answer: Any) -> None:
    def answered(params: Mapping[str, Any], **_: Any) -> tuple[Any, dict[str, Any]]:
        return SimpleNamespace(status_code=200), answer(params)

    of.meta.events.register(f"before-call.{of.meta.service_model.service_name}.{operation}", answered)


def _summaries(params: Mapping[str, Any]) -> dict[str, Any]:
    arns = json.loads(params["body"])["ModelPackageArnList"]
    return {"ModelPackageSummaries": {arn: _summary(arn) for arn in arns}}


def _described(params: Mapping[str, Any]) -> dict[str, Any]:
    return _summary(json.loads(params["body"])["ModelPackageName"])


def _summary(arn: str) -> dict[str, Any]:
    return {"ModelPackageArn": arn, "CreationTime": START, "ModelApprovalStatus": "PendingManualApproval"}


def _tables(size: Size) -> MemoryTables:
    packages = Table(("package",), _INDEXES)
    ledger = Table(("package", "sequence"), {"by-kind": ("kind", "time")})
    newest = long_ledger("churn", size.versions, size.entries)
    champion = History(_key("churn", size.champion)).extended(_approved(size.champion), START)
    ledger.put(map(entry_item, (*newest.entries, *champion.entries)))
    packages.put(map(to_item, _rows(size, newest)))
    ledger.put(map(_registered_before, packages.items))
    return MemoryTables({"packages": packages, "ledger": ledger})


def _registered_before(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of an entry in another ledger than those that are read, of another time."""
    other = {"package": {"S": f"{row['package']['S']}-before"}, "sequence": {"N": "1"}}
    return {**other, **to_item({"kind": str(Kind.REGISTERED), "time": timestamps.text(START - timedelta(days=365))})}


def _rows(size: Size, newest: History) -> Iterator[dict[str, Any]]:
    pending, rejected = package_row(_ending_as()), package_row(_ending_as(_decided("reject")))
    approved = package_row(History(_key("churn", 1)).extended(_approved(1), START))
    for version in range(1, size.versions):
        form = {0: pending, 1: approved}.get(version % 10, rejected)
        yield _row(form, "churn", version, superseded=version != size.champion)
    yield package_row(newest)
    for number in range(1, size.groups):
        yield _row(pending, f"group-{number}", 1)


def _row(form: Mapping[str, Any], group: str, version: int, *, superseded: bool = False) -> dict[str, Any]:
    moved = timestamps.text(START + timedelta(seconds=version))
    standing = {"superseded": superseded or None, "rank": f"{int(not superseded)} {moved} {version:010}"}
    deployed = {"deployed": group, "decided": moved, **standing} if "deployed" in form else {}
    names = {"package": _key(group, version), "arn": f"{ARN}/{group}/{version}", "group": group, "version": version}
    return {**form, **names, **deployed, "since": moved}


def _key(group: str, version: int) -> str:
    return package_key(f"{ARN}/{group}/{version}", START)


def _ending_as(*drafts: Draft) -> History:
    return History(_key("churn", 1)).extended([*_pending("churn", 1), *drafts], START)


def _pending(group: str, version: int) -> list[Draft]:
    facts = {"group": group, "version": version, "submitter": SUBMITTER, "registration": "r1"}
    checks = [{"name": f"metric:{number}", "status": "passed", "reason": "at least 0.9"} for number in range(20)]
    judged = {"attempt": 1, "uri": "s3://vault/evidence/e.json", "sha256": "e" * 64, "subject": "5" * 64}
    return [
        Draft(Kind.REGISTERED, "signoff", {**facts, "registry_status": "PendingManualApproval"}),
        Draft(Kind.VALIDATION_STARTED, "signoff", {"attempt": 1, "execution": "x1", "policy": "0" * 64}),
        Draft(Kind.EVIDENCE_RECORDED, "signoff", {**judged, "verdict": "passed", "checks": checks}),
    ]


def _decided(decision: str) -> Draft:
    signed = {"reason": "it is better", "evidence": "e" * 64, "subject": "5" * 64, "policy": "0" * 64}
    return Draft(Kind.DECISION_RECORDED, APPROVER, {"decision": decision, **signed})


def _approved(version: int) -> list[Draft]:
    model = {"name": f"churn-v{version}", "arn": f"arn:aws:sagemaker:eu-west-1:123456789012:model/churn-v{version}"}
    shown = Draft(Kind.REGISTRY_UPDATED, "signoff", {"status": "Approved"})
    created = Draft(Kind.MODEL_CREATED, "signoff", {"model": model})
    return [*_pending("churn", version), _decided("approve"), shown, created]


def long_ledger(group: str, version: int, entries: int) -> History:
    """Return the ledger of a pending package with that many entries, most of them decisions that were refused."""
    history = History(_key(group, version)).extended(_pending(group, version), START)
    refused = {"decision": "approve", "reason": "it is better", "refusal": "NotAnApprover", "because": "not listed"}
    return history.extended([Draft(Kind.DECISION_REFUSED, APPROVER, refused)] * (entries - 3), START)
