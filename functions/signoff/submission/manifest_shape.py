"""The shape of a manifest: SageMaker's input shapes, without the fields that Signoff sets.

From CreateModelPackage and CreateModel, as botocore's service model has them:
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModelPackage.html
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModel.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from signoff.service_model import java_patterns
from signoff.service_model.shapes import ListShape, StringShape, StructureShape

_SIGNOFF = "is set by Signoff; leave it out"
_PACKAGE = "belongs to the package: move it to InferenceSpecification.Containers"
_NEWER = "is not supported yet"

# Fields of CreateModelPackage that a manifest may not hold, by their path, and why.
REFUSED_IN_PACKAGE = {
    "ModelPackageName": "is for unversioned packages, and a submission becomes a version in its group; leave it out",
    "ModelPackageGroupName": "is set by Signoff, from the submission's prefix; leave it out",
    "ModelApprovalStatus": _SIGNOFF,
    "ClientToken": _SIGNOFF,
    "Tags": "is not allowed for a package in a group, which uses the group's tags",
}

# Fields of CreateModel that a manifest's Deployment may hold, within what the policy offers.
DEPLOYMENT_FIELDS = (
    *("InferenceExecutionConfig", "PrimaryContainer", "Containers"),
    *("ExecutionRoleArn", "VpcConfig", "EnableNetworkIsolation", "Tags"),
)
DEPLOYMENT_CONTAINER_FIELDS = (
    *("ContainerHostname", "InferenceSpecificationName", "Environment"),
    *("Mode", "MultiModelConfig", "ImageConfig", "ContainerMetricsConfig"),
)

# Why it may not hold the others. What is not listed either (a field of a newer CreateModel) is not supported yet.
REFUSED_IN_DEPLOYMENT = {"ModelName": _SIGNOFF}
REFUSED_IN_DEPLOYMENT_CONTAINER = {
    "ModelPackageName": _SIGNOFF,
    "Image": _PACKAGE,
    "ModelDataUrl": _PACKAGE,
    "ModelDataSource": _PACKAGE,
    "AdditionalModelDataSources": _PACKAGE,
}


EVALUATION_DATA = StructureShape(
    "EvaluationData",
    {
        "Sha256": StringShape(
            "Sha256",
            {"pattern": "^[0-9a-f]{64}$"},
            documentation="SHA-256 of the data set, in hexadecimal. Only models measured on the same are compared.",
        ),
        "Uri": StringShape("Uri", {"min": 1, "max": 1024}, documentation="Where the data set is, for people."),
    },
    required_members=("Sha256",),
    documentation="The data set that the metrics of the model quality document were measured on.",
)


@dataclass(frozen=True)
class ManifestShape:
    """The shape of a manifest: CreateModelPackage without what Signoff sets, and Deployment and EvaluationData.

    `refused` says why a field that SageMaker has may not be in a manifest, by its path without indices
    (`Deployment.Containers[].Mode`).
    """

    structure: StructureShape
    refused: Mapping[str, str]


def takes_s3_uri(shape: Any) -> bool:
    """Whether a string shape holds an S3 URI: its pattern takes one, and does not take a plain word."""
    return shape.type_name == "string" and _takes_s3_uri(shape.metadata.get("pattern") or ".*")


@lru_cache(maxsize=1024)
def _takes_s3_uri(pattern: str) -> bool:
    return java_patterns.matches(pattern, "s3://bucket/key") and not java_patterns.matches(pattern, "plain-name")


def manifest_shape(create_shape: Any, model_shape: Any) -> ManifestShape:
    """Return the shape of a manifest from the input shapes of CreateModelPackage and CreateModel."""
    members = {name: shape for name, shape in create_shape.members.items() if name not in REFUSED_IN_PACKAGE}
    members["Deployment"] = _deployment(model_shape)
    members["EvaluationData"] = EVALUATION_DATA
    container = model_shape.members["PrimaryContainer"]
    refused = {
        **REFUSED_IN_PACKAGE,
        **_refusals("Deployment", model_shape, DEPLOYMENT_FIELDS, REFUSED_IN_DEPLOYMENT),
    }
    for path in ("Deployment.PrimaryContainer", "Deployment.Containers[]"):
        refused |= _refusals(path, container, DEPLOYMENT_CONTAINER_FIELDS, REFUSED_IN_DEPLOYMENT_CONTAINER)
    return ManifestShape(StructureShape("Manifest", members), refused)


def _refusals(path: str, shape: Any, accepted: tuple[str, ...], reasons: Mapping[str, str]) -> dict[str, str]:
    return {f"{path}.{name}": reasons.get(name, _NEWER) for name in shape.members if name not in accepted}


def _deployment(model_shape: Any) -> StructureShape:
    known = model_shape.members["PrimaryContainer"].members
    container = StructureShape("ContainerDefinition", {name: known[name] for name in DEPLOYMENT_CONTAINER_FIELDS})
    containers = model_shape.members["Containers"]
    members = {
        **{name: model_shape.members[name] for name in DEPLOYMENT_FIELDS},
        "PrimaryContainer": container,
        "Containers": ListShape(containers.name, container, containers.metadata),
    }
    about = "How the containers of the deployable model run: these fields of CreateModel."
    return StructureShape("Deployment", members, documentation=about)
