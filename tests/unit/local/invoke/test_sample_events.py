"""The sample events: whole EventBridge events, of the documented shape, that the functions take.

S3: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
SageMaker: https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
"""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import aws_xray_sdk.core  # noqa: F401 - opens the socket it would send traces to, and a test may open none
import boto3
import pytest
from moto import mock_aws

import apply_decision
import create_model
import keep_signature
import register_model
import sweep
from local.invoke.sample_events import names, queue_batch, sample, stream_batch
from signoff.approval import annotations, decisions
from signoff.aws import clients
from signoff.aws.dynamodb import from_item
from signoff.aws.sqs import REGISTRY_EVENT, UPLOAD_EVENT
from signoff.errors import ProofRefused
from signoff.identity import proofs
from signoff.ledger.entries import Entry, Kind
from signoff.notification.announcements import ANNOTATION, DECISION, announcements
from signoff.runtime.clock import utc_now

ENVELOPE = ["version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"]
UPDATED = {"ModelApprovalStatus", "ApprovalDescription", "CustomerMetadataProperties"}
OUTPUTS = {"ArtifactsBucket": "artifacts", "VaultBucket": "vault"}
BUS = "arn:aws:events:us-east-1:123456789012:event-bus/signoff"
QUEUE = "arn:aws:sqs:us-east-1:123456789012:inbox"
CONTEXT = SimpleNamespace(
    function_name="function", memory_limit_in_mb=512, invoked_function_arn="arn:aws:lambda:::x", aws_request_id="1"
)
HANDLERS = {
    UPLOAD_EVENT: [register_model, keep_signature],
    REGISTRY_EVENT: [apply_decision, create_model],
    DECISION: [apply_decision],
    ANNOTATION: [apply_decision],
    "Decision Recorded": [create_model],
    "Model Superseded": [apply_decision],
    "Scheduled Event": [sweep],
}
EVENTS = {name: sample(name, OUTPUTS) for name in names()}
TAKEN = [(name, module) for name, event in EVENTS.items() for module in HANDLERS[event["detail-type"]]]


def of(detail_type: str) -> list[Any]:
    return [pytest.param(event, id=name) for name, event in EVENTS.items() if event["detail-type"] == detail_type]


@pytest.mark.parametrize("name", EVENTS)
def test_every_sample_is_a_whole_event(name):
    event = EVENTS[name]

    assert list(event) == ENVELOPE
    assert event["version"] == "0"
    assert str(UUID(event["id"])) == event["id"]
    assert event["account"] == "123456789012"
    assert event["region"] == "us-east-1"
    assert datetime.strptime(event["time"], "%Y-%m-%dT%H:%M:%SZ")  # noqa: DTZ007 - the pattern has the Z
    assert all(resource.startswith("arn:aws:") for resource in event["resources"])


def test_no_two_samples_are_the_same_event():
    assert len({event["id"] for event in EVENTS.values()}) == len(EVENTS)


@pytest.mark.parametrize("event", of(UPLOAD_EVENT))
def test_an_upload_has_what_s3_documents(event):
    detail = event["detail"]

    assert event["source"] == "aws.s3"
    assert event["resources"] == [f"arn:aws:s3:::{detail['bucket']['name']}"]
    assert set(detail) >= {"version", "bucket", "object", "request-id", "requester", "source-ip-address", "reason"}
    assert set(detail["object"]) == {"key", "size", "etag", "version-id", "sequencer"}
    assert re.fullmatch(r"[0-9A-F]+", detail["object"]["sequencer"])
    assert detail["reason"] == ("CompleteMultipartUpload" if "-" in detail["object"]["etag"] else "PutObject")


@pytest.mark.parametrize("event", of(REGISTRY_EVENT))
def test_a_registry_event_has_what_sagemaker_documents(event):
    detail = event["detail"]

    assert event["source"] == "aws.sagemaker"
    assert event["resources"] == [detail["ModelPackageArn"]]
    assert detail["ModelPackageArn"].endswith(f"/{detail['ModelPackageGroupName']}/{detail['ModelPackageVersion']}")
    assert detail["ModelPackageStatus"] == "Completed"
    assert detail["ModelPackageStatusDetails"] == {"ValidationStatuses": [], "ImageScanStatuses": []}
    assert detail["CreationTime"] <= detail["LastModifiedTime"] == event["time"]
    assert set(detail.get("UpdatedModelPackageFields", ())) <= UPDATED
    (container,) = detail["InferenceSpecification"]["Containers"]
    assert container["Image"].endswith(f"@{container['ImageDigest']}")


@pytest.mark.parametrize("event", [*of("Decision Recorded"), *of("Model Superseded")])
def test_what_signoff_announces_has_what_every_announcement_has(event):
    detail = event["detail"]
    decided = {"decision": detail["decision"]} if "decision" in detail else {}
    entry = Entry(detail["package"], 1, "t", Kind(detail["entry"]), "a", "g", 1, decided, "", "")

    assert (event["source"], event["resources"]) == ("signoff", [])
    assert [each.type for each in announcements(entry)] == [event["detail-type"]]
    assert set(event["detail"]) > set(announcements(entry)[0].detail)


@pytest.mark.parametrize("event", of(DECISION))
def test_a_decision_says_what_by_whom_and_why(event):
    assert event["source"] != "signoff"
    assert event["resources"] == [event["detail"]["package"]]
    decision = decisions.parse(event["detail"])
    assert (decision.package, decision.reason) == (event["detail"]["package"], event["detail"]["reason"])


@pytest.mark.parametrize("event", [*of(DECISION), *of(ANNOTATION)])
def test_a_statement_is_signed_for_the_bus_and_the_sts_of_its_region_at_its_time(event):
    kind = {DECISION: "decision", ANNOTATION: "annotation"}[event["detail-type"]]
    sts = "https://sts.us-east-1.amazonaws.com"
    claim = proofs.read(event["detail"], kind=kind, audience=BUS, endpoint=sts, region="us-east-1")
    assert claim.proof.signed_at == datetime.fromisoformat(event["time"])
    with pytest.raises(ProofRefused, match="sign again"):
        proofs.check_fresh(claim, utc_now())


@pytest.mark.parametrize("event", of(ANNOTATION))
def test_an_annotation_is_one_that_the_pipeline_reads(event):
    assert event["source"] != "signoff"
    assert event["resources"] == [event["detail"]["package"]]
    annotation = annotations.parse(event["detail"])
    assert (annotation.set, list(annotation.remove)) == (event["detail"]["set"], event["detail"]["remove"])


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An account with buckets and tables and nothing in them, and the functions' environment."""
    for name, value in _environment().items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        _furnish()
        _forget()
        yield boto3.client("dynamodb")
        _forget()


def _environment() -> dict[str, str]:
    names = ("artifacts_bucket", "vault_bucket", "ledger_table", "packages_table", "submissions_table")
    queues = {f"SIGNOFF_{name}_QUEUE_URL": f"https://sqs/{name}" for name in ("REGISTER", "DECISION", "DEPLOY")}
    machine = "arn:aws:states:us-east-1:123456789012:stateMachine:validation"
    return {
        **{f"SIGNOFF_{name.upper()}": name.split("_")[0] for name in names},
        **queues,
        "SIGNOFF_REGISTRY": "arn:aws:sagemaker:us-east-1:123456789012",
        "SIGNOFF_REGISTRAR": "arn:aws:iam::123456789012:role/Signoff-RegisterModelRole",
        "SIGNOFF_BUS": BUS,
        "SIGNOFF_KEEP_SIGNATURE": "Signoff-KeepSignature",
        "SIGNOFF_LOCK_MODE": "GOVERNANCE",
        "SIGNOFF_SWEEP_CALLS": "43",
        "SIGNOFF_POLICY_PATH": "/signoff/policies",
        "SIGNOFF_CHAMPION_PATH": "/signoff/champions",
        "SIGNOFF_APPROVED_RETENTION_DAYS": "1",
        "SIGNOFF_VALIDATION_ARN": machine,
        "AWS_DEFAULT_REGION": "us-east-1",
        "POWERTOOLS_SERVICE_NAME": "signoff",
        "POWERTOOLS_METRICS_NAMESPACE": "Signoff",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }


def _furnish() -> None:
    for bucket in OUTPUTS.values():
        boto3.client("s3").create_bucket(Bucket=bucket)
    keys = {
        "ledger": [("package", "S"), ("sequence", "N")],
        "packages": [("package", "S")],
        "submissions": [("submission", "S")],
    }
    indexes = {
        "packages": {"by-next": ("next", "since"), "by-status": ("status", "since"), "by-arn": ("arn", "created")}
    }
    for table, key in keys.items():
        _create_table(table, key, indexes.get(table, {}))


def _create_table(table: str, key: list[tuple[str, str]], indexes: dict[str, tuple[str, str]]) -> None:
    attributes = dict(key) | {name: "S" for pair in indexes.values() for name in pair}
    more: Any = {}
    if indexes:
        more["GlobalSecondaryIndexes"] = [
            {"IndexName": index, "KeySchema": _schema(pair), "Projection": {"ProjectionType": "ALL"}}
            for index, pair in indexes.items()
        ]
    boto3.client("dynamodb").create_table(
        TableName=table,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": kind} for name, kind in attributes.items()],
        KeySchema=_schema([name for name, _ in key]),
        **more,
    )


def _schema(names: Any) -> list[dict[str, str]]:
    return [{"AttributeName": name, "KeyType": kind} for name, kind in zip(names, ("HASH", "RANGE"), strict=False)]


def _forget() -> None:
    """Forget the clients of another account."""
    for made in (
        clients.client,
        register_model._registrar,
        register_model._signature_keeper,
        keep_signature._keeper,
        apply_decision._decision_handler,
        apply_decision._annotation_handler,
    ):
        made.cache_clear()
    for made in (create_model._deployer, sweep._sweep):
        made.cache_clear()


@pytest.mark.parametrize(("name", "module"), TAKEN, ids=[f"{module.__name__}-{name}" for name, module in TAKEN])
def test_a_function_takes_every_sample_of_its_queue(account, name, module):
    answer = module.handler(queue_batch(EVENTS[name], QUEUE), CONTEXT)

    assert answer == {"batchItemFailures": []}


def test_an_event_that_is_none_is_left_for_another_try(account):
    answer = register_model.handler(queue_batch({"id": "1", "region": "us-east-1"}, QUEUE), CONTEXT)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "1"}]}


def test_what_a_decision_says_is_what_the_ledger_keeps(account):
    event = EVENTS["decision_unknown_package"]
    apply_decision.handler(queue_batch(event, QUEUE), CONTEXT)
    entries = [from_item(item) for item in account.scan(TableName="ledger")["Items"]]
    entry = next(entry for entry in entries if event["detail"]["package"] in entry["details"])
    details = json.loads(entry["details"])

    assert (entry["kind"], details["package"]) == ("DecisionRefused", event["detail"]["package"])
    assert (entry["actor"], details["reason"]) == ("unknown", event["detail"]["reason"])
    assert event["detail"]["proof"] not in entry["details"]


def test_a_sample_stands_in_the_buckets_of_the_stack():
    bodies = json.dumps(EVENTS)

    assert EVENTS["s3_model_uploaded"]["detail"]["bucket"]["name"] == "artifacts"
    assert "s3://vault/" in bodies
    assert "signoff-artifacts" not in bodies
    assert "holiday-pictures" in bodies


def test_a_stream_batch_carries_each_new_image_in_order():
    batch = stream_batch([{"sequence": {"N": "1"}}, {"sequence": {"N": "2"}}], "arn:aws:dynamodb:eu-west-1:1:table/t")

    assert [record["dynamodb"]["NewImage"]["sequence"]["N"] for record in batch["Records"]] == ["1", "2"]
    assert {record["awsRegion"] for record in batch["Records"]} == {"eu-west-1"}
