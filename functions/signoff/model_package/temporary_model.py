"""The temporary model of a measurement, and the transform job that it is asked by.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTransformJob.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from signoff.documents.canonical_json import digest
from signoff.model_package.model_request import model_request
from signoff.model_package.subject import described_fields

NAME = "signoff-eval-"  # what the names of temporary models and of their jobs begin with, and of nothing else
TAG = "signoff:evaluation"  # a temporary model's, with the ARN of the package that is measured
_MOST = 6  # MB of a request: a container's server may take no more
_ANSWER = 600  # seconds for the answer to one request
_CSV = "text/csv"
_CONTAINERS = ("PrimaryContainer", "Containers")


def temporary_name(package: str, attempt: int, execution: str, role: str) -> str:
    """Return the name of a temporary model and its job, the same each time for one `role` in one attempt."""
    return f"{NAME}{role}-{digest([package, attempt, execution, role])[:24]}"


def temporary_model(
    name: str, package: str, signed: Mapping[str, Any], uri: Callable[[str], str], execution_role: str
) -> dict[str, Any]:
    """Return the CreateModel request of the temporary model of a `signed` subject, measured for `package`, an ARN.

    Its containers are those that would be deployed, on the vault's copies (`uri` gives a vault key's URI) and images by
    digest; but it has no network, and runs under Signoff's own role. Raises `TargetFault` for a package that container
    definitions cannot express.
    """
    request = model_request(None, described_fields(signed), signed, uri, "")
    return {
        "ModelName": name,
        **{field: value for field, value in request.items() if field in _CONTAINERS},
        "ExecutionRoleArn": execution_role,
        "EnableNetworkIsolation": True,
        "Tags": [{"Key": TAG, "Value": package}],
    }


def transform_request(
    name: str, source: str, output: str, data: Mapping[str, Any], job: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the CreateTransformJob request for the rows at `source`, with the answers below `output` (`s3://` URIs).

    `data` and `job` are those of a policy's evaluation. The model gets the part of each row that `data` says, and rows
    with an id come back with their answer. SageMaker filters and joins only where answers are in the rows' format.
    Lines of JSON are sent one by one, because not every server takes several.
    """
    kind = data["content_type"]
    return {
        "TransformJobName": name,
        "ModelName": name,
        "MaxConcurrentTransforms": 1,
        "MaxPayloadInMB": _MOST,
        "BatchStrategy": "MultiRecord" if kind == _CSV else "SingleRecord",
        "ModelClientConfig": {"InvocationsTimeoutInSeconds": _ANSWER, "InvocationsMaxRetries": 1},
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": source}},
            "ContentType": kind,
            "SplitType": "Line",
        },
        "TransformOutput": {"S3OutputPath": output, "Accept": kind, "AssembleWith": "Line"},
        "DataProcessing": {
            "InputFilter": data["features"],
            "JoinSource": "Input" if data["id"] is not None else "None",
        },
        "TransformResources": {"InstanceType": job["instance_type"], "InstanceCount": 1},
    }
