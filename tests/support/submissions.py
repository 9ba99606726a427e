"""Small submissions, made in memory: what a data scientist would upload, and everything that can be wrong with it."""

import gzip
import json
from typing import Any

from local.engine.seed import DIGEST
from tests.support.archives import FILES, member, tar

IMAGE = f"123456789012.dkr.ecr.us-east-1.amazonaws.com/sklearn-inference@{DIGEST}"
Files = dict[str, bytes]


def model_archive(*more: Any, **files: bytes) -> bytes:
    """A model.tar.gz of an honest model's files, those given as keywords beside them, and any further members."""
    members = [member(name, content) for name, content in {**FILES, **files}.items()]
    return gzip.compress(tar(*members, *more), mtime=0)


def specification(url: str = "model.tar.gz", image: str = IMAGE) -> dict[str, Any]:
    """An inference specification of one container."""
    return {
        "Containers": [{"Image": image, "ModelDataUrl": url}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }


def image_only() -> dict[str, Any]:
    """An inference specification of one container that loads no model data."""
    return {**specification(), "Containers": [{"Image": IMAGE}]}


def metrics(url: str = "model_quality.json") -> dict[str, Any]:
    """ModelMetrics that name a model quality document."""
    return {"ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": url}}}


def quality(accuracy: float) -> bytes:
    """A model quality document in SageMaker Model Monitor's JSON."""
    scores = {"accuracy": {"value": accuracy, "standard_deviation": 0.01}}
    return as_json({"binary_classification_metrics": scores})


def manifest(**fields: Any) -> dict[str, Any]:
    """A manifest of one container that nothing is wrong with, and `fields` beside or instead of its own."""
    return {"InferenceSpecification": specification(), **fields}


def as_json(document: Any) -> bytes:
    """A document's bytes."""
    return json.dumps(document).encode()


def honest(**fields: Any) -> Files:
    """The files of a submission that nothing is wrong with, the manifest last."""
    return {"model.tar.gz": model_archive(), "manifest.json": as_json(manifest(**fields))}


def measured(accuracy: float, **fields: Any) -> Files:
    """The files of a submission with a model quality document."""
    return {"model_quality.json": quality(accuracy), **honest(ModelMetrics=metrics(), **fields)}
