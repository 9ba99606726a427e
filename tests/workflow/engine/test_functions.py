"""Lambda in the engine does what the pipeline relies on."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from local.engine.process import Engine
from tests.support.aws import client
from tests.support.functions import create_function
from tests.support.waiting import eventually

ROOT = Path(__file__).resolve().parents[3]


def invoke(engine: Engine, source: str, event: Any = None, files: dict[str, str] | None = None) -> dict[str, Any]:
    name = f"function-{uuid4().hex[:8]}"
    create_function(engine, name, {"main.py": source, **(files or {})})
    answer = client(engine, "lambda").invoke(FunctionName=name, Payload=json.dumps(event or {}))
    return {"error": answer.get("FunctionError"), "payload": json.loads(answer["Payload"].read())}


def test_an_exception_is_reported_by_its_class(engine: Engine) -> None:
    source = "class Picky(Exception): pass\ndef handler(event, context): raise Picky('not that one')"

    answer = invoke(engine, source)

    assert answer["error"] == "Unhandled"
    assert (answer["payload"]["errorType"], answer["payload"]["errorMessage"]) == ("Picky", "not that one")
    assert "main.py" in "".join(answer["payload"]["stackTrace"])


def test_a_bundle_of_sources_finds_the_locked_packages_in_the_environment(engine: Engine) -> None:
    source = "import msgspec, regex, wrapt, rfc8785\ndef handler(event, context): return msgspec.__file__"

    assert "site-packages" in invoke(engine, source)["payload"]


def test_a_compiled_package_of_the_bundle_is_taken_from_the_environment(engine: Engine) -> None:
    built_elsewhere = {"msgspec/__init__.py": "from ._core import Struct", "msgspec/_core.so": "for another processor"}
    source = "import msgspec\ndef handler(event, context): return msgspec.json.decode(b'[1]')"

    assert invoke(engine, source, files=built_elsewhere)["payload"] == [1]


@pytest.mark.parametrize("package", ["sklearn", "typer", "signoff", "local"])
def test_what_is_in_the_environment_but_not_in_the_bundle_is_not_found(engine: Engine, package: str) -> None:
    answer = invoke(engine, f"import {package}\ndef handler(event, context): return 1")

    assert package in answer["payload"]["errorMessage"]
    assert answer["error"] == "Unhandled"


def test_the_bundles_own_modules_come_before_the_projects(engine: Engine) -> None:
    files = {"signoff/__init__.py": "WHOSE = 'the bundle'"}
    source = "import signoff\ndef handler(event, context): return signoff.WHOSE"

    assert invoke(engine, source, files=files)["payload"] == "the bundle"


def test_a_request_that_aws_would_refuse_fails_in_the_function_and_is_noted(tmp_path: Path) -> None:
    functions = ROOT / "functions"
    sources = {str(path.relative_to(functions)): path.read_text() for path in (functions / "signoff").rglob("*.py")}
    source = (
        "import boto3\n"
        "def handler(event, context):\n"
        "    boto3.client('sagemaker').describe_model(ModelName='not a name')\n"
    )
    noted = tmp_path / "faults.txt"

    with Engine.start(log=tmp_path / "engine.log", faults=noted) as engine:
        answer = invoke(engine, source, files=sources)

    assert answer["payload"]["errorType"] == "ParamValidationError"
    assert "DescribeModelInput.ModelName" in noted.read_text()


def test_a_function_acts_under_its_role(engine: Engine) -> None:
    source = "import boto3\ndef handler(event, context): return boto3.client('sts').get_caller_identity()['Arn']"

    arn = invoke(engine, source)["payload"]

    assert arn.startswith(f"arn:aws:sts::{engine.account}:assumed-role/any/")


def test_one_failed_message_of_a_batch_comes_back_alone_and_ends_among_the_dead_letters(engine: Engine) -> None:
    sqs, name = client(engine, "sqs"), f"inbox-{uuid4().hex[:8]}"
    dead = sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
    redrive = {"deadLetterTargetArn": queue_arn(sqs, dead), "maxReceiveCount": "2"}
    attributes = {"RedrivePolicy": json.dumps(redrive), "VisibilityTimeout": "1"}
    inbox = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    source = (
        "def handler(event, context):\n"
        "    bad = [r['messageId'] for r in event['Records'] if r['body'] == 'bad']\n"
        "    return {'batchItemFailures': [{'itemIdentifier': i} for i in bad]}\n"
    )
    create_function(engine, name, {"main.py": source}, Timeout=1)
    client(engine, "lambda").create_event_source_mapping(
        EventSourceArn=queue_arn(sqs, inbox),
        FunctionName=name,
        BatchSize=10,
        FunctionResponseTypes=["ReportBatchItemFailures"],
        ScalingConfig={"MaximumConcurrency": 2},
    )

    for body in ("good", "bad", "good"):
        sqs.send_message(QueueUrl=inbox, MessageBody=body)

    letters = eventually(lambda: sqs.receive_message(QueueUrl=dead, WaitTimeSeconds=1).get("Messages"))
    assert [letter["Body"] for letter in letters] == ["bad"]
    assert message_count(sqs, inbox) == 0


def test_a_streams_poisoned_record_ends_at_the_failure_destination(engine: Engine) -> None:
    dynamodb, sqs, name = client(engine, "dynamodb"), client(engine, "sqs"), f"stream-{uuid4().hex[:8]}"
    failures = sqs.create_queue(QueueName=name)["QueueUrl"]
    table = dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )["TableDescription"]
    create_function(engine, name, {"main.py": "def handler(event, context): raise ValueError(len(event['Records']))"})
    client(engine, "lambda").create_event_source_mapping(
        EventSourceArn=table["LatestStreamArn"],
        FunctionName=name,
        StartingPosition="TRIM_HORIZON",
        MaximumRetryAttempts=1,
        BisectBatchOnFunctionError=True,
        FunctionResponseTypes=["ReportBatchItemFailures"],
        DestinationConfig={"OnFailure": {"Destination": queue_arn(sqs, failures)}},
    )

    dynamodb.put_item(TableName=name, Item={"k": {"S": "poison"}})

    letters = eventually(lambda: sqs.receive_message(QueueUrl=failures, WaitTimeSeconds=1).get("Messages"))
    assert json.loads(letters[0]["Body"])["DDBStreamBatchInfo"]["streamArn"] == table["LatestStreamArn"]


def queue_arn(sqs: Any, url: str) -> str:
    arn: str = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return arn


def message_count(sqs: Any, url: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(attributes[name]) for name in names)


def test_records_after_a_failed_one_wait_for_it(engine: Engine) -> None:
    dynamodb, name = client(engine, "dynamodb"), f"ordered-{uuid4().hex[:8]}"
    keys = {"KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}], "BillingMode": "PAY_PER_REQUEST"}
    keys["AttributeDefinitions"] = [{"AttributeName": "k", "AttributeType": "S"}]
    stream = {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    table = dynamodb.create_table(TableName=name, StreamSpecification=stream, **keys)["TableDescription"]
    dynamodb.create_table(TableName=f"{name}-seen", **keys)
    source = (
        "import boto3, os\n"
        "def handler(event, context):\n"
        "    table, name = boto3.client('dynamodb'), os.environ['SEEN']\n"
        "    for record in event['Records']:\n"
        "        key = record['dynamodb']['Keys']['k']\n"
        "        item = table.update_item(TableName=name, Key={'k': key}, UpdateExpression='ADD n :one',\n"
        "            ExpressionAttributeValues={':one': {'N': '1'}}, ReturnValues='ALL_NEW')['Attributes']\n"
        "        if key['S'] == 'b' and item['n']['N'] == '1':\n"
        "            return {'batchItemFailures': [{'itemIdentifier': record['dynamodb']['SequenceNumber']}]}\n"
        "    return {'batchItemFailures': []}\n"
    )
    for key in "abc":
        dynamodb.put_item(TableName=name, Item={"k": {"S": key}})
    create_function(engine, name, {"main.py": source}, Environment={"Variables": {"SEEN": f"{name}-seen"}})

    client(engine, "lambda").create_event_source_mapping(
        EventSourceArn=table["LatestStreamArn"],
        FunctionName=name,
        StartingPosition="TRIM_HORIZON",
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )

    def seen() -> dict[str, str]:
        items = dynamodb.scan(TableName=f"{name}-seen")["Items"]
        return {item["k"]["S"]: item["n"]["N"] for item in items}

    eventually(lambda: "c" in seen(), what="the record after the failed one")
    assert seen() == {"a": "1", "b": "2", "c": "1"}
