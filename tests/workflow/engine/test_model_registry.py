"""SageMaker in the engine keeps the rules that the pipeline relies on."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError

from local.engine.process import Engine
from local.engine.seed import DIGEST, REPOSITORY
from tests.support.aws import client
from tests.support.waiting import eventually


@pytest.fixture
def sagemaker(engine: Engine) -> Any:
    return client(engine, "sagemaker")


@pytest.fixture
def group(sagemaker: Any) -> str:
    name = f"group-{uuid4().hex[:12]}"
    sagemaker.create_model_package_group(ModelPackageGroupName=name, Tags=[{"Key": "owner", "Value": "signoff"}])
    return name


def register(sagemaker: Any, group: str, **fields: Any) -> str:
    given = {"ModelApprovalStatus": "PendingManualApproval"} | fields
    arn: str = sagemaker.create_model_package(ModelPackageGroupName=group, **given)["ModelPackageArn"]
    return arn


def refusal(call: Any, **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**request)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


IMAGE = f"123456789012.dkr.ecr.us-east-1.amazonaws.com/{REPOSITORY}@{DIGEST}"
SPECIFICATION = {
    "Containers": [{"Image": IMAGE}],
    "SupportedContentTypes": ["text/csv"],
    "SupportedResponseMIMETypes": ["text/csv"],
}


def test_an_update_keeps_what_it_is_not_given(sagemaker: Any, group: str) -> None:
    arn = register(sagemaker, group, InferenceSpecification=SPECIFICATION, SourceUri="s3://bucket/source")
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved", ApprovalDescription="fine")

    sagemaker.update_model_package(ModelPackageArn=arn, CustomerMetadataProperties={"a": "1"})

    described = sagemaker.describe_model_package(ModelPackageName=arn)
    kept = ("ModelApprovalStatus", "ApprovalDescription", "SourceUri", "InferenceSpecification")
    assert [described[name] for name in kept] == ["Approved", "fine", "s3://bucket/source", SPECIFICATION]


def test_an_update_merges_customer_metadata_and_removes_what_it_names(sagemaker: Any, group: str) -> None:
    arn = register(sagemaker, group, CustomerMetadataProperties={"a": "1", "b": "1"})

    sagemaker.update_model_package(
        ModelPackageArn=arn,
        CustomerMetadataProperties={"b": "2", "c": "3"},
        CustomerMetadataPropertiesToRemove=["a"],
    )

    described = sagemaker.describe_model_package(ModelPackageName=arn)
    assert described["CustomerMetadataProperties"] == {"b": "2", "c": "3"}


def test_the_same_request_with_the_same_token_registers_once(sagemaker: Any, group: str) -> None:
    token = uuid4().hex
    first = register(sagemaker, group, ClientToken=token, ModelPackageDescription="one")

    assert register(sagemaker, group, ClientToken=token, ModelPackageDescription="one") == first
    assert len(sagemaker.list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"]) == 1


def test_another_request_with_a_used_token_is_refused(sagemaker: Any, group: str) -> None:
    token = uuid4().hex
    register(sagemaker, group, ClientToken=token, ModelPackageDescription="one")

    code, _ = refusal(
        sagemaker.create_model_package,
        ModelPackageGroupName=group,
        ClientToken=token,
        ModelPackageDescription="two",
    )

    assert code == "ConflictException"


def test_a_group_may_be_named_by_its_arn(sagemaker: Any, group: str) -> None:
    arn = sagemaker.describe_model_package_group(ModelPackageGroupName=group)["ModelPackageGroupArn"]

    package = register(sagemaker, arn)

    listed = sagemaker.list_model_packages(ModelPackageGroupName=arn)["ModelPackageSummaryList"]
    assert [each["ModelPackageArn"] for each in listed] == [package]
    assert sagemaker.describe_model_package_group(ModelPackageGroupName=arn)["ModelPackageGroupName"] == group


def test_a_group_is_created_once(sagemaker: Any, group: str) -> None:
    code, message = refusal(sagemaker.create_model_package_group, ModelPackageGroupName=group)

    assert (code, "already exists" in message) == ("ValidationException", True)


def test_every_field_of_a_registration_is_described(sagemaker: Any, group: str) -> None:
    fields = {
        "SourceUri": "s3://bucket/source",
        "ModelLifeCycle": {"Stage": "Development", "StageStatus": "PendingApproval"},
        "ModelCard": {"ModelCardContent": "{}", "ModelCardStatus": "Draft"},
        "SkipModelValidation": "All",
        "Domain": "MACHINE_LEARNING",
    }

    arn = register(sagemaker, group, **fields)

    described = sagemaker.describe_model_package(ModelPackageName=arn)
    assert {name: described.get(name) for name in fields} == fields


def test_a_package_that_is_not_there_is_named_in_the_refusal(sagemaker: Any, group: str) -> None:
    arn = register(sagemaker, group).removesuffix("/1") + "/7"

    described = refusal(sagemaker.describe_model_package, ModelPackageName=arn)
    updated = refusal(sagemaker.update_model_package, ModelPackageArn=arn, ModelApprovalStatus="Approved")

    assert described == updated == ("ValidationException", f"ModelPackage {arn} does not exist.")


def test_who_wrote_last_and_when_is_described(engine: Engine, sagemaker: Any, group: str) -> None:
    arn = register(sagemaker, group)

    client(engine, "sagemaker", "approver").update_model_package(ModelPackageArn=arn, ApprovalDescription="seen")

    described = sagemaker.describe_model_package(ModelPackageName=arn)
    assert described["LastModifiedBy"]["IamIdentity"]["Arn"].endswith(":user/approver")
    assert described["LastModifiedTime"] >= described["CreationTime"]


def test_a_deleted_version_is_gone_and_its_number_is_not_given_again(sagemaker: Any, group: str) -> None:
    first, second = register(sagemaker, group), register(sagemaker, group)

    sagemaker.delete_model_package(ModelPackageName=first)

    third = register(sagemaker, group)
    listed = sagemaker.list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"]
    assert [each["ModelPackageArn"] for each in listed] == [second, third]
    assert third.endswith("/3")
    assert refusal(sagemaker.describe_model_package, ModelPackageName=first)[0] == "ValidationException"


def test_a_group_is_deleted_when_it_is_empty_and_starts_again_at_version_1(sagemaker: Any, group: str) -> None:
    arn = register(sagemaker, group)
    refused = refusal(sagemaker.delete_model_package_group, ModelPackageGroupName=group)

    sagemaker.delete_model_package(ModelPackageName=arn)
    sagemaker.delete_model_package_group(ModelPackageGroupName=group)
    sagemaker.create_model_package_group(ModelPackageGroupName=group)

    assert refused[0] == "ConflictException"
    assert register(sagemaker, group, ModelPackageDescription="anew") == arn
    assert sagemaker.describe_model_package(ModelPackageName=arn)["ModelPackageDescription"] == "anew"


def test_tags_of_a_group_are_read_replaced_and_removed(sagemaker: Any, group: str) -> None:
    arn = sagemaker.describe_model_package_group(ModelPackageGroupName=group)["ModelPackageGroupArn"]

    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "owner", "Value": "other"}, {"Key": "b", "Value": "1"}])
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["b"])

    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "owner", "Value": "other"}]


def test_packages_are_listed_by_status_in_order_and_in_pages(sagemaker: Any, group: str) -> None:
    arns = [register(sagemaker, group) for _ in range(5)]
    sagemaker.update_model_package(ModelPackageArn=arns[2], ModelApprovalStatus="Approved")
    listing = {"ModelPackageGroupName": group, "SortBy": "CreationTime"}

    approved = sagemaker.list_model_packages(ModelApprovalStatus="Approved", **listing)
    pages = sagemaker.get_paginator("list_model_packages").paginate(
        SortOrder="Descending", PaginationConfig={"PageSize": 2}, **listing
    )

    found = [[each["ModelPackageArn"] for each in page["ModelPackageSummaryList"]] for page in pages]
    assert [each["ModelPackageArn"] for each in approved["ModelPackageSummaryList"]] == [arns[2]]
    assert found == [[arns[4], arns[3]], [arns[2], arns[1]], [arns[0]]]


class RegistryQueue:
    """A queue that hears what the registry announces about one group."""

    def __init__(self, engine: Engine, group: str) -> None:
        self._sqs = client(engine, "sqs")
        self._url = self._sqs.create_queue(QueueName=f"registry-{group}")["QueueUrl"]
        attributes = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        events = client(engine, "events")
        pattern = {"source": ["aws.sagemaker"], "detail": {"ModelPackageGroupName": [group]}}
        events.put_rule(Name=group, EventPattern=json.dumps(pattern))
        events.put_targets(Rule=group, Targets=[{"Id": "q", "Arn": attributes["Attributes"]["QueueArn"]}])

    def next(self) -> dict[str, Any]:
        messages = eventually(
            lambda: self._sqs.receive_message(QueueUrl=self._url, WaitTimeSeconds=1).get("Messages"),
            what="an event of the registry",
        )
        self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=messages[0]["ReceiptHandle"])
        event: dict[str, Any] = json.loads(messages[0]["Body"])
        return event


def test_a_registration_is_announced_in_the_documented_shape(engine: Engine, sagemaker: Any, group: str) -> None:
    registry = RegistryQueue(engine, group)

    arn = register(sagemaker, group, InferenceSpecification=SPECIFICATION, CustomerMetadataProperties={"a": "1"})

    event = registry.next()
    detail = event["detail"]
    assert event["detail-type"] == "SageMaker Model Package State Change"
    assert event["resources"] == [arn]
    assert detail | {"CreationTime": "", "ModelPackageStatusDetails": ""} == {
        "ModelPackageArn": arn,
        "ModelPackageGroupName": group,
        "ModelPackageVersion": 1,
        "CreationTime": "",
        "InferenceSpecification": SPECIFICATION,
        "ModelPackageStatus": "Completed",
        "ModelPackageStatusDetails": "",
        "CertifyForMarketplace": False,
        "ModelApprovalStatus": "PendingManualApproval",
        "CustomerMetadataProperties": {"a": "1"},
    }


@pytest.mark.parametrize(
    ("update", "named"),
    [
        ({"ModelApprovalStatus": "Approved"}, ["ModelApprovalStatus"]),
        ({"CustomerMetadataProperties": {"a": "2"}}, ["CustomerMetadataProperties"]),
        ({"SourceUri": "s3://bucket/other"}, ["sourceUri"]),
        (
            {"ModelApprovalStatus": "Rejected", "ApprovalDescription": "no"},
            ["ModelApprovalStatus", "ApprovalDescription"],
        ),
    ],
)
def test_an_update_is_announced_with_the_fields_it_changed(
    engine: Engine, sagemaker: Any, group: str, update: dict[str, Any], named: list[str]
) -> None:
    registry = RegistryQueue(engine, group)
    arn = register(sagemaker, group)
    registry.next()

    sagemaker.update_model_package(ModelPackageArn=arn, **update)

    assert registry.next()["detail"]["UpdatedModelPackageFields"] == named


@pytest.mark.parametrize(
    ("action", "request_"),
    [
        ("create_model_package_group", {"ModelPackageGroupName": "no_underscores"}),
        ("create_model_package_group", {"ModelPackageGroupName": "x" * 64}),
        ("describe_model", {"ModelName": "not a name"}),
        ("update_model_package", {"ModelPackageArn": "arn", "ModelApprovalStatus": "Agreed"}),
        ("update_model_package", {"ModelPackageArn": "arn", "CustomerMetadataProperties": {"a": "ünlikely"}}),
    ],
)
def test_what_the_service_model_does_not_allow_is_refused(
    engine: Engine, action: str, request_: dict[str, Any]
) -> None:
    lenient = client(engine, "sagemaker", strict=False)

    code, message = refusal(getattr(lenient, action), **request_)

    assert (code, "failed to satisfy constraint" in message) == ("ValidationException", True)


def test_packages_are_listed_by_when_they_were_created(sagemaker: Any, group: str) -> None:
    arn = register(sagemaker, group)
    created = sagemaker.describe_model_package(ModelPackageName=arn)["CreationTime"]
    second = timedelta(seconds=1)

    after = sagemaker.list_model_packages(ModelPackageGroupName=group, CreationTimeAfter=created - second)
    later = sagemaker.list_model_packages(ModelPackageGroupName=group, CreationTimeAfter=created + second)

    assert [each["ModelPackageArn"] for each in after["ModelPackageSummaryList"]] == [arn]
    assert later["ModelPackageSummaryList"] == []


def test_two_accounts_do_not_see_each_other(engine: Engine, sagemaker: Any, group: str) -> None:
    other = boto3.client(
        "sagemaker",
        endpoint_url=engine.url,
        region_name=engine.region,
        aws_access_key_id="210987654321",
        aws_secret_access_key="test",
    )

    code, _ = refusal(other.describe_model_package_group, ModelPackageGroupName=group)

    assert code == "ValidationException"


def test_many_registrations_at_once_get_versions_of_their_own(sagemaker: Any, group: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        arns = list(pool.map(lambda _: register(sagemaker, group), range(40)))

    assert sorted(int(arn.rpartition("/")[2]) for arn in arns) == list(range(1, 41))
