"""The engine's transform jobs keep the rules of the API reference, and say what became of them."""

from typing import Any

import pytest

from local.sagemaker.account import TransformJob
from tests.support.local_sagemaker import CONTAINER, IMAGE, OWN, REGION, ROLE, SPECIFICATION, LocalSageMaker

ROWS = "s3://data/held-out/rows.csv"
ARN = f"arn:aws:sagemaker:{REGION}:{OWN}:transform-job/score"
PREFIX = {"S3Uri": "s3://data/m/", "S3DataType": "S3Prefix", "CompressionType": "None"}


@pytest.fixture
def local() -> LocalSageMaker:
    local = LocalSageMaker()
    local.objects |= {ROWS, "s3://data/m/a"}
    local.model("m", PrimaryContainer=CONTAINER, ExecutionRoleArn=ROLE)
    return local


def request(name: str = "score", **more: Any) -> dict[str, Any]:
    return {
        "TransformJobName": name,
        "ModelName": "m",
        "TransformInput": transform_input(),
        "TransformOutput": {"S3OutputPath": "s3://data/out"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        **more,
    }


def transform_input(url: str = ROWS, kind: str = "S3Prefix", **more: Any) -> dict[str, Any]:
    return {"DataSource": {"S3DataSource": {"S3DataType": kind, "S3Uri": url}}, **more}


def processing(given: str = "text/csv", split: str = "Line", accept: str = "text/csv", **more: str) -> dict[str, Any]:
    return {
        "TransformInput": transform_input(ContentType=given, SplitType=split),
        "TransformOutput": {"S3OutputPath": "s3://data/out", "Accept": accept, "AssembleWith": "Line"},
        "DataProcessing": {"InputFilter": "$[1:]", "JoinSource": "Input", **more},
    }


def started(local: LocalSageMaker, name: str = "score", **more: Any) -> TransformJob:
    local.ask("CreateTransformJob", **request(name, **more))
    return local.started[-1]


def described(local: LocalSageMaker, name: str = "score") -> dict[str, Any]:
    return local.ask("DescribeTransformJob", TransformJobName=name)


REFUSED = [
    ({"ModelName": "none"}, f'Could not find model "arn:aws:sagemaker:{REGION}:{OWN}:model/none".'),
    ({"TransformInput": transform_input("s3://data/none")}, 'No S3 objects found under S3 URL "s3://data/none"'),
    ({"TransformInput": transform_input(kind="AugmentedManifestFile")}, "AugmentedManifestFile is not supported"),
    ({"TransformInput": transform_input(SplitType="TFRecord")}, "TFRecord is not available in the local engine"),
    ({"TransformInput": transform_input(SplitType="Word")}, "TransformInput.SplitType"),
    ({"MaxPayloadInMB": 101}, "must not exceed 100 MB"),
    ({"MaxPayloadInMB": 51, "MaxConcurrentTransforms": 2}, "must not exceed 100 MB, and it is 2 * 51"),
    ({"ModelClientConfig": {"InvocationsMaxRetries": 4}}, "ModelClientConfig.InvocationsMaxRetries"),
    ({"Environment": {f"N{number}": "x" for number in range(17)}}, "at most 16"),
    ({"TransformJobName": "a_b"}, "TransformJobName"),
    ({"Tags": [{"Key": "k", "Value": "v"}] * 2}, "Duplicate tag keys"),
    (processing(given="image/png"), "ContentType and Accept to be one of"),
    (processing(accept="application/json"), "ContentType and Accept to be one of"),
    (processing(split="None"), "text/csv needs SplitType and AssembleWith to be Line"),
    (processing("application/json", "None", "application/json"), "the same SplitType and AssembleWith"),
    (processing(InputFilter="[1]"), "DataProcessing.InputFilter: '[1]' does not begin with $"),
    (processing(OutputFilter="$[0:2]"), "DataProcessing.OutputFilter: '$[0:2]' cannot be read from character 2"),
]


@pytest.mark.parametrize(("change", "message"), REFUSED, ids=[message[:40] for _, message in REFUSED])
def test_what_the_api_does_not_take_is_refused(local: LocalSageMaker, change: dict[str, Any], message: str) -> None:
    code, said = local.refusal("CreateTransformJob", **request(**change))

    assert code == "ValidationException"
    assert message in said
    assert local.started == []


@pytest.mark.parametrize(
    ("container", "message"),
    [
        ({"Image": IMAGE, "ModelDataSource": {"S3DataSource": PREFIX}}, "which use ModelDataSource attribute"),
        ({"Image": IMAGE, "Mode": "MultiModel", "ModelDataUrl": "s3://data/m/"}, "MultiModel mode"),
        (
            {**CONTAINER, "AdditionalModelDataSources": [{"ChannelName": "c", "S3DataSource": PREFIX}]},
            "which use AdditionalModelDataSources attribute",
        ),
    ],
)
def test_a_model_that_batch_transform_cannot_load_is_refused(
    local: LocalSageMaker, container: dict[str, Any], message: str
) -> None:
    local.model("other", PrimaryContainer=container, ExecutionRoleArn=ROLE)

    assert message in local.refusal("CreateTransformJob", **request(ModelName="other"))[1]


def test_a_job_is_described_as_it_was_asked_for_and_completed_by_defaults(local: LocalSageMaker) -> None:
    assert local.ask("CreateTransformJob", **request(BatchStrategy="SingleRecord")) == {"TransformJobArn": ARN}

    found = described(local)

    assert (found["TransformJobArn"], found["TransformJobStatus"]) == (ARN, "InProgress")
    assert found["BatchStrategy"] == "SingleRecord"
    assert found["TransformInput"] == transform_input(CompressionType="None", SplitType="None")
    assert found["DataProcessing"] == {"InputFilter": "$", "OutputFilter": "$", "JoinSource": "None"}
    assert "Tags" not in found


def test_a_job_runs_the_containers_that_its_model_had_under_the_models_role(local: LocalSageMaker) -> None:
    job = started(local)
    local.ask("DeleteModel", ModelName="m")

    assert job.role == ROLE
    assert [each["Image"] for each in job.containers] == [IMAGE]


def test_a_model_of_a_package_runs_the_packages_containers_with_the_models_variables(local: LocalSageMaker) -> None:
    local.group()
    package = local.approved(InferenceSpecification=SPECIFICATION)
    container = {"ModelPackageName": package, "Environment": {"A": "1"}}
    local.model("packaged", PrimaryContainer=container, ExecutionRoleArn=ROLE)

    job = started(local, ModelName="packaged")

    assert job.containers == [{**CONTAINER, "Environment": {"A": "1"}}]


def test_a_name_is_taken_for_ever(local: LocalSageMaker) -> None:
    started(local).end()

    code, said = local.refusal("CreateTransformJob", **request())

    assert code == "ResourceInUse"
    assert said.endswith(f"a job with this name already exists ({ARN})")


def test_a_job_that_ends_says_so(local: LocalSageMaker) -> None:
    job = started(local)
    job.begin()
    job.end()

    found = described(local)
    assert found["TransformJobStatus"] == "Completed"
    assert found["CreationTime"] < found["TransformStartTime"] < found["TransformEndTime"]
    assert "FailureReason" not in found


def test_a_job_that_fails_says_why_in_as_many_characters_as_there_may_be(local: LocalSageMaker) -> None:
    started(local).end("x" * 2000)

    assert (described(local)["TransformJobStatus"], described(local)["FailureReason"]) == ("Failed", "x" * 1024)


def test_a_job_that_is_stopped_is_cancelled_and_has_not_failed(local: LocalSageMaker) -> None:
    job, cancelled = started(local), []
    job.cancel = lambda: cancelled.append(job.status)

    local.ask("StopTransformJob", TransformJobName="score")
    assert (described(local)["TransformJobStatus"], cancelled) == ("Stopping", ["Stopping"])

    job.end("killed")
    assert described(local)["TransformJobStatus"] == "Stopped"
    assert "FailureReason" not in described(local)


def test_a_job_that_has_ended_cannot_be_stopped(local: LocalSageMaker) -> None:
    started(local).end()

    refused = local.refusal("StopTransformJob", TransformJobName="score")

    assert refused[1] == "The request was rejected because the transform job is in status Completed"


@pytest.mark.parametrize("action", ["DescribeTransformJob", "StopTransformJob"])
def test_an_unknown_job_is_refused(local: LocalSageMaker, action: str) -> None:
    refused = local.refusal(action, TransformJobName="none")

    assert refused == ("ValidationException", "Could not find requested job with name: none")


def test_jobs_are_listed_the_latest_first_by_name_and_status(local: LocalSageMaker) -> None:
    for name in ("a-1", "a-2", "b-1"):
        started(local, name)
    local.started[1].end("broken")

    def names(**asked: Any) -> list[str]:
        found = local.ask("ListTransformJobs", **asked)["TransformJobSummaries"]
        return [each["TransformJobName"] for each in found]

    assert names() == ["b-1", "a-2", "a-1"]
    assert names(NameContains="a-", SortOrder="Ascending") == ["a-1", "a-2"]
    assert names(StatusEquals="Failed") == ["a-2"]
    assert names(SortBy="Status", SortOrder="Ascending") == ["a-2", "a-1", "b-1"]
    assert names(LastModifiedTimeAfter=local.started[2].described["CreationTime"]) == ["a-2"]


def test_jobs_are_listed_in_pages(local: LocalSageMaker) -> None:
    for number in range(5):
        started(local, f"job-{number}")

    pages = list(local.pages("ListTransformJobs", "TransformJobSummaries", MaxResults=2, SortBy="Name"))

    assert [[each["TransformJobName"][-1] for each in page] for page in pages] == [["4", "3"], ["2", "1"], ["0"]]


def test_a_job_has_its_tags(local: LocalSageMaker) -> None:
    started(local, Tags=[{"Key": "a", "Value": "1"}])
    local.ask("AddTags", ResourceArn=ARN, Tags=[{"Key": "b", "Value": "2"}])

    found = local.ask("ListTags", ResourceArn=ARN)["Tags"]

    assert {each["Key"]: each["Value"] for each in found} == {"a": "1", "b": "2"}


def test_tags_of_a_new_job_need_permission(local: LocalSageMaker) -> None:
    local.forbidden = {("sagemaker:AddTags", ARN)}

    assert (
        local.refusal("CreateTransformJob", **request(Tags=[{"Key": "a", "Value": "1"}]))[0] == "AccessDeniedException"
    )
    assert started(local).status == "InProgress"
