"""Where a package's model data comes from: the fields that name it, by SageMaker's own names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from signoff.documents.faults import below
from signoff.service_model.shapes import objects

CONTAINERS = ("InferenceSpecification.Containers[]", "AdditionalInferenceSpecifications[].Containers[]")
ALGORITHMS = "SourceAlgorithmSpecification.SourceAlgorithms[]"
SOURCES = (
    *(f"{container}.ModelDataSource.S3DataSource" for container in CONTAINERS),
    *(f"{container}.AdditionalModelDataSources[].S3DataSource" for container in CONTAINERS),
    f"{ALGORITHMS}.ModelDataSource.S3DataSource",
)
OTHER_SOURCES = tuple(f"{container}.AdditionalS3DataSource" for container in CONTAINERS)
# Where an ETag is, its field, and the field beside it with the location of its object.
ETAGS = (
    *((pattern, "ModelDataETag", "ModelDataUrl") for pattern in (*CONTAINERS, ALGORITHMS)),
    *((pattern, "ETag", "S3Uri") for pattern in (*SOURCES, *OTHER_SOURCES)),
    *((pattern, "ManifestEtag", "ManifestS3Uri") for pattern in SOURCES),
)

_REPEATED = {"S3Uri", "S3DataType", "CompressionType", "ETag"}


def etags(document: Any) -> Iterator[tuple[str, dict[str, Any], str, str]]:
    """Yield, for each ETag in `document`, its path, the object it stands in, its field and that of the location."""
    for pattern, etag, location in ETAGS:
        for path, item in objects(document, pattern):
            if etag in item:
                yield below(path, etag), item, etag, location


def from_hub(source: Mapping[str, Any]) -> bool:
    """Whether a data source is hub content, which SageMaker opens to the model and Signoff cannot read."""
    return "HubAccessConfig" in source and str(source.get("S3Uri", "")).startswith("s3://")


def stays_in_hub(source: Mapping[str, Any], location: str) -> bool:
    """Whether what a data source names in its field `location` is hub content; a manifest file beside it is not."""
    return location == "S3Uri" and from_hub(source)


def shown_twice(item: Mapping[str, Any]) -> bool:
    """Whether a container's ModelDataSource only repeats its ModelDataUrl, as SageMaker describes it to newer readers.

    https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/sagemaker_model (model_data_source)
    """
    source = (item.get("ModelDataSource") or {}).get("S3DataSource") or {}
    same = bool(item.get("ModelDataUrl")) and source.get("S3Uri") == item["ModelDataUrl"]
    return same and source.keys() <= _REPEATED  # a manifest file or hub content would be something else


def in_hub(document: Any) -> set[str]:
    """Return the paths of the locations of hub content, which are outside the submission."""
    return {below(path, "S3Uri") for path, source in objects(document, *SOURCES) if from_hub(source)}


def is_prefix(name: str) -> bool:
    """Whether a name or an S3 URI means all objects under it, and not one object."""
    return name.endswith("/")
