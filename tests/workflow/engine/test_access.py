"""Who may do what in the engine, once it is started with policies evaluated."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError

from local.engine.process import Engine
from local.engine.seed import seed
from tests.support.aws import client
from tests.support.functions import create_function
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine that checks signatures and evaluates policies."""
    with Engine.start(auth=True, log=tmp_path_factory.mktemp("guarded") / "engine.log") as running:
        yield running


def role(engine: Engine, *statements: dict[str, Any]) -> dict[str, str]:
    """A session of a new role with these statements, as the settings of a client."""
    iam, name = client(engine, "iam"), f"role-{uuid4().hex[:8]}"
    trusted = {"AWS": engine.account, "Service": "lambda.amazonaws.com"}
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": trusted}
    arn = iam.create_role(
        RoleName=name, Path="/team/", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": trust})
    )["Role"]["Arn"]
    policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy)
    session = client(engine, "sts").assume_role(RoleArn=arn, RoleSessionName="session")["Credentials"]
    return {
        "endpoint_url": engine.url,
        "region_name": engine.region,
        "aws_access_key_id": session["AccessKeyId"],
        "aws_secret_access_key": session["SecretAccessKey"],
        "aws_session_token": session["SessionToken"],
        "role": arn,
    }


def acting(session: dict[str, str], service: str) -> Any:
    return boto3.client(service, **{name: value for name, value in session.items() if name != "role"})


def allow(action: str, resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def denied(call: Any, **request: Any) -> bool:
    """Whether the call is denied; any other error fails the test."""
    try:
        call(**request)
    except ClientError as error:
        if "AccessDenied" in error.response["Error"]["Code"]:
            return True
        raise
    return False


def test_a_users_keys_are_checked(guarded: Engine) -> None:
    settings = guarded.environment("approver")
    forged = boto3.client(
        "sts",
        endpoint_url=guarded.url,
        region_name=guarded.region,
        aws_access_key_id=settings["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key="not the secret",
    )

    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        forged.get_caller_identity()
    assert client(guarded, "sts", "approver").get_caller_identity()["Arn"].endswith(":user/approver")


@pytest.mark.parametrize("user", ["submitter", "approver"])
def test_a_user_is_known_by_the_keys_that_follow_from_the_name(engine: Engine, user: str) -> None:
    assert client(engine, "sts", user).get_caller_identity()["Arn"] == f"arn:aws:iam::{engine.account}:user/{user}"


def test_a_role_may_do_to_a_sagemaker_resource_what_its_policy_says(guarded: Engine) -> None:
    mine, other = f"mine-{uuid4().hex[:8]}", f"other-{uuid4().hex[:8]}"
    prefix = f"arn:aws:sagemaker:us-east-1:{guarded.account}"
    session = role(
        guarded,
        allow("sagemaker:CreateModelPackageGroup", f"{prefix}:model-package-group/{mine}"),
        allow("sagemaker:CreateModelPackage", f"{prefix}:model-package/{mine}/*"),
        allow("sagemaker:DescribeModelPackage", f"{prefix}:model-package/{mine}/*"),
        allow("sagemaker:DescribeTransformJob", f"{prefix}:transform-job/{mine}"),
    )
    sagemaker = acting(session, "sagemaker")

    sagemaker.create_model_package_group(ModelPackageGroupName=mine)
    arn = sagemaker.create_model_package(ModelPackageGroupName=mine)["ModelPackageArn"]

    assert sagemaker.describe_model_package(ModelPackageName=arn)["ModelPackageVersion"] == 1
    assert denied(sagemaker.create_model_package_group, ModelPackageGroupName=other)
    assert denied(sagemaker.create_model_package, ModelPackageGroupName=other)
    assert denied(sagemaker.update_model_package, ModelPackageArn=arn, ApprovalDescription="x")
    assert denied(sagemaker.describe_transform_job, TransformJobName=other)
    with pytest.raises(ClientError, match="Could not find requested job"):
        sagemaker.describe_transform_job(TransformJobName=mine)


def test_a_policy_may_depend_on_the_approval_status(guarded: Engine) -> None:
    group = f"group-{uuid4().hex[:8]}"
    administrator = client(guarded, "sagemaker")
    administrator.create_model_package_group(ModelPackageGroupName=group)
    arn = administrator.create_model_package(ModelPackageGroupName=group)["ModelPackageArn"]
    condition = {"StringEquals": {"sagemaker:ModelApprovalStatus": "Rejected"}}
    sagemaker = acting(role(guarded, allow("sagemaker:UpdateModelPackage", Condition=condition)), "sagemaker")

    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Rejected")

    assert denied(sagemaker.update_model_package, ModelPackageArn=arn, ModelApprovalStatus="Approved")


def test_a_transform_job_reads_as_its_models_execution_role(guarded: Engine) -> None:
    s3, sagemaker, name = client(guarded, "s3"), client(guarded, "sagemaker"), f"score-{uuid4().hex[:8]}"
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="model.tar.gz", Body=b"no archive")

    def reason(role_arn: str) -> str:
        job = f"{name}-{uuid4().hex[:8]}"
        container = {"Image": seed(guarded), "ModelDataUrl": f"s3://{name}/model.tar.gz"}
        sagemaker.create_model(ModelName=job, ExecutionRoleArn=role_arn, PrimaryContainer=container)
        source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{name}/model"}
        sagemaker.create_transform_job(
            TransformJobName=job,
            ModelName=job,
            TransformInput={"DataSource": {"S3DataSource": source}},
            TransformOutput={"S3OutputPath": f"s3://{name}/out"},
            TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
        )
        return eventually(lambda: sagemaker.describe_transform_job(TransformJobName=job).get("FailureReason"))

    assert "AccessDenied" in reason(role(guarded, allow("s3:ListBucket"))["role"])
    reader = role(guarded, allow("s3:GetObject", f"arn:aws:s3:::{name}/model.tar.gz"))["role"]
    assert "Failed to extract model data archive" in reason(reader)


def test_a_buckets_policy_knows_a_role_by_its_arn_and_takes_the_engine_for_a_safe_way(guarded: Engine) -> None:
    s3, name = client(guarded, "s3"), f"vault-{uuid4().hex}"
    s3.create_bucket(Bucket=name)
    writer, other = role(guarded, allow("s3:PutObject")), role(guarded, allow("s3:PutObject"))
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": f"arn:aws:s3:::{name}/*"}
    statements = [
        deny | {"Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        deny | {"Condition": {"ArnNotEquals": {"aws:PrincipalArn": writer["role"]}}},
    ]
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": statements}))

    acting(writer, "s3").put_object(Bucket=name, Key="k", Body=b"")

    assert denied(acting(other, "s3").put_object, Bucket=name, Key="k", Body=b"")


def test_a_buss_policy_decides_who_speaks_in_whose_name(guarded: Engine) -> None:
    cloudformation, name = client(guarded, "cloudformation"), f"bus-{uuid4().hex[:8]}"
    speaker, other = role(guarded, allow("events:PutEvents")), role(guarded, allow("events:PutEvents"))
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "events:PutEvents",
        "Resource": "*",
        "Condition": {
            "ForAnyValue:StringEquals": {"events:source": "signoff"},
            "ArnNotEquals": {"aws:PrincipalArn": speaker["role"]},
        },
    }
    policy = {"Version": "2012-10-17", "Statement": [{"Sid": "Only", **statement}]}
    template = {"Resources": {"Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": name, "Policy": policy}}}}
    cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(template))
    eventually(lambda: cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE")

    def entry(source: str) -> dict[str, Any]:
        return {"Source": source, "DetailType": "t", "Detail": "{}", "EventBusName": name}

    assert not denied(acting(speaker, "events").put_events, Entries=[entry("signoff")])
    assert not denied(acting(other, "events").put_events, Entries=[entry("bot")])
    assert denied(acting(other, "events").put_events, Entries=[entry("bot"), entry("signoff")])


def test_a_tables_policy_is_asked(guarded: Engine) -> None:
    dynamodb, cloudformation, name = client(guarded, "dynamodb"), client(guarded, "cloudformation"), "ledger-test"
    statement = {"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "dynamodb:DeleteItem", "Resource": "*"}
    table = {
        "TableName": name,
        "KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "k", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
        "ResourcePolicy": {"PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}},
    }
    template = {"Resources": {"Table": {"Type": "AWS::DynamoDB::Table", "Properties": table}}}
    cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(template))
    eventually(lambda: name in dynamodb.list_tables()["TableNames"])
    eventually(lambda: cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE")
    session = acting(role(guarded, allow("dynamodb:*")), "dynamodb")

    session.put_item(TableName=name, Item={"k": {"S": "a"}})

    assert denied(session.delete_item, TableName=name, Key={"k": {"S": "a"}})


def test_a_function_may_do_what_its_role_says_and_no_more(guarded: Engine) -> None:
    name = f"function-{uuid4().hex[:8]}"
    source = (
        "import boto3\n"
        "def handler(event, context):\n"
        "    try:\n"
        "        return len(getattr(boto3.client(event['service']), event['call'])())\n"
        "    except Exception as error:\n"
        "        return type(error).__name__\n"
    )
    session = role(guarded, allow("sqs:ListQueues"))
    functions = client(guarded, "lambda")
    create_function(guarded, name, {"main.py": source}, Role=session["role"])

    def call(service: str, operation: str) -> Any:
        payload = json.dumps({"service": service, "call": operation})
        return json.loads(functions.invoke(FunctionName=name, Payload=payload)["Payload"].read())

    assert isinstance(call("sqs", "list_queues"), int)
    assert call("sagemaker", "list_endpoints") == "ClientError"
