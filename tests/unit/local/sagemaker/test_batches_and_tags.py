"""The engine describes many packages at once, and keeps tags, as the API reference says."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.sagemaker.account import RequestRefused
from tests.support.local_sagemaker import INSTANCES, OTHER, OWN, REGION, SPECIFICATION, LocalSageMaker

PREFIX = f"arn:aws:sagemaker:{REGION}:{OWN}"


@pytest.fixture
def local() -> LocalSageMaker:
    return LocalSageMaker()


def test_a_batch_describes_each_version_and_says_of_each_other_what_is_wrong(local: LocalSageMaker) -> None:
    local.group()
    first, gone = local.approved(CustomerMetadataProperties={"a": "b"}, ModelPackageDescription="d"), local.package()
    local.ask("DeleteModelPackage", ModelPackageName=gone)
    forbidden = local.package()
    local.forbidden.add(("sagemaker:BatchDescribeModelPackage", forbidden))
    foreign = first.replace(OWN, OTHER)

    answer = local.ask("BatchDescribeModelPackage", ModelPackageArnList=[first, gone, foreign, forbidden])

    described = local.package_described(first)
    shown = ("ModelPackageGroupName", "ModelPackageVersion", "ModelPackageArn", "ModelPackageDescription")
    shown += ("CreationTime", "InferenceSpecification", "ModelPackageStatus", "ModelApprovalStatus")
    assert answer["ModelPackageSummaries"] == {first: {name: described[name] for name in shown}}
    errors = answer["BatchDescribeModelPackageErrorMap"]
    assert {arn: each["ErrorCode"] for arn, each in errors.items()} == {
        gone: "ValidationException",
        foreign: "AccessDeniedException",
        forbidden: "AccessDeniedException",
    }
    assert errors[gone]["ErrorResponse"] == f"ModelPackage {gone} does not exist."


def test_a_batch_has_no_errors_where_there_are_none_and_at_most_a_hundred(local: LocalSageMaker) -> None:
    local.group()
    arn = local.package()

    answer = local.ask("BatchDescribeModelPackage", ModelPackageArnList=[arn])

    assert "BatchDescribeModelPackageErrorMap" not in answer
    for count in (0, 101):
        code, _ = local.refusal("BatchDescribeModelPackage", ModelPackageArnList=[arn] * count)
        assert code == "ValidationException"


def test_a_batch_describes_only_versions(local: LocalSageMaker) -> None:
    spec = SPECIFICATION | INSTANCES
    arn = local.ask("CreateModelPackage", ModelPackageName="solo", InferenceSpecification=spec)["ModelPackageArn"]

    answer = local.ask("BatchDescribeModelPackage", ModelPackageArnList=[arn])

    assert answer["ModelPackageSummaries"] == {}
    assert "unversioned" in answer["BatchDescribeModelPackageErrorMap"][arn]["ErrorResponse"]


def test_tags_are_added_replaced_and_removed(local: LocalSageMaker) -> None:
    arn = local.group("Tumours", Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "1"}])

    local.ask("AddTags", ResourceArn=arn, Tags=[{"Key": "b", "Value": "2"}, {"Key": "c", "Value": "2"}])
    local.ask("DeleteTags", ResourceArn=arn.replace("tumours", "Tumours"), TagKeys=["a", "none"])

    tags = local.ask("ListTags", ResourceArn=arn)["Tags"]
    assert tags == [{"Key": "b", "Value": "2"}, {"Key": "c", "Value": "2"}]


def test_a_resource_has_fifty_tags_at_most_and_each_key_once(local: LocalSageMaker) -> None:
    arn = local.group(Tags=[{"Key": f"k{i}", "Value": "v"} for i in range(50)])

    more = local.refusal("AddTags", ResourceArn=arn, Tags=[{"Key": "more", "Value": "v"}])
    double = local.refusal("AddTags", ResourceArn=arn, Tags=[{"Key": "k1", "Value": "v"}, {"Key": "k1", "Value": "w"}])
    local.ask("AddTags", ResourceArn=arn, Tags=[{"Key": "k1", "Value": "other"}])

    assert more[0] == "ResourceLimitExceeded"
    assert "Duplicate tag keys" in double[1]
    assert len(local.ask("ListTags", ResourceArn=arn)["Tags"]) == 50


@pytest.mark.parametrize("action", ["AddTags", "DeleteTags", "ListTags"])
def test_what_is_not_there_has_no_tags(local: LocalSageMaker, action: str) -> None:
    more = {"AddTags": {"Tags": []}, "DeleteTags": {"TagKeys": ["a"]}, "ListTags": {}}[action]

    code, _ = local.refusal(action, ResourceArn=f"{PREFIX}:model-package-group/none", **more)

    assert code == "ResourceNotFound"


def test_a_search_finds_what_was_modified_since_a_time_the_oldest_first(local: LocalSageMaker) -> None:
    local.group("churn")
    arns = [local.package("churn") for _ in range(4)]
    after = datetime.fromtimestamp(local.time, UTC)
    for number in (2, 0, 1):
        local.time += 60
        local.ask("UpdateModelPackage", ModelPackageArn=arns[number], ModelApprovalStatus="Approved")
    asked: dict[str, Any] = {"Resource": "ModelPackage", "SortBy": "LastModifiedTime", "SortOrder": "Ascending"}
    asked["SearchExpression"] = {"Filters": [modified(after + timedelta(seconds=60))]}
    page = local.ask("Search", **asked, MaxResults=1)
    rest = local.ask("Search", **asked, MaxResults=1, NextToken=page["NextToken"])
    found = [each["ModelPackage"] for each in [*page["Results"], *rest["Results"]]]
    assert [each["ModelPackageArn"] for each in found] == [arns[0], arns[1]]
    assert {each["ModelApprovalStatus"] for each in found} == {"Approved"}
    assert "NextToken" not in rest


def test_a_search_that_the_engine_cannot_make_is_refused(local: LocalSageMaker) -> None:
    with pytest.raises(RequestRefused, match="LastModifiedTime alone"):
        local.ask("Search", Resource="ModelPackage")


def modified(after: datetime) -> dict[str, str]:
    return {"Name": "LastModifiedTime", "Operator": "GreaterThan", "Value": f"{after:%Y-%m-%dT%H:%M:%S}"}
