"""The deployable model of a signed package: its name, the CreateModel request, and whether a model is that one.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModel.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from signoff.errors import TargetFault
from signoff.model_package.containers import BESIDE_A_PACKAGE, RunningContainers, running, specification_name
from signoff.model_package.data_sources import ETAGS, shown_twice
from signoff.model_package.images import in_region

NAME_LIMIT = 63
EVIDENCE_TAG = "signoff:evidence"  # a model's, with the digest of what was signed
# Fields copied unchanged from a package's container to a model's.
_COPIED = ("ContainerHostname",)
_SETTINGS = ("ContainerHostname", "Mode", "MultiModelConfig", "ImageConfig", "ContainerMetricsConfig")
# Fields of a package's container that a model's container does not have.
NOT_IN_A_MODEL = ("ProductId", "AdditionalS3DataSource")
MODEL_DATA = ("ModelDataUrl", "ModelDataSource.S3DataSource.S3Uri")
ETAG_OF = {etag: location for _, etag, location in ETAGS}


def model_name(group: str, version: int | None, subject: str) -> str:
    """Return the name of the model of a package, the same each time: group, version and the subject's first digits."""
    suffix = f"-v{version or 0}-{subject[:10]}"
    return f"{group[: NAME_LIMIT - len(suffix)].rstrip('-')}{suffix}"


def model_request(
    arn: str | None, described: Mapping[str, Any], signed: Mapping[str, Any], uri: Callable[[str], str], evidence: str
) -> dict[str, Any]:
    """Return the CreateModel request, without the name, for a package whose `signed` subject still holds.

    SageMaker takes everything from the package where it can and where that is pinned: its model data in the vault, its
    images by digest. Otherwise, and without an `arn`, the package is expanded into container definitions on the vault's
    copies (`uri` gives a vault key's URI) and images by digest, because a package's own URL can be overwritten
    after the approval.
    """
    policy, manifest = signed["deployment"]["policy"], signed["deployment"]["manifest"]
    request: dict[str, Any] = {
        "ExecutionRoleArn": policy["execution_role"],
        "EnableNetworkIsolation": policy["network_isolation"],
        "Tags": [{"Key": key, "Value": value} for key, value in {**policy["tags"], EVIDENCE_TAG: evidence}.items()],
    }
    if policy["vpc"]:
        request["VpcConfig"] = {
            "SecurityGroupIds": list(policy["vpc"]["security_groups"]),
            "Subnets": list(policy["vpc"]["subnets"]),
        }
    if manifest.get("InferenceExecutionConfig"):
        request["InferenceExecutionConfig"] = manifest["InferenceExecutionConfig"]
    containers = _containers(arn, described, signed, uri)
    return {**request, **({"PrimaryContainer": containers[0]} if len(containers) == 1 else {"Containers": containers})}


def target_request(
    described: Mapping[str, Any],
    signed: Mapping[str, Any],
    target: Mapping[str, Any],
    uri: Callable[[str], str],
    evidence: str,
) -> dict[str, Any]:
    """Return the CreateModel request, without the name, for a further place (`target`, of the signed policy).

    The package is always expanded, for SageMaker takes no package of another region. Model data is at `uri` of a vault
    in the target's region, images are those of the same digest in that region, where Amazon ECR replicates them to.
    Raises `TargetFault` for a package that container definitions cannot express.
    """
    own = signed["deployment"]
    policy = {**own["policy"], "execution_role": target["execution_role"], "vpc": target["vpc"]}
    images = {image: in_region(pinned, target["region"]) for image, pinned in signed["images"].items()}
    elsewhere = {**signed, "deployment": {**own, "policy": policy}, "images": images}
    return model_request(None, described, elsewhere, uri, evidence)


def _containers(
    arn: str | None, described: Mapping[str, Any], signed: Mapping[str, Any], uri: Callable[[str], str]
) -> list[dict[str, Any]]:
    manifest = signed["deployment"]["manifest"]
    found = running(described, manifest)
    if arn is None:
        must_be_expandable(found)
    elif not found.containers or (pinned(signed, uri) and not why_expanded(described, manifest)):
        return [_by_package(arn, found, specification_name(manifest))]
    copies = {artifact["url"]: uri(artifact["key"]) for artifact in signed["artifacts"]}
    return [
        _expanded(found, position, signed["images"], lambda url: copies.get(url, url))
        for position in range(len(found.containers))
    ]


def must_be_expandable(found: RunningContainers) -> None:
    """Raise `TargetFault` unless every container can be written out where the package itself is not."""
    lost = sorted({field for container in found.containers for field in NOT_IN_A_MODEL if container.get(field)})
    if not found.containers or lost:
        what = f"{', '.join(lost)}, which no container of a model can hold" if lost else "no containers of its own"
        raise TargetFault(f"the package has {what}: SageMaker makes its model only where the package is")


def _by_package(arn: str, found: RunningContainers, specification: str | None) -> dict[str, Any]:
    container = {"ModelPackageName": arn, **(found.settings[0] if len(found.settings) == 1 else {})}
    return container if specification is None else {**container, "InferenceSpecificationName": specification}


def why_expanded(described: Mapping[str, Any], manifest: Mapping[str, Any]) -> list[str]:
    """Return what in a deployment SageMaker does not take beside a package's name; empty when it takes all of it."""
    found = running(described, manifest)
    if not found.containers:
        return []
    asked = {field for settings in found.settings for field in settings}
    if len(found.containers) > 1:
        reasons = asked - {"InferenceSpecificationName"}
    else:
        reasons = asked - BESIDE_A_PACKAGE
        # SageMaker has refused this even for an empty environment in the package.
        if found.containers[0].get("Environment") is not None and found.settings[0].get("Environment"):
            reasons |= {"Environment"}
    if manifest.get("InferenceExecutionConfig"):
        reasons |= {"InferenceExecutionConfig"}
    if described.get("SourceUri"):
        reasons |= {"SourceUri"}  # with a specification beside it, the specification is what was inspected
    return sorted(reasons)


def pinned(signed: Mapping[str, Any], uri: Callable[[str], str]) -> bool:
    """Return whether the package itself names the vault's copies and its images by digest."""
    in_vault = all(artifact["url"] == uri(artifact["key"]) for artifact in signed["artifacts"])
    return in_vault and all(image == by_digest for image, by_digest in signed["images"].items())


def _expanded(
    found: RunningContainers, position: int, images: Mapping[str, str], copy_of: Callable[[str], str]
) -> dict[str, Any]:
    """Return a container of a package as one of a model, on the vault's copies and the image by digest."""
    container, settings = found.pairs[position]
    expanded: dict[str, Any] = {"Image": images[container["Image"]]}
    for field in ("ModelDataUrl", "ModelDataSource", "AdditionalModelDataSources"):
        if container.get(field) and not (field == "ModelDataSource" and shown_twice(container)):
            expanded[field] = _on_copies(container[field], copy_of)
    expanded |= {field: container[field] for field in _COPIED if container.get(field)}
    expanded |= {field: settings[field] for field in _SETTINGS if field in settings}
    environment = found.environment(position)
    return {**expanded, "Environment": environment} if environment else expanded


def _on_copies(value: Any, copy_of: Callable[[str], str]) -> Any:
    """Return model data with each location's copy in its place, without the ETags of objects that have another one."""
    if isinstance(value, list):
        return [_on_copies(item, copy_of) for item in value]
    if isinstance(value, Mapping):
        lost = {etag for etag, location in ETAG_OF.items() if not _stays(value.get(location), copy_of)}
        return {field: _on_copies(item, copy_of) for field, item in value.items() if field not in lost}
    return copy_of(value) if isinstance(value, str) else value


def _stays(location: Any, copy_of: Callable[[str], str]) -> bool:
    return isinstance(location, str) and copy_of(location) == location
