"""Checking a value against a service model: everything is found, each by its path, and nothing that is allowed."""

import io
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator, ValidationErrors
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signoff.service_model import java_patterns
from signoff.service_model.constraints import faults
from signoff.service_model.sagemaker import sagemaker_shape
from signoff.service_model.shapes import ListShape, StructureShape
from tests.support.depth import examples


class FakeShape:
    """A shape of a test's own; what is not given is as in botocore for a shape without it."""

    def __init__(self, type_name: str, *, member=None, key=None, value=None, **metadata: Any) -> None:
        self.name = "Mine"
        self.type_name = type_name
        self.member, self.key, self.value = member, key, value
        self.metadata = metadata


def union(**members: FakeShape) -> StructureShape:
    shape = StructureShape("Union", members)
    object.__setattr__(shape, "is_tagged_union", True)
    return shape


@cache
def request_shape(service: str, operation: str) -> Any:
    return ServiceModel(Loader().load_service_model(service, "service-2")).operation_model(operation).input_shape


def found(shape: Any, value: Any) -> dict[str, str]:
    return {fault.path: fault.message for fault in faults(shape, value)}


def refused(shape: Any, value: Any) -> bool:
    return bool(faults(shape, value))


CREATE_GROUP = sagemaker_shape("CreateModelPackageGroup")
CREATE_PACKAGE = sagemaker_shape("CreateModelPackage")
CREATE_MODEL = sagemaker_shape("CreateModel")


def test_a_request_that_sagemaker_would_take_has_no_faults():
    request = {"ModelPackageGroupName": "churn", "Tags": [{"Key": "équipe", "Value": "données / été"}]}

    assert faults(CREATE_GROUP, request) == []


def test_a_field_that_does_not_exist_comes_with_the_one_that_was_probably_meant():
    assert found(CREATE_GROUP, {"modelPackageGroupname": "a", "ModelPackageGroupName": "a"}) == {
        "modelPackageGroupname": "is not a field here; did you mean ModelPackageGroupName?"
    }


def test_a_field_that_resembles_nothing_comes_with_what_there_is():
    message = found(CREATE_GROUP, {"ModelPackageGroupName": "a", "zzz": 1})["zzz"]

    assert "ModelPackageGroupDescription, ModelPackageGroupName, Tags" in message


def test_a_missing_field_is_named_by_its_path():
    assert found(CREATE_GROUP, {"Tags": [{"Value": "v"}]}) == {
        "ModelPackageGroupName": "is required and missing",
        "Tags[0].Key": "is required and missing",
    }


def test_several_faults_are_listed_at_once_each_with_its_path():
    request = {
        "InferenceSpecification": {
            "Containers": [{"Image": "has a space"}, {"ModelDataUrl": 7, "ContainerHostname": "x" * 64}],
            "SupportedRealtimeInferenceInstanceTypes": ["ml.m5.large", "ml.m5.larg"],
        },
        "CustomerMetadataProperties": {"bad!": "v", "good": "new\nline"},
    }

    assert set(found(CREATE_PACKAGE, request)) == {
        "InferenceSpecification.Containers[0].Image",
        "InferenceSpecification.Containers[1].ModelDataUrl",
        "InferenceSpecification.Containers[1].ContainerHostname",
        "InferenceSpecification.SupportedRealtimeInferenceInstanceTypes[1]",
        'CustomerMetadataProperties["bad!"]',
        "CustomerMetadataProperties.good",
    }


def test_a_path_begins_where_the_caller_says():
    assert [fault.path for fault in faults(CREATE_GROUP, {}, "Group")] == ["Group.ModelPackageGroupName"]


@pytest.mark.parametrize(
    ("type_name", "value", "expected"),
    [
        ("string", 1, "must be a string, not a whole number"),
        ("string", None, "must be a string, not null"),
        ("integer", "1", 'must be a whole number, not a string "1"'),
        ("integer", True, "must be a whole number, not true"),
        ("integer", 1.0, "must be a whole number, not a number"),
        ("boolean", 0, "must be true or false, not a whole number"),
        ("double", False, "must be a number, not false"),
        ("list", {}, "must be a list, not an object"),
        ("structure", [], "must be an object, not a list"),
        ("map", "x", 'must be an object, not a string "x"'),
        ("timestamp", "yesterday", 'must be a time (ISO 8601), not a string "yesterday"'),
        ("blob", 3, "must be bytes, not a whole number"),
    ],
)
def test_a_value_of_another_type_is_a_fault(type_name, value, expected):
    assert found(FakeShape(type_name), value) == {"": expected}


@pytest.mark.parametrize(
    ("type_name", "value"),
    [
        ("timestamp", datetime(2026, 1, 1, tzinfo=UTC)),
        ("timestamp", "2026-01-01T00:00:00Z"),
        ("timestamp", 1767225600),
        ("double", 1),
        ("float", Decimal("0.5")),
        ("long", 2**40),
        ("blob", b"bytes"),
        ("blob", "text"),
        ("blob", io.BytesIO(b"a stream")),
    ],
)
def test_what_boto3_takes_for_a_type_is_taken(type_name, value):
    assert faults(FakeShape(type_name), value) == []


@pytest.mark.parametrize(
    ("shape", "right", "wrong"),
    [
        (FakeShape("string", min=2), "ab", "a"),
        (FakeShape("string", max=2), "ab", "abc"),
        (FakeShape("string", max=1), "é", "éé"),
        (FakeShape("blob", max=2), b"ab", b"abc"),
        (FakeShape("integer", min=1), 1, 0),
        (FakeShape("integer", max=5), 5, 6),
        (FakeShape("integer"), 2**31 - 1, 2**31),
        (FakeShape("long"), -(2**63), -(2**63) - 1),
        (FakeShape("double", max=0.5), 0.5, 0.51),
        (ListShape("L", FakeShape("string"), {"min": 1}), ["a"], []),
        (ListShape("L", FakeShape("string"), {"max": 1}), ["a"], ["a", "b"]),
        (FakeShape("map", key=FakeShape("string"), value=FakeShape("string"), max=1), {"a": "b"}, {"a": "b", "c": "d"}),
    ],
)
def test_a_minimum_and_a_maximum_are_the_last_that_are_allowed(shape, right, wrong):
    assert (refused(shape, right), refused(shape, wrong)) == (False, True)


def test_a_number_too_long_to_print_is_still_a_fault():
    assert found(FakeShape("double", max=1), 10**5000) == {"": "must be at most 1, not a number of more than 18 digits"}


def test_the_keys_and_the_values_of_a_map_are_both_checked():
    shape = FakeShape("map", key=FakeShape("string", max=1), value=FakeShape("integer"))

    assert found(shape, {"ab": 1, "c": "d"}) == {
        "ab": "its key must have at most 1 character, not 2",
        "c": 'must be a whole number, not a string "d"',
    }


def test_a_short_enum_is_shown_whole_and_a_long_one_by_what_comes_closest():
    short = FakeShape("string", enum=["Approved", "Rejected"])
    long = FakeShape("string", enum=[f"ml.m{size}.large" for size in range(50)])

    assert found(short, "approved") == {"": 'must be one of Approved, Rejected, not "approved"'}
    assert "one of 50 values (closest: ml.m5.large" in found(long, "ml.m5.larg")[""]


def test_a_union_has_exactly_one_member():
    shape = union(S=FakeShape("string"), N=FakeShape("string"))

    assert faults(shape, {"S": "a"}) == []
    assert found(shape, {}) == {"": "must have exactly one of S, N, not 0"}
    assert found(shape, {"S": "a", "N": "1"}) == {"": "must have exactly one of S, N, not 2"}


def test_a_document_may_be_anything():
    shape = StructureShape("Document", {})
    object.__setattr__(shape, "is_document_type", True)

    assert faults(shape, {"any": ["thing", None]}) == []


def test_a_secret_is_not_repeated():
    shape = FakeShape("string", pattern="[a-z]+", sensitive=True)

    assert "HUNTER2" not in found(shape, "HUNTER2")[""]


@pytest.mark.parametrize(
    ("pattern", "value", "matches"),
    [
        ("[a-z]+", "abc", True),
        ("[a-z]+", "abc!", False),
        ("[a-z]+", "abc\n", False),
        ("^[a-z]+$", "abc\n", False),
        ("a|ab", "ab", True),
        (".*", "one\ntwo", False),
        (".*", "one\u2028two", False),
        (r"[\S\s]*", "one\ntwo", True),
        (r"([\p{L}\p{Z}\p{N}_.:\/=+\-@]*)${1,256}", "clé = 1", True),
        (r"([\p{L}\p{Z}\p{N}_.:\/=+\-@]*)${1,256}", "clé!", False),
        (r"\d{2}", "42", True),
        (r"\d{2}", "٤٢", False),
        (r"[\w-]+", "a-b_c", True),
        (r"[\w-]+", "é", False),
        ("^(range|count|sum)", "count: 3", True),
        ("^(range|count|sum)", "discount", False),
        (r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\t]*", "tab\t😀", True),
        (r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\t]*", "line\n", False),
        ("[unclosed", "anything", True),
    ],
)
def test_a_pattern_means_what_it_means_to_java(pattern, value, matches):
    assert java_patterns.matches(pattern, value) is matches


def test_a_pattern_that_never_ends_is_a_fault_and_not_a_hang():
    message = found(FakeShape("string", pattern="(a|aa)+"), "a" * 60 + "b")[""]

    assert message == "takes too long to match against the pattern (a|aa)+"


ORDINARY_REQUESTS = [
    ("s3", "PutObject", {"Bucket": "b-1", "Key": "g/s/ü.json", "Body": io.BytesIO(b""), "IfNoneMatch": "*",
                         "Metadata": {"source": "x"}, "ChecksumAlgorithm": "SHA256", "Tagging": "a=b"}),
    ("s3", "PutObject", {"Bucket": "b-1", "Key": "k", "Body": b"x", "ObjectLockMode": "GOVERNANCE",
                         "ObjectLockRetainUntilDate": datetime(2030, 1, 1, tzinfo=UTC)}),
    ("s3", "CopyObject", {"Bucket": "b", "Key": "k", "CopySource": "b/g/s/model.tar.gz?versionId=3",
                          "TaggingDirective": "REPLACE", "MetadataDirective": "REPLACE"}),
    ("s3", "UploadPartCopy", {"Bucket": "b", "Key": "k", "CopySource": "b/k", "PartNumber": 1, "UploadId": "u",
                              "CopySourceRange": "bytes=0-5"}),
    ("s3", "CompleteMultipartUpload", {"Bucket": "b", "Key": "k", "UploadId": "u", "IfNoneMatch": "*",
                                       "MultipartUpload": {"Parts": [{"ETag": '"e"', "PartNumber": 1}]}}),
    ("s3", "PutObjectTagging", {"Bucket": "b", "Key": "k", "Tagging": {"TagSet": [{"Key": "signoff", "Value": ""}]}}),
    ("s3", "ListObjectsV2", {"Bucket": "b", "Prefix": "", "MaxKeys": 1000}),
    ("s3", "GetObject", {"Bucket": "b", "Key": "k", "VersionId": "v", "Range": "bytes=0-"}),
    ("dynamodb", "TransactWriteItems", {"ClientRequestToken": "t" * 36, "TransactItems": [{"Put": {
        "TableName": "Ledger", "ConditionExpression": "attribute_not_exists(#p)",
        "ExpressionAttributeNames": {"#p": "package"}, "Item": {
            "package": {"S": "arn"}, "sequence": {"N": "1"}, "more": {"M": {"list": {"L": [{"NULL": True}]}}},
            "bytes": {"B": b"\x00"}, "yes": {"BOOL": False}, "names": {"SS": ["a"]}}}}]}),
    ("dynamodb", "Query", {"TableName": "arn:aws:dynamodb:us-east-1:123456789012:table/Ledger", "IndexName": "by-next",
                           "KeyConditionExpression": "#n = :n", "ExpressionAttributeValues": {":n": {"S": ""}},
                           "ConsistentRead": True, "Limit": 1, "ScanIndexForward": False}),
    ("sqs", "SendMessage", {"QueueUrl": "http://localhost:4566/000000000000/q", "MessageBody": "{}", "DelaySeconds": 0,
                            "MessageAttributes": {"a": {"DataType": "String", "StringValue": "v"}}}),
    ("sqs", "GetQueueAttributes", {"QueueUrl": "u", "AttributeNames": ["All"]}),
    ("sqs", "SendMessageBatch", {"QueueUrl": "u", "Entries": [{"Id": "1", "MessageBody": "é"}]}),
    ("stepfunctions", "StartExecution", {
        "stateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:Validation", "name": "a-1_b.c",
        "input": '{"a": 1}'}),
    ("stepfunctions", "SendTaskFailure", {"taskToken": "token", "error": "E", "cause": "why\nand how"}),
    ("ssm", "GetParameter", {"Name": "/signoff/policies/groups/churn", "WithDecryption": True}),
    ("ssm", "GetParametersByPath", {"Path": "/signoff/policies", "Recursive": True, "MaxResults": 10}),
    ("ssm", "PutParameter", {"Name": "/signoff/policies/default", "Value": "{}", "Type": "String", "Overwrite": True}),
    ("events", "PutEvents", {"Entries": [{"EventBusName": "signoff", "Source": "signoff", "Detail": "{}", "Time":
                                          datetime(2026, 1, 1, tzinfo=UTC), "DetailType": "Approval Requested"}]}),
    ("events", "PutRule", {"Name": "r", "EventPattern": '{"source": ["signoff"]}', "State": "ENABLED"}),
    ("sts", "GetCallerIdentity", {}),
    ("sts", "AssumeRole", {"RoleArn": "arn:aws:iam::123456789012:role/a/b", "RoleSessionName": "me@example.com",
                           "DurationSeconds": 900, "Policy": '{"Version": "2012-10-17"}'}),
    ("ecr", "BatchGetImage", {"registryId": "123456789012", "repositoryName": "team/sk-learn",
                              "imageIds": [{"imageTag": "1.2-cpu"}], "acceptedMediaTypes": ["application/json"]}),
    ("cloudformation", "DescribeStacks", {"StackName": "Signoff"}),
    ("logs", "FilterLogEvents", {"logGroupName": "/aws/lambda/Signoff-RegisterModel", "startTime": 0}),
    ("lambda", "Invoke", {"FunctionName": "Signoff-Sweep:live", "Payload": b"{}", "InvocationType": "Event"}),
    ("sagemaker", "CreateModel", {
        "ModelName": "churn-7", "ExecutionRoleArn": "arn:aws:iam::123456789012:role/signoff/execution",
        "EnableNetworkIsolation": True, "PrimaryContainer": {
            "ModelPackageName": "arn:aws:sagemaker:us-east-1:123456789012:model-package/churn/7"},
        "VpcConfig": {"SecurityGroupIds": ["sg-0a1b"], "Subnets": ["subnet-0a1b"]}}),
    ("sagemaker", "UpdateModelPackage", {
        "ModelPackageArn": "arn:aws:sagemaker:us-east-1:123456789012:model-package/churn/7",
        "ModelApprovalStatus": "Approved", "ApprovalDescription": "good: 97.3 % — “fine”",
        "CustomerMetadataProperties": {"signoff:evidence": "sha256:" + "0" * 64}}),
    ("sagemaker", "ListModelPackages", {"ModelPackageGroupName": "churn", "SortOrder": "Descending", "MaxResults": 100,
                                        "CreationTimeAfter": datetime(2026, 1, 1, tzinfo=UTC)}),
]  # fmt: skip


@pytest.mark.parametrize(("service", "operation", "request_"), ORDINARY_REQUESTS)
def test_an_ordinary_request_to_any_service_raises_no_false_alarm(service, operation, request_):
    assert faults(request_shape(service, operation), request_) == []


@pytest.mark.parametrize(
    ("service", "operation", "request_", "path"),
    [
        ("s3", "PutObject", {"Bucket": "b", "Key": ""}, "Key"),
        ("dynamodb", "GetItem", {"TableName": "T", "Key": {"package": {"X": "a"}}}, "Key.package.X"),
        ("sqs", "SendMessage", {"QueueUrl": "u", "MesageBody": "x"}, "MesageBody"),
        ("stepfunctions", "StartExecution", {"stateMachineArn": "a", "name": "n" * 81}, "name"),
        ("ssm", "GetParametersByPath", {"Path": "/a", "MaxResults": 11}, "MaxResults"),
        ("events", "PutEvents", {"Entries": []}, "Entries"),
        ("sts", "AssumeRole", {"RoleArn": "a" * 20, "RoleSessionName": "two words"}, "RoleSessionName"),
        ("ecr", "BatchGetImage", {"repositoryName": "Upper", "imageIds": []}, "repositoryName"),
        ("sagemaker", "DescribeModel", {"ModelName": "a_b"}, "ModelName"),
    ],
)
def test_a_broken_constraint_of_any_service_is_found(service, operation, request_, path):
    assert path in found(request_shape(service, operation), request_)


leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)


def valued(shape: Any, depth: int = 0) -> st.SearchStrategy[Any]:
    """Generate values that nearly fit a shape: its own members, now and then with something else inside."""
    if depth > 4 or shape.type_name not in {"structure", "list", "map"}:
        return leaves | st.sampled_from(shape.metadata.get("enum") or ["s3://b/k"])
    if shape.type_name == "structure":
        below = {name: st.deferred(lambda m=member: valued(m, depth + 1)) for name, member in shape.members.items()}
        return st.fixed_dictionaries({}, optional=below) | leaves
    if shape.type_name == "list":
        return st.lists(st.deferred(lambda: valued(shape.member, depth + 1)), max_size=2)
    return st.dictionaries(st.text(max_size=4), st.deferred(lambda: valued(shape.value, depth + 1)), max_size=2)


@settings(max_examples=examples(100), deadline=None, suppress_health_check=list(HealthCheck))
@given(valued(CREATE_MODEL))
def test_whatever_botocore_refuses_is_refused_here_too(value):
    errors = ValidationErrors()
    # What botocore itself says: in a test run every client checks the whole model before it sends anything.
    ParamValidator()._validate(value, CREATE_MODEL, errors, name="")

    assert refused(CREATE_MODEL, value) or not errors.has_errors()
