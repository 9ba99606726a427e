"""`signoff audit` on the deployed pipeline: by somebody who may only read, of what somebody did who may do anything."""

import contextlib
import csv
import io
import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError

from signoff.aws.dynamodb import to_item
from signoff.aws.ledger_items import entry_item, package_row_item
from signoff.documents.canonical_json import canonical
from signoff.ledger import checkpoints
from tests.support import commands
from tests.support.groups import Group, Package
from tests.support.pipeline import Pipeline
from tests.support.waiting import eventually


@dataclass(frozen=True)
class Audited:
    """A group with an approved package, its model and its heads; and the keys of a user with the auditor's policy."""

    group: Group
    package: Package
    keys: dict[str, str]

    @property
    def pipeline(self) -> Pipeline:
        return self.group.pipeline

    @property
    def key(self) -> str:
        return self.pipeline.history(self.package.arn).package

    def signoff(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command as the auditor."""
        settings = self.pipeline.stack.engine.environment("approver") | self.keys
        return commands.signoff(["audit", *arguments], settings, self.pipeline.stack.request_faults)

    def client(self, service: str) -> Any:
        """A client of the engine with the auditor's keys."""
        engine = self.pipeline.stack.engine
        names = {"AWS_ACCESS_KEY_ID": "aws_access_key_id", "AWS_SECRET_ACCESS_KEY": "aws_secret_access_key"}
        keys = {names[name]: value for name, value in self.keys.items()}
        return boto3.client(service, endpoint_url=engine.url, region_name=engine.region, **keys)

    def found(self, *arguments: str) -> dict[str, int | None]:
        """Verify the group and return the findings' names, each with the first entry that does not fit."""
        said = self.signoff(self.group.name, "--verify", "--json", *arguments)
        findings = json.loads(said.stdout)["findings"]
        assert said.returncode == bool(findings), said.stderr
        return {finding["finding"]: finding["entry"] for finding in reversed(findings)}


def auditor(pipeline: Pipeline) -> dict[str, str]:
    """Make a user who has the stack's auditor policy and nothing else, and return its keys as settings."""
    iam, name = pipeline.aws("iam"), f"auditor-{uuid4().hex[:8]}"
    iam.create_user(UserName=name)
    iam.attach_user_policy(UserName=name, PolicyArn=pipeline.outputs["AuditorPolicyArn"])
    made = iam.create_access_key(UserName=name)["AccessKey"]
    return {"AWS_ACCESS_KEY_ID": made["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"]}


def keep_heads(pipeline: Pipeline) -> None:
    """Have the sweep write the day's heads now, whoever made it write them before."""
    s3, bucket = pipeline.aws("s3"), pipeline.outputs["VaultBucket"]
    for version in s3.list_object_versions(Bucket=bucket, Prefix=checkpoints.PREFIX).get("Versions", ()):
        which = {"Bucket": bucket, "Key": version["Key"], "VersionId": version["VersionId"]}
        s3.delete_object(**which, BypassGovernanceRetention=True)
    assert pipeline.invoke("Sweep", {"task": "heads"}) == {"heads": 1}


@pytest.fixture(scope="module")
def audited(pipeline: Pipeline) -> Audited:
    group = Group(pipeline, f"audited-{uuid4().hex[:8]}")
    package = group.pending()
    package.approve()
    keep_heads(pipeline)
    return Audited(group, package, auditor(pipeline))


def test_what_was_honestly_decided_fits(audited: Audited) -> None:
    said = audited.signoff(audited.group.name, "--verify", "--bytes")
    assert (said.returncode, said.stderr) == (0, "")
    entries = len(audited.package.entries())
    assert said.stdout.startswith(f"verified: 1 package, {entries} entries, ")


def test_it_says_who_decided_what_on_which_evidence_and_how_that_is_known(audited: Audited) -> None:
    text = audited.signoff(f"{audited.group.name}/1")
    (document,) = json.loads(audited.signoff(audited.package.arn, "--json").stdout)
    (row,) = csv.DictReader(io.StringIO(audited.signoff(audited.group.name, "--csv").stdout))
    approver, evidence = audited.pipeline.user("approver"), (audited.package.state.evidence or {})["sha256"]
    (decision,) = document["decisions"]
    assert (decision["by"], decision["evidence"], decision["channel"]) == (approver, evidence, "proof")
    assert (row["by"], row["evidence"], row["proof"]) == (approver, evidence, decision["proof"])
    assert document["submitter"]["arn"] == audited.pipeline.user("submitter")
    assert f"evidence {evidence}" in text.stdout
    assert f"proof {decision['proof']}" in text.stdout


def test_the_heads_are_locked_for_as_long_as_what_was_approved(audited: Audited) -> None:
    s3, bucket = audited.pipeline.aws("s3"), audited.pipeline.outputs["VaultBucket"]
    (version,) = s3.list_object_versions(Bucket=bucket, Prefix=checkpoints.PREFIX)["Versions"]
    kept = s3.get_object_retention(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])["Retention"]
    document = json.load(s3.get_object(Bucket=bucket, Key=version["Key"])["Body"])
    assert kept["Mode"] == "GOVERNANCE"
    assert (kept["RetainUntilDate"] - version["LastModified"]).total_seconds() > 86_000
    assert audited.key in {package for package, _, _ in document["heads"]}


# What somebody does who may do anything


@contextlib.contextmanager
def other_entries(audited: Audited, items: list[dict[str, Any]]) -> Iterator[None]:
    """Have the table hold these items for the group's package, and its own ones afterwards."""
    dynamodb, table = audited.pipeline.aws("dynamodb"), audited.pipeline.outputs["LedgerTable"]
    before = [entry_item(entry) for entry in audited.pipeline.ledger.history(audited.key).entries]

    def write(written: list[dict[str, Any]]) -> None:
        for item in before:
            dynamodb.delete_item(TableName=table, Key={name: item[name] for name in ("package", "sequence")})
        for item in written:
            dynamodb.put_item(TableName=table, Item=item)

    write(items)
    try:
        yield
    finally:
        write(before)


def test_changes_of_the_table_are_found(audited: Audited) -> None:
    history = audited.pipeline.history(audited.package.arn)
    items = [entry_item(entry) for entry in history.entries]
    changed = [*items[:3], {**items[3], "actor": {"S": audited.pipeline.user("submitter")}}, *items[4:]]
    with other_entries(audited, changed):
        assert audited.found() == {"ChainBroken": 4}
    with other_entries(audited, items[:-2]):
        assert audited.found()["EntriesMissing"] == len(items) - 1
    assert audited.found() == {}
    # What somebody wrote in is announced to nobody, and set aside for a person.
    pipeline = audited.pipeline
    eventually(partial(pipeline.waiting, "Announce", "DeadLetters"), what="the entry that Announce does not believe")
    pipeline.aws("sqs").purge_queue(QueueUrl=pipeline.resource("AnnounceDeadLetters"))


def test_a_ledger_that_was_removed_with_its_row_is_found_by_the_heads(audited: Audited) -> None:
    dynamodb, table = audited.pipeline.aws("dynamodb"), audited.pipeline.outputs["PackagesTable"]
    history = audited.pipeline.history(audited.package.arn)
    with other_entries(audited, []):
        dynamodb.delete_item(TableName=table, Key=to_item({"package": history.package}))
        try:
            named, everything = audited.found(), audited.signoff("--all", "--verify")
        finally:
            dynamodb.put_item(TableName=table, Item=package_row_item(history))
    assert named == {"LedgerMissing": 1}
    assert f"LedgerMissing  {history.package}, entry 1: " in everything.stdout


def test_a_policy_that_no_deployment_wrote_is_found_and_those_of_the_stack_fit(audited: Audited) -> None:
    ssm, name = audited.pipeline.aws("ssm"), f"/signoff/policies/groups/{audited.group.name}-other"
    ssm.put_parameter(Name=name, Value="{}", Type="String")
    try:
        said = audited.signoff("--all", "--verify", "--json")
    finally:
        ssm.delete_parameter(Name=name)
    findings = {each["about"]: each["finding"] for each in json.loads(said.stdout)["findings"]}
    assert findings[name] == "PolicyNotDeployed"
    assert "PolicyDiffers" not in findings.values()


def test_a_row_of_the_index_that_says_otherwise_is_found(audited: Audited) -> None:
    dynamodb, table = audited.pipeline.aws("dynamodb"), audited.pipeline.outputs["PackagesTable"]
    row = package_row_item(audited.pipeline.history(audited.package.arn))
    dynamodb.put_item(TableName=table, Item={**row, "verdict": {"S": "failed"}})
    try:
        assert audited.found() == {"IndexDiffers": None}
    finally:
        dynamodb.put_item(TableName=table, Item=row)


@contextlib.contextmanager
def forced(audited: Audited, key: str, change: Callable[[bytes], bytes]) -> Iterator[None]:
    """Have another object under a key of the vault, and the one before afterwards."""
    s3, where = audited.pipeline.aws("s3"), {"Bucket": audited.pipeline.outputs["VaultBucket"], "Key": key}
    body = s3.get_object(**where)["Body"].read()
    version = s3.put_object(**where, Body=change(body))["VersionId"]
    try:
        yield
    finally:
        s3.delete_object(**where, VersionId=version, BypassGovernanceRetention=True)


def test_changes_of_the_vault_are_found(audited: Audited) -> None:
    evidence = audited.package.evidence()
    digest = (audited.package.state.evidence or {})["sha256"]
    forgery = canonical({**evidence, "verdict": "passed ", "checks": []})
    with forced(audited, f"evidence/{digest}.json", lambda _: forgery):
        assert audited.found()["EvidenceChanged"] == 3
    with forced(audited, f"policies/{evidence['policy']}.json", lambda body: body.replace(b":1,", b":0,")):
        assert audited.found()["PolicyChanged"] == 2
    with forced(audited, evidence["artifacts"][0]["key"], lambda _: b"other weights"):
        assert audited.found() == {"VaultChanged": 3}
    (day,) = audited.pipeline.aws("s3").list_objects_v2(
        Bucket=audited.pipeline.outputs["VaultBucket"], Prefix=checkpoints.PREFIX
    )["Contents"]
    with forced(audited, day["Key"], lambda _: canonical({"heads": []})):
        assert audited.found() == {"HeadsChanged": None}
    assert audited.found() == {}


def test_changes_of_the_registry_are_found(audited: Audited) -> None:
    sagemaker, arn = audited.pipeline.aws("sagemaker"), audited.package.arn
    before = audited.package.described()["CustomerMetadataProperties"]
    sagemaker.update_model_package(ModelPackageArn=arn, CustomerMetadataPropertiesToRemove=[checkpoints.METADATA])
    removed = audited.found()
    forged = {"signoff:verdict": "failed", checkpoints.METADATA: f"2.{'a' * 64}"}
    sagemaker.update_model_package(ModelPackageArn=arn, CustomerMetadataProperties=forged)
    changed = audited.found()
    sagemaker.update_model_package(ModelPackageArn=arn, CustomerMetadataProperties=before)
    assert (removed, changed) == ({"HeadMissing": None}, {"ChainRewritten": 2, "MetadataDiffers": None})
    assert audited.found() == {}


def test_a_status_that_was_set_by_hand_while_nobody_answers_is_found(audited: Audited) -> None:
    with audited.pipeline.without_reader("ApplyDecision"):
        audited.pipeline.aws("sagemaker").update_model_package(
            ModelPackageArn=audited.package.arn, ModelApprovalStatus="Rejected"
        )
        found = audited.found()
    audited.pipeline.quiet()
    assert (found, audited.found()) == ({"StatusDiffers": None}, {})


def test_a_model_that_was_replaced_is_found(audited: Audited) -> None:
    sagemaker, model = audited.pipeline.aws("sagemaker"), audited.package.model()
    own = {name: model[name] for name in ("ModelName", "ExecutionRoleArn", "PrimaryContainer")}
    sagemaker.delete_model(ModelName=model["ModelName"])
    gone = audited.found()
    sagemaker.create_model(**own, EnableNetworkIsolation=False)
    other = audited.found()
    sagemaker.delete_model(ModelName=model["ModelName"])
    sagemaker.create_model(**own, EnableNetworkIsolation=True)
    assert set(gone) == {"ModelMissing"}
    assert set(other) == {"ModelDiffers"}
    assert audited.found() == {}


def test_what_nobody_knows_is_no_honest_ledger(audited: Audited) -> None:
    said = audited.signoff("no-such-group", "--verify")
    assert (said.returncode, "no package or group" in said.stderr) == (1, True)


def test_who_may_audit_can_change_nothing(audited: Audited) -> None:
    outputs, item = audited.pipeline.outputs, package_row_item(audited.pipeline.history(audited.package.arn))
    writes: list[Callable[[], Any]] = [
        lambda: audited.client("dynamodb").put_item(TableName=outputs["PackagesTable"], Item=item),
        lambda: audited.client("s3").put_object(Bucket=outputs["VaultBucket"], Key="heads/2026-03-02.json", Body=b""),
        lambda: audited.client("sagemaker").update_model_package(
            ModelPackageArn=audited.package.arn, ModelApprovalStatus="Rejected"
        ),
    ]
    for write in writes:
        with pytest.raises(ClientError, match="AccessDenied"):
            write()
    assert audited.found() == {}
