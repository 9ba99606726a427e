"""What SageMaker's service model does not say about a manifest: who sets which field, and what only the API knows.

The rules are from the API reference of CreateModelPackage and CreateModel:
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModelPackage.html
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModel.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from signoff.faults import Fault
from signoff.shapes import ListOf, Structure, below

OWN_METADATA = "signoff:"
OWN_METADATA_KEYS = 8
METADATA_KEYS = 50
ENVIRONMENT_BYTES = 32 * 1024

_SIGNOFF = "is Signoff's to set; leave it out"
_POLICY = "is not a manifest's to set: the policy of the model package group sets it"
_PACKAGE = "belongs to the package: put it into InferenceSpecification.Containers"
_NOT_YET = "is not supported yet"
_OUTPUT = (
    "is not supported yet: it would let SageMaker write to S3 (S3OutputPath) under a role of the manifest's choice, "
    "and a submission is only read"
)

_CONTAINERS = ("InferenceSpecification.Containers[]", "AdditionalInferenceSpecifications[].Containers[]")
_MODEL_DATA = (
    *(f"{container}.ModelDataSource.S3DataSource" for container in _CONTAINERS),
    *(f"{container}.AdditionalModelDataSources[].S3DataSource" for container in _CONTAINERS),
    "SourceAlgorithmSpecification.SourceAlgorithms[].ModelDataSource.S3DataSource",
)

# Fields of CreateModelPackage that a manifest may not hold, by their path, and why.
REFUSED_IN_PACKAGE = {
    "ModelPackageName": "is for unversioned packages, and a submission becomes a version in its group; leave it out",
    "ModelPackageGroupName": "is Signoff's to set, from the submission's own prefix; leave it out",
    "ModelApprovalStatus": _SIGNOFF,
    "ClientToken": _SIGNOFF,
    "Tags": "may not be given for a package in a group: it uses the tags of the group",
    "ValidationSpecification": _OUTPUT,
    **{f"{source}.ManifestS3Uri": _NOT_YET for source in _MODEL_DATA},
}

# Fields of CreateModel that a manifest's Deployment may hold. Open a field here when create_model passes it on.
DEPLOYMENT_FIELDS = ("InferenceExecutionConfig", "PrimaryContainer", "Containers")
DEPLOYMENT_CONTAINER_FIELDS = ("ContainerHostname", "InferenceSpecificationName")

# Why it may not hold the others. What is not listed either (a field of a newer CreateModel) is not supported yet.
REFUSED_IN_DEPLOYMENT = {
    "ModelName": _SIGNOFF,
    "ExecutionRoleArn": _POLICY,
    "VpcConfig": _POLICY,
    "EnableNetworkIsolation": _POLICY,
    "Tags": _POLICY,
}
REFUSED_IN_DEPLOYMENT_CONTAINER = {
    "ModelPackageName": _SIGNOFF,
    "Image": _PACKAGE,
    "ModelDataUrl": _PACKAGE,
    "ModelDataSource": _PACKAGE,
    "AdditionalModelDataSources": _PACKAGE,
    "Environment": _PACKAGE,
    "Mode": _NOT_YET,
    "MultiModelConfig": _NOT_YET,
    "ImageConfig": _NOT_YET,
    "ContainerMetricsConfig": _NOT_YET,
}


@dataclass(frozen=True)
class ManifestShape:
    """The shape of a manifest: CreateModelPackage without what Signoff sets, and Deployment.

    `refused` says why a field that SageMaker has may not be in a manifest, by its path without indices
    (`Deployment.Containers[].Mode`).
    """

    structure: Structure
    refused: Mapping[str, str]


def manifest_shape(create_shape: Any, model_shape: Any) -> ManifestShape:
    """Return the shape of a manifest from the input shapes of CreateModelPackage and CreateModel."""
    members = {name: shape for name, shape in create_shape.members.items() if name not in REFUSED_IN_PACKAGE}
    members["Deployment"] = _deployment(model_shape)
    container = model_shape.members["PrimaryContainer"]
    refused = {
        **REFUSED_IN_PACKAGE,
        **_refusals("Deployment", model_shape, DEPLOYMENT_FIELDS, REFUSED_IN_DEPLOYMENT),
    }
    for path in ("Deployment.PrimaryContainer", "Deployment.Containers[]"):
        refused |= _refusals(path, container, DEPLOYMENT_CONTAINER_FIELDS, REFUSED_IN_DEPLOYMENT_CONTAINER)
    return ManifestShape(Structure("Manifest", members), refused)


def _refusals(path: str, shape: Any, accepted: tuple[str, ...], reasons: Mapping[str, str]) -> dict[str, str]:
    return {f"{path}.{name}": reasons.get(name, _NOT_YET) for name in shape.members if name not in accepted}


def _deployment(model_shape: Any) -> Structure:
    known = model_shape.members["PrimaryContainer"].members
    container = Structure("ContainerDefinition", {name: known[name] for name in DEPLOYMENT_CONTAINER_FIELDS})
    containers = model_shape.members["Containers"]
    members = {
        **{name: model_shape.members[name] for name in DEPLOYMENT_FIELDS},
        "PrimaryContainer": container,
        "Containers": ListOf(containers.name, container, containers.metadata),
    }
    return Structure("Deployment", members)


def select(value: Any, pattern: str, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield path and value of everything at `pattern` (`AdditionalInferenceSpecifications[].Containers[]`).

    Whatever is missing or of another type on the way is passed over.
    """
    name, _, rest = pattern.partition(".")
    key = name.removesuffix("[]")
    if not isinstance(value, dict) or key not in value:
        return
    here, item = below(path, key), value[key]
    found = [(here, item)]
    if name.endswith("[]"):
        found = [(f"{here}[{i}]", it) for i, it in enumerate(item)] if isinstance(item, list) else []
    for at, it in found:
        if rest:
            yield from select(it, rest, at)
        else:
            yield at, it


def _objects(value: Any, *patterns: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for pattern in patterns:
        yield from ((path, item) for path, item in select(value, pattern) if isinstance(item, dict))


def _something_to_deploy(document: dict[str, Any]) -> Iterator[Fault]:
    sources = ("InferenceSpecification", "SourceAlgorithmSpecification", "SourceUri")
    if not any(source in document for source in sources):
        yield Fault("", "names nothing to deploy: give InferenceSpecification (or SourceAlgorithmSpecification)")


def _containers_have_images(document: dict[str, Any]) -> Iterator[Fault]:
    for path, container in _objects(document, *_CONTAINERS):
        if "Image" not in container:
            yield Fault(below(path, "Image"), "is required and missing: a container needs an image to run")


def _one_source_of_model_data(document: dict[str, Any]) -> Iterator[Fault]:
    for path, item in _objects(document, *_CONTAINERS, "SourceAlgorithmSpecification.SourceAlgorithms[]"):
        if "ModelDataUrl" in item and "ModelDataSource" in item:
            yield Fault(path, "has both ModelDataUrl and ModelDataSource; give one of them")


def _prefixes(document: dict[str, Any]) -> Iterator[Fault]:
    for path, source in _objects(document, *_MODEL_DATA):
        if source.get("S3DataType") != "S3Prefix":
            continue
        if not str(source.get("S3Uri", "/")).endswith("/"):
            yield Fault(below(path, "S3Uri"), "must end in / where S3DataType is S3Prefix")
        yield Fault(below(path, "S3DataType"), "S3Prefix is not supported yet; give one object (S3Object)")


def _uncompressed(document: dict[str, Any]) -> Iterator[Fault]:
    for path, source in _objects(document, *_MODEL_DATA):
        if source.get("CompressionType") == "None":
            yield Fault(below(path, "CompressionType"), "None is not supported yet; give a .tar.gz (Gzip)")


def _other_prefixes(document: dict[str, Any]) -> Iterator[Fault]:
    for path, source in _objects(document, *(f"{container}.AdditionalS3DataSource" for container in _CONTAINERS)):
        if source.get("S3DataType") == "S3Prefix":
            yield Fault(below(path, "S3DataType"), "S3Prefix is not supported yet; give one object (S3Object)")


def _environments_fit(document: dict[str, Any]) -> Iterator[Fault]:
    for path, spec in _objects(document, "InferenceSpecification", "AdditionalInferenceSpecifications[]"):
        size = sum(_bytes(environment) for _, environment in _objects(spec, "Containers[].Environment"))
        if size > ENVIRONMENT_BYTES:
            yield Fault(
                below(path, "Containers"),
                f"have environments of {size:,} bytes; SageMaker takes {ENVIRONMENT_BYTES:,} for a model's together",
            )


def _bytes(environment: dict[str, Any]) -> int:
    return sum(len(f"{key}{value}".encode(errors="replace")) for key, value in environment.items())


def _metadata_keys(document: dict[str, Any]) -> Iterator[Fault]:
    for path, metadata in _objects(document, "CustomerMetadataProperties"):
        for key in metadata:
            if key.casefold().startswith(OWN_METADATA):
                yield Fault(below(path, key), f"begins with {OWN_METADATA}, which is for Signoff's own entries")
        if METADATA_KEYS - OWN_METADATA_KEYS < len(metadata) <= METADATA_KEYS:
            yield Fault(path, f"must have at most {METADATA_KEYS - OWN_METADATA_KEYS} entries: Signoff adds its own")


def _not_for_the_marketplace(document: dict[str, Any]) -> Iterator[Fault]:
    if document.get("CertifyForMarketplace") is True:
        yield Fault("CertifyForMarketplace", "is for unversioned packages, and a submission becomes a version")


def _primary_or_several(document: dict[str, Any]) -> Iterator[Fault]:
    for path, deployment in _objects(document, "Deployment"):
        if "PrimaryContainer" in deployment and "Containers" in deployment:
            yield Fault(path, "has both PrimaryContainer and Containers; give one of them")


def _specification_is_there(document: dict[str, Any]) -> Iterator[Fault]:
    names = {repr(name) for _, name in select(document, "AdditionalInferenceSpecifications[].Name")}
    for path, container in _objects(document, "Deployment.PrimaryContainer", "Deployment.Containers[]"):
        name = container.get("InferenceSpecificationName")
        if isinstance(name, str) and repr(name) not in names:
            yield Fault(
                below(path, "InferenceSpecificationName"),
                "must be the Name of one of AdditionalInferenceSpecifications",
            )


def _hostnames_for_all(document: dict[str, Any]) -> Iterator[Fault]:
    pipelines = _objects(document, "InferenceSpecification", "AdditionalInferenceSpecifications[]", "Deployment")
    for path, pipeline in pipelines:
        containers = [container for _, container in _objects(pipeline, "Containers[]")]
        named = sum("ContainerHostname" in container for container in containers)
        if 0 < named < len(containers):
            yield Fault(below(path, "Containers"), "must have a ContainerHostname on every container where one has it")


RULES: tuple[Callable[[dict[str, Any]], Iterator[Fault]], ...] = (
    _something_to_deploy,
    _containers_have_images,
    _one_source_of_model_data,
    _prefixes,
    _uncompressed,
    _other_prefixes,
    _environments_fit,
    _metadata_keys,
    _not_for_the_marketplace,
    _primary_or_several,
    _specification_is_there,
    _hostnames_for_all,
)
