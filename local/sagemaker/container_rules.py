"""The API's rules on a model's containers: which fields exclude or require each other.

The rules are those of the API reference (CreateModel, ContainerDefinition, MultiModelConfig, ImageConfig,
RepositoryAuthConfig, InferenceExecutionConfig) and of SageMaker's guide to multi-model endpoints and private
registries.

They are written down here once more and on purpose: had the engine Signoff's own rules (`signoff.model_package`), a
mistake in those would be one in its judge as well.
"""

from local.sagemaker.account import Document, RequestRefused
from local.sagemaker.package_rules import check_data

_MOST_ENVIRONMENT = 32 * 1024  # bytes of keys and values, of all containers together
_WITHOUT_A_PACKAGE = ("Image", "ModelDataUrl", "ModelDataSource")


def containers_of(request: Document) -> list[Document]:
    """A CreateModel request's containers, one or a pipeline; raises RequestRefused unless it has one form of them."""
    if bool(request.get("PrimaryContainer")) == bool(request.get("Containers")):
        raise RequestRefused("Either PrimaryContainer or Containers must be specified, and not both")
    found: list[Document] = request.get("Containers") or [request["PrimaryContainer"]]
    return found


def check_containers(request: Document) -> None:
    """Raise RequestRefused when a request's containers contradict themselves, each other, or how they are to run."""
    containers = containers_of(request)
    for index, container in enumerate(containers):
        path = f"Containers[{index}]" if request.get("Containers") else "PrimaryContainer"
        for check in (_check_code, check_data, _check_mode, _check_image):
            check(container, path)
        if is_private(container) and not request.get("VpcConfig"):
            raise RequestRefused(f"{path}: RepositoryAccessMode Vpc needs the model to have a VpcConfig")
    _check_pipeline(request, containers)
    _check_environment(containers)


def check_environment_of_package(container: Document, package: Document, packaged: list[Document]) -> None:
    """Raise RequestRefused when both the container and the package's containers have an environment."""
    if container.get("Environment") and any(each.get("Environment") for each in packaged):
        raise RequestRefused(f"Environment cannot be overridden: model package {package['ModelPackageArn']} sets one")


def _check_code(container: Document, path: str) -> None:
    if container.get("ModelPackageName"):
        beside = [name for name in _WITHOUT_A_PACKAGE if container.get(name)]
        if beside:
            raise RequestRefused(f"{path}: {' and '.join(beside)} cannot be specified beside ModelPackageName")
        return
    if not container.get("Image"):
        raise RequestRefused(f"{path}: either Image or ModelPackageName must be specified")
    if container.get("InferenceSpecificationName"):
        raise RequestRefused(f"{path}: InferenceSpecificationName needs a ModelPackageName")


def _check_mode(container: Document, path: str) -> None:
    if container.get("Mode") != "MultiModel":
        if container.get("MultiModelConfig"):
            raise RequestRefused(f"{path}: MultiModelConfig needs Mode MultiModel")
        return
    if container.get("ModelDataSource"):
        raise RequestRefused(f"{path}: ModelDataSource cannot be used with Mode MultiModel")
    url = container.get("ModelDataUrl", "")
    if not url.endswith("/"):
        raise RequestRefused(
            f"{path}: Mode MultiModel needs a ModelDataUrl that is a prefix and ends with a forward slash"
        )


def _check_image(container: Document, path: str) -> None:
    if (container.get("ImageConfig") or {}).get("RepositoryAuthConfig") and not is_private(container):
        raise RequestRefused(f"{path}: RepositoryAuthConfig needs RepositoryAccessMode Vpc")


def is_private(container: Document) -> bool:
    """Whether a container's image is in a private Docker registry, which a VPC reaches."""
    return (container.get("ImageConfig") or {}).get("RepositoryAccessMode") == "Vpc"


def _check_pipeline(request: Document, containers: list[Document]) -> None:
    names = [container["ContainerHostname"] for container in containers if container.get("ContainerHostname")]
    if (request.get("InferenceExecutionConfig") or {}).get("Mode") == "Direct":
        if len(containers) < 2:
            raise RequestRefused("InferenceExecutionConfig Mode Direct needs at least 2 Containers")
        if len(names) < len(containers):
            raise RequestRefused("InferenceExecutionConfig Mode Direct needs a ContainerHostname for every container")
    if len(containers) == 1:
        return
    if names and len(names) < len(containers):
        raise RequestRefused("ContainerHostname must be specified for every container of a pipeline, or for none")
    if len(set(names)) < len(names):
        raise RequestRefused("ContainerHostname must be another for every container of a pipeline")
    if sum(container.get("Mode") == "MultiModel" for container in containers) > 1:
        raise RequestRefused("More than one container in MultiModel mode is not supported with inference pipeline.")


def _check_environment(containers: list[Document]) -> None:
    entries = [entry for container in containers for entry in (container.get("Environment") or {}).items()]
    size = sum(len(text.encode()) for entry in entries for text in entry)
    if size > _MOST_ENVIRONMENT:
        raise RequestRefused(f"Environment: all keys and values together exceed 32 KB ({size:,} bytes)")
