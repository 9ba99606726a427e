"""Models and endpoints in the engine keep SageMaker's rules."""

from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from local.engine.process import Engine
from local.engine.seed import DIGEST, REPOSITORY
from tests.support.aws import client
from tests.workflow.engine.test_model_registry import IMAGE, SPECIFICATION, refusal, register

ROLE = "arn:aws:iam::123456789012:role/execution"


@pytest.fixture
def sagemaker(engine: Engine) -> Any:
    return client(engine, "sagemaker")


@pytest.fixture
def package(sagemaker: Any) -> str:
    group = f"group-{uuid4().hex[:12]}"
    sagemaker.create_model_package_group(ModelPackageGroupName=group)
    arn = register(sagemaker, group, InferenceSpecification=SPECIFICATION)
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    return arn


def model(package: str, **more: Any) -> dict[str, Any]:
    name = f"model-{uuid4().hex[:12]}"
    return {"ModelName": name, "PrimaryContainer": {"ModelPackageName": package}, "ExecutionRoleArn": ROLE, **more}


def test_a_model_is_described_as_it_was_asked_for(sagemaker: Any, package: str) -> None:
    vpc = {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}
    asked = model(package, EnableNetworkIsolation=True, VpcConfig=vpc)

    arn = sagemaker.create_model(**asked)["ModelArn"]

    described = sagemaker.describe_model(ModelName=asked["ModelName"])
    asked["PrimaryContainer"]["Mode"] = "SingleModel"
    assert {name: described[name] for name in asked} == asked
    assert described["ModelArn"] == arn


def test_network_isolation_is_off_unless_asked_for(sagemaker: Any, package: str) -> None:
    asked = model(package)

    sagemaker.create_model(**asked)

    described = sagemaker.describe_model(ModelName=asked["ModelName"])
    assert (described["EnableNetworkIsolation"], "VpcConfig" in described) == (False, False)


def test_a_models_name_is_taken_once_and_free_after_it_is_deleted(sagemaker: Any, package: str) -> None:
    asked = model(package)
    arn = sagemaker.create_model(**asked)["ModelArn"]

    again = refusal(sagemaker.create_model, **asked)
    sagemaker.delete_model(ModelName=asked["ModelName"])

    assert again == ("ValidationException", f'Cannot create already existing model "{arn}".')
    assert sagemaker.create_model(**asked)["ModelArn"] == arn


def test_a_model_that_is_not_there_is_named_in_the_refusal(engine: Engine, sagemaker: Any) -> None:
    arn = f"arn:aws:sagemaker:us-east-1:{engine.account}:model/none"

    described = refusal(sagemaker.describe_model, ModelName="none")

    deleted = refusal(sagemaker.delete_model, ModelName="none")
    assert described == deleted == ("ValidationException", f'Could not find model "{arn}".')


@pytest.mark.parametrize("status", ["PendingManualApproval", "Rejected"])
def test_no_model_comes_of_a_package_that_is_not_approved(sagemaker: Any, package: str, status: str) -> None:
    sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus=status)

    code, message = refusal(sagemaker.create_model, **model(package))

    assert (code, status in message, package in message) == ("ValidationException", True, True)


def test_no_model_comes_of_a_package_that_does_not_exist(sagemaker: Any, package: str) -> None:
    missing = package.removesuffix("/1") + "/9"

    answer = refusal(sagemaker.create_model, **model(missing))

    assert answer == ("ValidationException", f"ModelPackage {missing} does not exist.")


def test_an_environment_is_the_packages_or_the_models_not_both(sagemaker: Any, package: str) -> None:
    group = package.split("/")[1]
    containers = [SPECIFICATION["Containers"][0] | {"Environment": {"A": "1"}}]
    arn = register(sagemaker, group, InferenceSpecification=SPECIFICATION | {"Containers": containers})
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    container = {"ModelPackageName": arn, "Environment": {"B": "1"}}

    code, message = refusal(sagemaker.create_model, **model(arn, PrimaryContainer=container))

    assert (code, "Environment" in message) == ("ValidationException", True)


@pytest.mark.parametrize(
    "more",
    [
        {"Containers": [{"Image": "image"}]},
        {
            "PrimaryContainer": {
                "Image": "image",
                "ModelDataUrl": "s3://bucket/key",
                "ModelDataSource": {
                    "S3DataSource": {"S3Uri": "s3://b/k/", "S3DataType": "S3Prefix", "CompressionType": "None"}
                },
            }
        },
    ],
)
def test_of_two_ways_to_say_the_same_a_model_takes_one(sagemaker: Any, package: str, more: dict[str, Any]) -> None:
    assert refusal(sagemaker.create_model, **model(package, **more))[0] == "ValidationException"


def test_a_models_image_is_in_its_own_registry_and_region(engine: Engine, sagemaker: Any) -> None:
    def create(image: str) -> tuple[str, str]:
        return refusal(sagemaker.create_model, ModelName="m", ExecutionRoleArn=ROLE, PrimaryContainer={"Image": image})

    other = IMAGE.replace("123456789012", "210987654321")
    assert create("python:3")[1].startswith('Using non-ECR image "python:3" without Vpc repository access mode')
    assert "Cross region ECR image pulls are not allowed" in create(IMAGE.replace("us-east-1", "eu-west-1"))[1]
    for absent in (f"{IMAGE[:-64]}{'0' * 64}", IMAGE.replace("@", "-of-old@"), other):
        assert create(absent) == ("ValidationException", f"Requested image {absent} not found.")


def test_a_registry_is_asked_for_its_own_images_only(engine: Engine) -> None:
    ecr, which = client(engine, "ecr"), {"repositoryName": REPOSITORY, "imageIds": [{"imageDigest": DIGEST}]}

    assert len(ecr.batch_get_image(registryId="123456789012", **which)["images"]) == 1
    with pytest.raises(ClientError, match="RepositoryNotFoundException"):
        ecr.batch_get_image(registryId="210987654321", **which)


def test_what_uses_a_model_is_found_from_the_endpoints(sagemaker: Any, package: str) -> None:
    asked, name = model(package), f"endpoint-{uuid4().hex[:12]}"
    sagemaker.create_model(**asked)
    variant = {"VariantName": "all", "ModelName": asked["ModelName"], "InitialInstanceCount": 1}
    variant |= {"InstanceType": "ml.m5.large", "InitialVariantWeight": 1.0}

    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)

    listed = sagemaker.list_endpoints(NameContains=name)["Endpoints"]
    endpoint = sagemaker.describe_endpoint(EndpointName=name)
    configuration = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    assert [each["EndpointName"] for each in listed] == [name]
    assert [each["ModelName"] for each in configuration["ProductionVariants"]] == [asked["ModelName"]]
