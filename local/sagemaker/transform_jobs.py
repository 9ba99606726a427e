"""Transform jobs: created, described, listed and stopped. What runs them is given to `SageMakerApi`.

A job refers to a model that exists, reads and writes as the model's execution role, and keeps the model's containers
as they were when it was created.
"""

import copy

from local.sagemaker import pagination
from local.sagemaker.account import ApiCall, Document, RequestRefused, TransformJob, only
from local.sagemaker.models import described_model, serving_containers
from local.sagemaker.tags import tagged
from local.sagemaker.transform_rules import check_model, check_request

_DEFAULTS = {
    "TransformInput": {"CompressionType": "None", "SplitType": "None"},
    "TransformOutput": {"Accept": "", "AssembleWith": "None", "KmsKeyId": ""},
    "DataProcessing": {"InputFilter": "$", "OutputFilter": "$", "JoinSource": "None"},
}


def create_job(call: ApiCall) -> Document:
    """CreateTransformJob: a name is taken once and for ever, the model must exist, and its input, too."""
    request, account = call.request, call.account
    name, model = request["TransformJobName"], described_model(call, request["ModelName"])
    arn = account.arn("transform-job", name)
    check_request(request)
    containers = serving_containers(call, model)
    check_model(containers)
    _check_input(call, request["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"], model["ExecutionRoleArn"])
    if name in account.transform_jobs:
        raise RequestRefused(
            "Job name must be unique within an AWS account and region, "
            f"and a job with this name already exists ({arn})",
            "ResourceInUse",
        )
    if request.get("Tags"):
        call.authorize("sagemaker:AddTags", arn)
    described = _described(request, arn, account.now())
    job = TransformJob(described, copy.deepcopy(containers), model["ExecutionRoleArn"], account.now)
    account.tags[arn] = tagged(request)
    account.transform_jobs[name] = job
    call.transforms(job)
    return {"TransformJobArn": arn}


def describe_job(call: ApiCall) -> Document:
    """DescribeTransformJob: the request, completed by defaults, and what became of it."""
    return copy.deepcopy(_known(call).described)


def stop_job(call: ApiCall) -> Document:
    """StopTransformJob: the job is Stopping, and Stopped when what ran has ended; only while it is in progress."""
    job = _known(call)
    with job.lock:
        if job.status != "InProgress":
            raise RequestRefused(f"The request was rejected because the transform job is in status {job.status}")
        job.described["TransformJobStatus"] = "Stopping"
    job.cancel()
    return {}


def list_jobs(call: ApiCall) -> Document:
    """ListTransformJobs, the latest first unless asked otherwise, by name, status and times."""
    request = call.request
    by, order = request.get("SortBy", "CreationTime"), request.get("SortOrder", "Descending")

    def key(job: Document) -> pagination.Key:
        first = {"Name": [_name(job)], "Status": [job["TransformJobStatus"]], "CreationTime": []}[by]
        return [*first, job["CreationTime"]]

    found = pagination.matching(_summaries(call), request, _name)
    shown, token = pagination.page(found, request, key, label=f"{by} {order}", descending=order == "Descending")
    return {"TransformJobSummaries": shown, **token}


def _summaries(call: ApiCall) -> list[Document]:
    status = call.request.get("StatusEquals")
    after, before = (pagination.moment(call.request.get(f"LastModifiedTime{when}")) for when in ("After", "Before"))
    summaries = [_summary(job.described) for job in call.account.transform_jobs.values()]
    return [
        each
        for each in summaries
        if (status is None or each["TransformJobStatus"] == status)
        and (after is None or each["LastModifiedTime"] > after)
        and (before is None or each["LastModifiedTime"] < before)
    ]


def _summary(described: Document) -> Document:
    times = [
        described[name] for name in ("CreationTime", "TransformStartTime", "TransformEndTime") if name in described
    ]
    return only("TransformJobSummary", described) | {"LastModifiedTime": max(times)}


def _known(call: ApiCall) -> TransformJob:
    name = call.request["TransformJobName"]
    if name not in call.account.transform_jobs:
        raise RequestRefused(f"Could not find requested job with name: {name}")
    return call.account.transform_jobs[name]


def _name(job: Document) -> str:
    return str(job["TransformJobName"])


def _check_input(call: ApiCall, url: str, role: str) -> None:
    if call.finds(url):
        return
    bucket = url.partition("://")[2].partition("/")[0]
    raise RequestRefused(
        f'No S3 objects found under S3 URL "{url}" given in input data source. Please ensure that the bucket exists in '
        f"the selected region ({call.account.region}), that objects exist under that S3 prefix, and that the role "
        f'"{role}" has "s3:ListBucket" permissions on bucket "{bucket}".'
    )


def _described(request: Document, arn: str, now: float) -> Document:
    given = copy.deepcopy(only("DescribeTransformJobResponse", request))
    completed = {name: defaults | given.get(name, {}) for name, defaults in _DEFAULTS.items()}
    return given | completed | {"TransformJobArn": arn, "TransformJobStatus": "InProgress", "CreationTime": now}


RULES = {
    "CreateTransformJob": create_job,
    "DescribeTransformJob": describe_job,
    "StopTransformJob": stop_job,
    "ListTransformJobs": list_jobs,
}
