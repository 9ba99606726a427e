"""Manifests to test with: a good one, and ways to change it."""

from typing import Any

from signoff.service_model.sagemaker import sagemaker_shape
from signoff.submission.manifest import Manifest
from signoff.submission.manifest_shape import manifest_shape

SHAPE = manifest_shape(sagemaker_shape("CreateModelPackage"), sagemaker_shape("CreateModel"))
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/sklearn:1.2"
MODEL_DATA = "InferenceSpecification.Containers[0].ModelDataUrl"


def manifest(document: Any) -> Manifest:
    return Manifest(document, "artifacts", "churn/run-7", SHAPE)


def found(document: Any) -> dict[str, str]:
    return {fault.path: fault.message for fault in manifest(document).faults()}


def with_container(**fields: Any) -> dict[str, Any]:
    return {"InferenceSpecification": {"Containers": [{"Image": IMAGE, "ModelDataUrl": "model.tar.gz", **fields}]}}


def with_source(**fields: Any) -> dict[str, Any]:
    source = {"S3Uri": "model.tar.gz", "S3DataType": "S3Object", "CompressionType": "Gzip", **fields}
    return {"InferenceSpecification": {"Containers": [{"Image": IMAGE, "ModelDataSource": {"S3DataSource": source}}]}}


GOOD = {
    **with_container(Environment={"SAGEMAKER_PROGRAM": "inference.py"}, Framework="SKLEARN"),
    "ModelPackageDescription": "Churn, trained on March's data",
    "ModelMetrics": {
        "ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": "metrics/quality.json"}},
        "Bias": {"Report": {"ContentType": "application/json", "S3Uri": "metrics/bias.json"}},
    },
    "SamplePayloadUrl": "s3://artifacts/churn/run-7/payload.tar.gz",
    "CustomerMetadataProperties": {"team": "growth"},
    "Deployment": {"PrimaryContainer": {"ContainerHostname": "model"}},
}
