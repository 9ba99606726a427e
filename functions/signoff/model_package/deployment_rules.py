"""The API's rules on running containers that its service model lacks: pipelines, multi-model, private registries.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ContainerDefinition.html
https://docs.aws.amazon.com/sagemaker/latest/dg/multi-model-endpoints.html
https://docs.aws.amazon.com/sagemaker/latest/dg/multi-container-endpoints.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from signoff.documents.faults import Fault, below
from signoff.model_package.containers import BESIDE_A_PACKAGE, PREFIX_MODE, RunningContainers, in_vpc, running
from signoff.model_package.data_sources import CONTAINERS, is_prefix
from signoff.model_package.images import image_reference
from signoff.service_model.shapes import objects, select

ENVIRONMENT_BYTES = 32 * 1024
_SETTINGS = ("Deployment.PrimaryContainer", "Deployment.Containers[]")


def _deployment(document: dict[str, Any]) -> dict[str, Any]:
    found = document.get("Deployment")
    return found if isinstance(found, dict) else {}


def _running(document: dict[str, Any]) -> RunningContainers:
    return running(document, _deployment(document))


def primary_or_several(document: dict[str, Any]) -> Iterator[Fault]:
    """A model has one container or a list of them."""
    for path, deployment in objects(document, "Deployment"):
        if "PrimaryContainer" in deployment and "Containers" in deployment:
            yield Fault(path, "has both PrimaryContainer and Containers; give one of them")


def specification_is_there(document: dict[str, Any]) -> Iterator[Fault]:
    """The specification that is chosen is one of the package's, and one for the whole model."""
    names = {repr(name) for _, name in select(document, "AdditionalInferenceSpecifications[].Name")}
    chosen = []
    for path, container in objects(document, *_SETTINGS):
        name = container.get("InferenceSpecificationName")
        chosen.append(repr(name))
        if isinstance(name, str) and repr(name) not in names:
            yield Fault(
                below(path, "InferenceSpecificationName"),
                "must be the Name of one of AdditionalInferenceSpecifications",
            )
    if len(set(chosen)) > 1:
        yield Fault("Deployment.Containers", "must have one InferenceSpecificationName, the same on each, or none")


def settings_go_by_position(document: dict[str, Any]) -> Iterator[Fault]:
    """There are as many settings as containers, so that they match by position."""
    deployment, containers = _deployment(document), len(_running(document).containers)
    if containers == 0:
        yield from _without_specification(deployment)
        return
    several, primary = deployment.get("Containers"), deployment.get("PrimaryContainer")
    if isinstance(several, list) and len(several) != containers:
        yield Fault("Deployment.Containers", f"must have one entry for each container that runs: {containers}")
    if isinstance(primary, dict) and containers > 1 and set(primary) - {"InferenceSpecificationName"}:
        yield Fault("Deployment.PrimaryContainer", f"is for one container, and {containers} run: give Containers")


def _without_specification(deployment: dict[str, Any]) -> Iterator[Fault]:
    if deployment.get("Containers"):
        yield Fault("Deployment.Containers", "needs an InferenceSpecification whose containers these settings are for")
    for path, container in objects(deployment, "PrimaryContainer"):
        for field in sorted(set(container) - BESIDE_A_PACKAGE):
            yield Fault(below(f"Deployment.{path}", field), "needs an InferenceSpecification that says what it is for")


def multi_model(document: dict[str, Any]) -> Iterator[Fault]:
    """A multi-model container loads from a prefix, and nothing else does by ModelDataUrl."""
    found = _running(document)
    several = {
        f"{found.path}[{position}]"
        for position, (_, settings) in enumerate(found.pairs)
        if settings.get("Mode") == PREFIX_MODE
    }
    for path, container in objects(document, *CONTAINERS):
        url = container.get("ModelDataUrl")
        prefix = isinstance(url, str) and is_prefix(url)
        runs = path.rpartition("[")[0] == found.path
        if prefix and runs and path not in several:
            yield Fault(below(path, "ModelDataUrl"), f"is a prefix, which only a container of Mode {PREFIX_MODE} loads")
        if path in several and not prefix:
            yield Fault(
                path, f"runs in Mode {PREFIX_MODE}: it needs a ModelDataUrl that ends in /, and no other model data"
            )
    if len(several) > 1:
        yield Fault("Deployment.Containers", f"may have one container of Mode {PREFIX_MODE} in a pipeline")


def settings_that_need_others(document: dict[str, Any]) -> Iterator[Fault]:
    """Caching is for multi-model containers, and credentials are for a registry in the VPC."""
    for path, container in objects(document, *_SETTINGS):
        if "MultiModelConfig" in container and container.get("Mode") != PREFIX_MODE:
            yield Fault(below(path, "MultiModelConfig"), f"is for a container of Mode {PREFIX_MODE}")
        for at, image in objects(container, "ImageConfig"):
            if "RepositoryAuthConfig" in image and image.get("RepositoryAccessMode") != "Vpc":
                yield Fault(below(f"{path}.{at}", "RepositoryAuthConfig"), "is for RepositoryAccessMode Vpc")


def images_that_sagemaker_pulls(document: dict[str, Any]) -> Iterator[Fault]:
    """Images come from Amazon ECR, or through a VPC from a registry in it."""
    found = _running(document)
    for position, (container, settings) in enumerate(found.pairs):
        image = container.get("Image")
        if isinstance(image, str) and image_reference(image) is None and not in_vpc(settings):
            path = f"{found.path}[{position}].Image"
            yield Fault(
                path,
                "is in no private registry of Amazon ECR: push it there, or have the model pull it through a VPC "
                "(Deployment's ImageConfig.RepositoryAccessMode Vpc)",
            )


def execution_of_several(document: dict[str, Any]) -> Iterator[Fault]:
    """An InferenceExecutionConfig needs several containers; Direct mode calls them by name."""
    found = _running(document)
    for path, execution in objects(document, "Deployment.InferenceExecutionConfig"):
        if len(found.containers) < 2:
            yield Fault(path, "is for a model of 2 containers or more")
        elif execution.get("Mode") == "Direct" and not all(map(found.hostname, range(len(found.pairs)))):
            yield Fault(
                below(path, "Mode"), "Direct needs a ContainerHostname on each container, by which it is called"
            )


def hostnames_for_all(document: dict[str, Any]) -> Iterator[Fault]:
    """Where one container of a pipeline has a name, all have."""
    pipelines = objects(document, "InferenceSpecification", "AdditionalInferenceSpecifications[]", "Deployment")
    for path, pipeline in pipelines:
        containers = [container for _, container in objects(pipeline, "Containers[]")]
        named = sum("ContainerHostname" in container for container in containers)
        if 0 < named < len(containers):
            yield Fault(below(path, "Containers"), "must have a ContainerHostname on every container where one has it")


def hostnames_differ(document: dict[str, Any]) -> Iterator[Fault]:
    """Each container has its own hostname, by which it is called."""
    found = _running(document)
    names = [name for name in map(found.hostname, range(len(found.pairs))) if isinstance(name, str)]
    if len(set(names)) < len(names):
        yield Fault(found.path, "must each have a ContainerHostname of its own, here or in the Deployment")


def environments_fit(document: dict[str, Any]) -> Iterator[Fault]:
    """A model's environments together have a limit, those of a specification and those that run."""
    for path, spec in objects(document, "InferenceSpecification", "AdditionalInferenceSpecifications[]"):
        yield from _fits(below(path, "Containers"), [env for _, env in objects(spec, "Containers[].Environment")])
    found = _running(document)
    if any(settings.get("Environment") for settings in found.settings):
        yield from _fits("Deployment", [found.environment(position) for position in range(len(found.pairs))])


def _fits(path: str, environments: list[dict[str, Any]]) -> Iterator[Fault]:
    size = sum(len(f"{key}{value}".encode(errors="replace")) for each in environments for key, value in each.items())
    if size > ENVIRONMENT_BYTES:
        message = f"have environments of {size:,} bytes in total; SageMaker allows {ENVIRONMENT_BYTES:,} for a model"
        yield Fault(path, message)


RULES = (
    primary_or_several,
    specification_is_there,
    settings_go_by_position,
    multi_model,
    settings_that_need_others,
    images_that_sagemaker_pulls,
    execution_of_several,
    hostnames_for_all,
    hostnames_differ,
    environments_fit,
)
