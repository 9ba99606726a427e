"""Transform jobs and temporary models, as SageMaker's own model says that they are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from signoff.aws.sagemaker import Registry
from signoff.aws.transform_jobs import TransformJobs
from signoff.model_package.temporary_model import transform_request

NOW = datetime(2026, 11, 1, tzinfo=UTC)
JOB = {
    "TransformJobName": "signoff-eval-a",
    "TransformJobArn": "arn:aws:sagemaker:us-east-1:123456789012:transform-job/signoff-eval-a",
    "TransformJobStatus": "InProgress",
    "ModelName": "signoff-eval-a",
    "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://vault/held-out/a"}}},
    "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    "CreationTime": NOW,
}


@pytest.fixture
def sagemaker() -> Iterator[Stubber]:
    client = boto3.client("sagemaker", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def test_a_job_that_there_is_not_is_none(sagemaker: Stubber) -> None:
    jobs = TransformJobs(sagemaker.client)
    sagemaker.add_response("describe_transform_job", JOB, {"TransformJobName": "signoff-eval-a"})
    sagemaker.add_client_error("describe_transform_job", "ValidationException", "Could not find requested job")
    sagemaker.add_client_error("describe_transform_job", "AccessDeniedException", "no")

    assert (jobs.describe("signoff-eval-a") or {})["TransformJobStatus"] == "InProgress"
    assert jobs.describe("signoff-eval-b") is None
    with pytest.raises(sagemaker.client.exceptions.ClientError):
        jobs.describe("signoff-eval-c")


def test_a_job_that_has_ended_needs_no_stopping(sagemaker: Stubber) -> None:
    sagemaker.add_response("stop_transform_job", {}, {"TransformJobName": "a"})
    sagemaker.add_client_error("stop_transform_job", "ValidationException", "The job has completed")

    TransformJobs(sagemaker.client).stop("a")
    TransformJobs(sagemaker.client).stop("b")


def test_all_pages_of_jobs_under_way_and_of_old_models_are_read(sagemaker: Stubber) -> None:
    asked: dict[str, Any] = {"NameContains": "signoff-eval-", "CreationTimeBefore": NOW}
    shown = ("TransformJobName", "TransformJobArn", "TransformJobStatus", "CreationTime")
    jobs = [{**{name: JOB[name] for name in shown}, "TransformJobName": name} for name in "ab"]
    under_way = {**asked, "StatusEquals": "InProgress"}
    sagemaker.add_response("list_transform_jobs", {"TransformJobSummaries": jobs[:1], "NextToken": "more"}, under_way)
    sagemaker.add_response(
        "list_transform_jobs", {"TransformJobSummaries": jobs[1:]}, {**under_way, "NextToken": "more"}
    )
    arn = "arn:aws:sagemaker:us-east-1:123456789012:model/c"
    sagemaker.add_response("list_models", {"Models": [{"ModelName": "c", "ModelArn": arn, "CreationTime": NOW}]}, asked)

    assert list(TransformJobs(sagemaker.client).under_way("signoff-eval-", NOW)) == ["a", "b"]
    assert list(Registry(sagemaker.client).models_named("signoff-eval-", NOW)) == ["c"]


@pytest.mark.parametrize(
    ("data", "strategy", "join"),
    [
        ({"content_type": "text/csv", "features": "$[1:]", "id": None}, "MultiRecord", "None"),
        ({"content_type": "application/jsonlines", "features": "$.x", "id": "id"}, "SingleRecord", "Input"),
    ],
)
def test_a_job_is_asked_for_as_sagemaker_knows_it(
    sagemaker: Stubber, data: dict[str, Any], strategy: str, join: str
) -> None:
    request = transform_request(
        "signoff-eval-a", "s3://vault/r", "s3://answers/", data, {"instance_type": "ml.m5.large"}
    )
    sagemaker.add_response("create_transform_job", {"TransformJobArn": JOB["TransformJobArn"]}, request)

    sagemaker.client.create_transform_job(**request)
    assert (request["BatchStrategy"], request["DataProcessing"]["JoinSource"]) == (strategy, join)
    assert request["TransformInput"]["ContentType"] == request["TransformOutput"]["Accept"] == data["content_type"]
