"""The deployable model of a signed package: its name, the CreateModel request, and whether a model is that one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from signoff.subject import covers

NAME_LIMIT = 63


def model_name(group: str, version: int | None, subject: str) -> str:
    """Return the name of the model of a package, the same each time: group, version and the subject's first digits."""
    suffix = f"-v{version or 0}-{subject[:10]}"
    return f"{group[: NAME_LIMIT - len(suffix)].rstrip('-')}{suffix}"


def model_request(
    arn: str, described: Mapping[str, Any], signed: Mapping[str, Any], uri: Callable[[str], str], evidence: str
) -> dict[str, Any]:
    """Return the CreateModel request, without the name, for a package whose `signed` subject still holds.

    SageMaker takes everything from the package where that is pinned: its model data in the vault, its images by digest.
    Otherwise the package is expanded into container definitions on the vault's copies (`uri` gives a vault key's URI)
    and images by digest, for a package's own URL can be overwritten after everybody has signed.
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModel.html
    """
    policy, manifest = signed["deployment"]["policy"], signed["deployment"]["manifest"]
    request: dict[str, Any] = {
        "ExecutionRoleArn": policy["execution_role"],
        "EnableNetworkIsolation": policy["network_isolation"],
        "Tags": [
            {"Key": key, "Value": value} for key, value in {**policy["tags"], "signoff:evidence": evidence}.items()
        ],
    }
    if policy["vpc"]:
        request["VpcConfig"] = {
            "SecurityGroupIds": list(policy["vpc"]["security_groups"]),
            "Subnets": list(policy["vpc"]["subnets"]),
        }
    if manifest.get("InferenceExecutionConfig"):
        request["InferenceExecutionConfig"] = manifest["InferenceExecutionConfig"]
    containers = _containers(arn, described, signed, manifest, uri)
    return {**request, **({"PrimaryContainer": containers[0]} if len(containers) == 1 else {"Containers": containers})}


def _containers(
    arn: str,
    described: Mapping[str, Any],
    signed: Mapping[str, Any],
    manifest: Mapping[str, Any],
    uri: Callable[[str], str],
) -> list[dict[str, Any]]:
    given = manifest.get("Containers") or [manifest.get("PrimaryContainer") or {}]
    if _pinned(signed, uri):
        return [{"ModelPackageName": arn, **container} for container in given]
    urls = {artifact["url"]: uri(artifact["key"]) for artifact in signed["artifacts"]}
    specification = described.get("InferenceSpecification") or {}
    return [_expanded(container, urls, signed["images"]) for container in specification.get("Containers", ())]


def _pinned(signed: Mapping[str, Any], uri: Callable[[str], str]) -> bool:
    in_vault = all(artifact["url"] == uri(artifact["key"]) for artifact in signed["artifacts"])
    return in_vault and all(image == by_digest for image, by_digest in signed["images"].items())


def _expanded(container: Mapping[str, Any], urls: Mapping[str, str], images: Mapping[str, str]) -> dict[str, Any]:
    expanded: dict[str, Any] = {"Image": images[container["Image"]]}
    if container.get("ModelDataUrl"):
        expanded["ModelDataUrl"] = urls[container["ModelDataUrl"]]
    for field in ("ContainerHostname", "Environment"):
        if container.get(field):
            expanded[field] = container[field]
    return expanded


def differences(request: Mapping[str, Any], described: Mapping[str, Any]) -> list[str]:
    """Return the fields of a CreateModel request that DescribeModel does not show as they were asked for."""
    asked = {field: value for field, value in request.items() if field != "Tags"}
    return sorted(field for field, value in asked.items() if not covers(described.get(field), value))
