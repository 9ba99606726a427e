"""What a template says about a resource is true of it."""

import json
from typing import Any
from uuid import uuid4

import pytest

from local.engine.process import Engine
from tests.support.aws import client
from tests.support.waiting import eventually


class TemplateStack:
    """A stack of one template in the engine."""

    def __init__(self, engine: Engine) -> None:
        self.name = f"stack-{uuid4().hex[:8]}"
        self._cloudformation = client(engine, "cloudformation")
        self._create = self._cloudformation.create_stack

    def deploy(self, **resources: dict[str, Any]) -> dict[str, str]:
        """Create the stack, or update it, with these resources; returns their physical ids."""
        template = {"Resources": {name: dict(resource) for name, resource in resources.items()}}
        self._create(StackName=self.name, TemplateBody=json.dumps(template))
        self._create = self._cloudformation.update_stack
        eventually(self._finished, what=f"{self.name} to be deployed")
        found = self._cloudformation.describe_stack_resources(StackName=self.name)["StackResources"]
        return {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in found}

    def _finished(self) -> bool:
        stack = self._cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]
        assert "FAILED" not in stack["StackStatus"], stack
        assert "ROLLBACK" not in stack["StackStatus"], stack
        return stack["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE")


@pytest.fixture
def stack(engine: Engine) -> TemplateStack:
    return TemplateStack(engine)


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties}


def bucket(**properties: Any) -> dict[str, Any]:
    return resource("AWS::S3::Bucket", **properties)


def test_a_bucket_is_locked_and_keeps_for_as_long_as_the_template_says(engine: Engine, stack: TemplateStack) -> None:
    s3 = client(engine, "s3")
    rule = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 3}}
    locked = bucket(
        ObjectLockEnabled=True,
        ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule},
        VersioningConfiguration={"Status": "Enabled"},
    )

    name = stack.deploy(Bucket=locked)["Bucket"]

    found = s3.get_object_lock_configuration(Bucket=name)["ObjectLockConfiguration"]
    version = s3.put_object(Bucket=name, Key="k", Body=b"")["VersionId"]
    assert found == {"ObjectLockEnabled": "Enabled", "Rule": rule}
    assert s3.get_object_retention(Bucket=name, Key="k", VersionId=version)["Retention"]["Mode"] == "GOVERNANCE"


def test_a_buckets_life_cycle_is_the_templates_and_so_is_its_next(engine: Engine, stack: TemplateStack) -> None:
    s3 = client(engine, "s3")
    abort = {"Id": "abort", "Status": "Enabled", "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}}
    expire = {"Id": "expire", "Status": "Enabled", "Prefix": "tmp/", "ExpirationInDays": 2}
    tag = {"Key": "kept", "Value": "no"}
    tagged = {**expire, "Id": "tagged", "TagFilters": [tag]}

    name = stack.deploy(Bucket=bucket(LifecycleConfiguration={"Rules": [abort]}))["Bucket"]
    first = s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
    stack.deploy(Bucket=bucket(LifecycleConfiguration={"Rules": [expire, tagged]}))
    second = s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]

    assert [(rule["ID"], rule["AbortIncompleteMultipartUpload"]) for rule in first] == [
        ("abort", {"DaysAfterInitiation": 7})
    ]
    assert [(rule["ID"], rule["Expiration"]) for rule in second] == [("expire", {"Days": 2}), ("tagged", {"Days": 2})]
    assert second[0]["Filter"] == {"Prefix": "tmp/"}
    assert (second[1]["Filter"]["And"]["Prefix"], second[1]["Filter"]["And"]["Tags"]) == ("tmp/", [tag])


@pytest.mark.parametrize("algorithm", ["AES256", "aws:kms"])
def test_a_bucket_may_be_encrypted_with_a_key_of_s3s(engine: Engine, stack: TemplateStack, algorithm: str) -> None:
    rule = {"ServerSideEncryptionByDefault": {"SSEAlgorithm": algorithm}, "BucketKeyEnabled": False}

    name = stack.deploy(Bucket=bucket(BucketEncryption={"ServerSideEncryptionConfiguration": [rule]}))["Bucket"]

    s3 = client(engine, "s3")
    s3.put_object(Bucket=name, Key="k", Body=b"body")
    assert s3.get_object(Bucket=name, Key="k")["Body"].read() == b"body"


def test_a_bucket_notifies_eventbridge_of_uploads_by_its_own_property(engine: Engine, stack: TemplateStack) -> None:
    notify = {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}

    name = stack.deploy(Bucket=bucket(NotificationConfiguration=notify))["Bucket"]

    found = client(engine, "s3").get_bucket_notification_configuration(Bucket=name)
    assert "EventBridgeConfiguration" in found


def test_a_function_has_the_concurrency_and_the_dead_letters_that_the_template_says(
    engine: Engine, stack: TemplateStack
) -> None:
    role = f"arn:aws:iam::{engine.account}:role/any"
    code = {"ZipFile": "def handler(event, context): return 1"}
    queue = resource("AWS::SQS::Queue")
    function = resource(
        "AWS::Lambda::Function",
        Runtime="python3.13",
        Handler="index.handler",
        Role=role,
        Code=code,
        ReservedConcurrentExecutions=3,
        DeadLetterConfig={"TargetArn": {"Fn::GetAtt": ["Queue", "Arn"]}},
    )

    name = stack.deploy(Queue=queue, Function=function)["Function"]

    functions = client(engine, "lambda")
    assert functions.get_function_concurrency(FunctionName=name)["ReservedConcurrentExecutions"] == 3
    dead_letters = functions.get_function_configuration(FunctionName=name)["DeadLetterConfig"]["TargetArn"]
    assert dead_letters.startswith("arn:aws:sqs:")


def test_a_table_can_be_restored_and_has_a_policy(engine: Engine, stack: TemplateStack) -> None:
    statement = {"Effect": "Deny", "Principal": "*", "Action": "dynamodb:DeleteItem", "Resource": "*"}
    table = resource(
        "AWS::DynamoDB::Table",
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
        ResourcePolicy={"PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}},
    )

    name = stack.deploy(Table=table)["Table"]

    dynamodb = client(engine, "dynamodb")
    backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    arn = dynamodb.describe_table(TableName=name)["Table"]["TableArn"]
    policy = json.loads(dynamodb.get_resource_policy(ResourceArn=arn)["Policy"])
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    assert policy["Statement"] == [statement]


def test_a_bus_has_the_policy_of_the_template(engine: Engine, stack: TemplateStack) -> None:
    events, name = client(engine, "events"), f"bus-{uuid4().hex[:8]}"
    statement = {"Effect": "Deny", "Principal": "*", "Action": "events:PutEvents", "Resource": "*"}

    def bus(*sids: str) -> dict[str, Any]:
        document = {"Version": "2012-10-17", "Statement": [{"Sid": sid, **statement} for sid in sids]}
        return resource("AWS::Events::EventBus", Name=name, Policy=document)

    def sids() -> list[str]:
        document = json.loads(events.describe_event_bus(Name=name)["Policy"])
        return [each["Sid"] for each in document["Statement"]]

    stack.deploy(Bus=bus("One", "Two"))
    both = sids()
    stack.deploy(Bus=bus("One"))

    assert (both, sids()) == (["One", "Two"], ["One"])


def test_a_queue_has_the_policy_of_the_template(engine: Engine, stack: TemplateStack) -> None:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    policy = resource("AWS::SQS::QueuePolicy", Queues=[{"Ref": "Queue"}], PolicyDocument=document)

    url = stack.deploy(Queue=resource("AWS::SQS::Queue"), Policy=policy)["Queue"]

    attributes = client(engine, "sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]
    assert json.loads(attributes["Policy"]) == document
