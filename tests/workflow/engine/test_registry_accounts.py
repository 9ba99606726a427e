"""Several accounts share one registry in the engine: by policies of both sides, and the owner hears of it."""

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
from tests.workflow.engine.test_access import acting, allow, role
from tests.workflow.engine.test_model_registry import SPECIFICATION, RegistryQueue, refusal, register
from tests.workflow.engine.test_models import ROLE

OTHER = "210987654321"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with Engine.start(auth=True, log=tmp_path_factory.mktemp("guarded") / "engine.log") as running:
        seed(running)
        yield running


@pytest.fixture
def sagemaker(engine: Engine) -> Any:
    return client(engine, "sagemaker")


@pytest.fixture
def group(sagemaker: Any) -> str:
    name = f"group-{uuid4().hex[:12]}"
    sagemaker.create_model_package_group(ModelPackageGroupName=name)
    return name


def other(engine: Engine, service: str, account: str = OTHER) -> Any:
    settings = {"aws_access_key_id": account, "aws_secret_access_key": "test"}
    return boto3.client(service, endpoint_url=engine.url, region_name=engine.region, **settings)


def arn(engine: Engine, group: str) -> str:
    return f"arn:aws:sagemaker:{engine.region}:{engine.account}:model-package-group/{group}"


def grant(engine: Engine, group: str, *actions: str, principal: str = OTHER) -> None:
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": principal},
        "Action": [f"sagemaker:{action}" for action in actions],
        "Resource": arn(engine, group).replace("model-package-group", "model-package") + "/*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    client(engine, "sagemaker").put_model_package_group_policy(ModelPackageGroupName=group, ResourcePolicy=policy)


def test_the_owners_bus_hears_of_a_package_that_another_account_registers(engine: Engine, group: str) -> None:
    grant(engine, group, "CreateModelPackage")
    registry = RegistryQueue(engine, group)

    package = register(other(engine, "sagemaker"), arn(engine, group))

    event = registry.next()
    assert (event["account"], event["detail"]["ModelPackageArn"]) == (engine.account, package)


def test_without_a_grant_another_account_is_denied(engine: Engine, group: str) -> None:
    code, message = refusal(other(engine, "sagemaker").create_model_package, ModelPackageGroupName=arn(engine, group))

    assert (code, "no resource-based policy allows it" in message) == ("AccessDeniedException", True)


def test_another_accounts_role_needs_a_policy_of_its_own_as_well(guarded: Engine) -> None:
    group = f"group-{uuid4().hex[:8]}"
    client(guarded, "sagemaker").create_model_package_group(ModelPackageGroupName=group)
    package = register(client(guarded, "sagemaker"), group)
    granted, bare = foreign_role(guarded, allow("sagemaker:DescribeModelPackage", package)), foreign_role(guarded)
    grant(guarded, group, "DescribeModelPackage")

    described = granted.describe_model_package(ModelPackageName=package)

    assert described["ModelPackageArn"] == package
    with pytest.raises(ClientError, match="AccessDenied"):
        bare.describe_model_package(ModelPackageName=package)


def foreign_role(engine: Engine, *statements: dict[str, Any]) -> Any:
    """SageMaker as a new role of the other account calls it."""
    iam, name = other(engine, "iam"), f"role-{uuid4().hex[:8]}"
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": OTHER}}
    document = json.dumps({"Version": "2012-10-17", "Statement": trust})
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    if statements:
        policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy)
    keys = other(engine, "sts").assume_role(RoleArn=made, RoleSessionName="session")["Credentials"]
    return boto3.client(
        "sagemaker",
        endpoint_url=engine.url,
        region_name=engine.region,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )


def test_a_role_creates_models_only_of_the_packages_that_it_may(guarded: Engine) -> None:
    group = f"group-{uuid4().hex[:8]}"
    administrator = client(guarded, "sagemaker")
    administrator.create_model_package_group(ModelPackageGroupName=group)
    mine, others = [
        register(administrator, group, InferenceSpecification=SPECIFICATION, ModelApprovalStatus="Approved")
        for _ in range(2)
    ]
    model = f"arn:aws:sagemaker:{guarded.region}:{guarded.account}:model/*"
    session = role(
        guarded,
        allow("sagemaker:CreateModel", model),
        allow("sagemaker:CreateModel", mine),
        allow("iam:PassRole"),
    )

    def create(name: str, package: str) -> Any:
        return acting(session, "sagemaker").create_model(
            ModelName=name, PrimaryContainer={"ModelPackageName": package}, ExecutionRoleArn=ROLE
        )

    assert create(f"{group}-mine", mine)["ModelArn"].endswith("-mine")
    with pytest.raises(ClientError, match=f"not authorized to perform: sagemaker:CreateModel on resource: {others}"):
        create(f"{group}-others", others)


def test_a_role_describes_at_once_only_the_packages_that_it_may(guarded: Engine) -> None:
    group = f"group-{uuid4().hex[:8]}"
    administrator = client(guarded, "sagemaker")
    administrator.create_model_package_group(ModelPackageGroupName=group)
    mine, others = register(administrator, group), register(administrator, group)
    session = role(guarded, allow("sagemaker:BatchDescribeModelPackage", mine))

    answer = acting(session, "sagemaker").batch_describe_model_package(ModelPackageArnList=[mine, others])

    assert list(answer["ModelPackageSummaries"]) == [mine]
    assert answer["BatchDescribeModelPackageErrorMap"][others]["ErrorCode"] == "AccessDeniedException"


def test_model_data_must_be_in_s3_in_whosever_bucket(engine: Engine, sagemaker: Any) -> None:
    bucket, s3 = f"data-{uuid4().hex[:12]}", other(engine, "s3")
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=bucket, Key="models/one.tar.gz", Body=b"")
    s3.put_object(Bucket=bucket, Key="gone.tar.gz", Body=b"")
    s3.delete_object(Bucket=bucket, Key="gone.tar.gz")

    def create(url: str, mode: str = "SingleModel") -> Any:
        container = {"Image": SPECIFICATION["Containers"][0]["Image"], "ModelDataUrl": url, "Mode": mode}
        return sagemaker.create_model(ModelName=f"m-{uuid4().hex[:12]}", PrimaryContainer=container)

    assert create(f"s3://{bucket}/models/one.tar.gz")["ModelArn"]
    assert create(f"s3://{bucket}/models/", "MultiModel")["ModelArn"]
    for missing in (f"s3://{bucket}/gone.tar.gz", f"s3://{bucket}/none", "s3://nowhere-at-all/model.tar.gz"):
        with pytest.raises(ClientError, match=f"Could not find model data at {missing}"):
            create(missing)
    with pytest.raises(ClientError, match="Could not find model data"):
        create(f"s3://{bucket}/none/", "MultiModel")
