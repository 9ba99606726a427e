"""Which containers of a package run, and how: the specification that is chosen, and a deployment's settings for each.

Works alike on a manifest and on what DescribeModelPackage answers, for both have SageMaker's fields.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PREFIX_MODE = "MultiModel"
# What a model accepts with a package's name; anything else needs the package's containers expanded.
BESIDE_A_PACKAGE = frozenset(
    {"ContainerHostname", "InferenceSpecificationName", "Environment", "ContainerMetricsConfig"}
)


@dataclass(frozen=True)
class RunningContainers:
    """The containers that run, as the package defines them, their path, and the deployment's settings for each.

    A package without an inference specification (of an algorithm, of a source) has no visible containers;
    `settings` then has one entry, for all of it.
    """

    path: str
    containers: tuple[Mapping[str, Any], ...]
    settings: tuple[Mapping[str, Any], ...]

    @property
    def pairs(self) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
        """Each container with its settings."""
        return list(zip(self.containers, self.settings, strict=False))

    def hostname(self, position: int) -> str | None:
        """Return the ContainerHostname of a container, the deployment's before the package's."""
        container, settings = self.pairs[position]
        found: str | None = settings.get("ContainerHostname") or container.get("ContainerHostname")
        return found

    def environment(self, position: int) -> dict[str, str]:
        """Return the environment of a container: the package's, and over it the deployment's."""
        container, settings = self.pairs[position]
        return {**_object(container.get("Environment")), **_object(settings.get("Environment"))}


def given(deployment: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the settings that a manifest's Deployment has for containers, in their order; one, empty, at least."""
    several = deployment.get("Containers")
    if isinstance(several, list) and several:
        return [_object(settings) for settings in several]
    return [_object(deployment.get("PrimaryContainer"))]


def in_vpc(settings: Mapping[str, Any]) -> bool:
    """Return whether a container's image is pulled through a VPC, from a private registry."""
    return _object(settings.get("ImageConfig")).get("RepositoryAccessMode") == "Vpc"


def specification_name(deployment: Mapping[str, Any]) -> str | None:
    """Return the name of the additional inference specification that is chosen, or None for the package's main one."""
    names = [settings.get("InferenceSpecificationName") for settings in given(deployment)]
    return next((name for name in names if isinstance(name, str)), None)


def running(document: Mapping[str, Any], deployment: Mapping[str, Any]) -> RunningContainers:
    """Return the containers of `document` that run under `deployment`, a manifest's Deployment."""
    path, specification = _specification(document, specification_name(deployment))
    defined = specification.get("Containers")
    containers = tuple(_object(each) for each in defined) if isinstance(defined, list) else ()
    return RunningContainers(f"{path}.Containers", containers, _settings(given(deployment), len(containers)))


def _specification(document: Mapping[str, Any], name: str | None) -> tuple[str, Mapping[str, Any]]:
    if name is None:
        return "InferenceSpecification", _object(document.get("InferenceSpecification"))
    additional = document.get("AdditionalInferenceSpecifications")
    for position, specification in enumerate(additional if isinstance(additional, list) else ()):
        if _object(specification).get("Name") == name:
            return f"AdditionalInferenceSpecifications[{position}]", _object(specification)
    return "AdditionalInferenceSpecifications", {}


def _settings(given: Sequence[Mapping[str, Any]], containers: int) -> tuple[Mapping[str, Any], ...]:
    if containers == 0 or len(given) == containers:
        return tuple(given)
    return ({},) * containers


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
