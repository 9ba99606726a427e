"""Models: created from containers or from packages, described, listed and deleted."""

import copy
import re

from local.sagemaker import pagination
from local.sagemaker.account import ApiCall, Document, RequestRefused, only
from local.sagemaker.container_rules import (
    check_containers,
    check_environment_of_package,
    containers_of,
    is_private,
)
from local.sagemaker.packages import package_named
from local.sagemaker.tags import tagged

_MOST_RECOMMENDATIONS = 3
_ECR = re.compile(r"^\d{12}\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.")


def create_model(call: ApiCall) -> Document:
    """CreateModel: a name is taken once; a model package's model needs the package's approval."""
    request, account = call.request, call.account
    arn = account.arn("model", request["ModelName"])
    check_containers(request)
    if request.get("Tags"):
        call.authorize("sagemaker:AddTags", arn)
    if request.get("ExecutionRoleArn"):
        call.authorize("iam:PassRole", request["ExecutionRoleArn"])
    if request["ModelName"] in account.models:
        raise RequestRefused(f'Cannot create already existing model "{arn}".')
    packages = [_check_package(call, each) for each in containers_of(request) if each.get("ModelPackageName")]
    for container in containers_of(request):
        _check_model_data(call, container)
    for container in [*containers_of(request), *(each for one in packages for each in one.get("Containers") or [])]:
        _check_image(call, container)
    # moto keeps the endpoints' configurations, and takes only models that it has, too.
    call.moto("CreateModel", {"ModelName": request["ModelName"]})
    account.tags[arn] = tagged(request)
    account.models[request["ModelName"]] = {
        "EnableNetworkIsolation": False,
        **_completed(copy.deepcopy(only("DescribeModelOutput", request))),
        "ModelArn": arn,
        "CreationTime": account.now(),
        "DeploymentRecommendation": _recommendation(arn, packages),
    }
    return {"ModelArn": arn}


def describe_model(call: ApiCall) -> Document:
    """DescribeModel: what was asked for, and what SageMaker adds (modes, host names, a recommendation)."""
    return dict(described_model(call, call.request["ModelName"]))


def delete_model(call: ApiCall) -> Document:
    """DeleteModel, after which the name is free again."""
    model = described_model(call, call.request["ModelName"])
    call.moto()
    del call.account.models[model["ModelName"]]
    del call.account.tags[model["ModelArn"]]
    return {}


def list_models(call: ApiCall) -> Document:
    """ListModels, the latest first unless asked otherwise."""
    found = pagination.matching(call.account.models.values(), call.request, _name, at_least=True)
    shown, token = pagination.sorted_page(found, call.request, _name, order="Descending")
    return {"Models": [only("ModelSummary", each) for each in shown], **token}


def described_model(call: ApiCall, name: str) -> Document:
    """The account's model of that name; raises RequestRefused when there is none."""
    if name not in call.account.models:
        raise RequestRefused(f'Could not find model "{call.account.arn("model", name)}".')
    return call.account.models[name]


def serving_containers(call: ApiCall, model: Document) -> list[Document]:
    """The containers that run for a model: its own, each of a model package replaced by those of the package."""
    found: list[Document] = []
    for container in containers_of(model):
        if not container.get("ModelPackageName"):
            found.append(container)
            continue
        package = package_named(call, container["ModelPackageName"], "CreateModel")
        specification = _specification(package, container.get("InferenceSpecificationName"))
        own = container.get("Environment") or {}
        for each in specification.get("Containers", []):
            found.append(each | {"Environment": {**(each.get("Environment") or {}), **own}})
    return found


def _name(model: Document) -> str:
    return str(model["ModelName"])


def _check_package(call: ApiCall, container: Document) -> Document:
    """The specification of the package that a container is made from; raises RequestRefused when it may not be."""
    package = package_named(call, container["ModelPackageName"])
    arn = package["ModelPackageArn"]
    call.authorize(f"sagemaker:{call.action}", arn)
    if "ModelPackageGroupName" in package and package.get("ModelApprovalStatus") != "Approved":
        raise RequestRefused(
            f"Cannot create a model from model package {arn}: "
            f"its approval status is {package.get('ModelApprovalStatus')}, not Approved"
        )
    specification = _specification(package, container.get("InferenceSpecificationName"))
    check_environment_of_package(container, package, specification.get("Containers", []))
    return specification


def _specification(package: Document, name: str | None) -> Document:
    if name is None:
        return dict(package.get("InferenceSpecification") or {})
    for specification in package.get("AdditionalInferenceSpecifications") or []:
        if specification["Name"] == name:
            return dict(specification)
    raise RequestRefused(f"Model package {package['ModelPackageArn']} has no inference specification {name}")


def _check_image(call: ApiCall, container: Document) -> None:
    """Where SageMaker looks an image up when a model is created, in the words that it was seen to use.

    Not looked up: what only a VPC reaches, and what AWS Marketplace sells. A repository's policy is not evaluated.
    """
    image, region = container.get("Image"), call.account.region
    if not image or is_private(container) or container.get("ProductId"):
        return
    found = _ECR.search(image)
    if not found:
        raise RequestRefused(f'Using non-ECR image "{image}" without Vpc repository access mode is not supported.')
    if found["region"] != region:
        raise RequestRefused(
            f'Region of "{image}" does not match expected region of {region}. '
            "Cross region ECR image pulls are not allowed."
        )
    if not call.pulls(image):
        raise RequestRefused(f"Requested image {image} not found.")


def _check_model_data(call: ApiCall, container: Document) -> None:
    sources = [container.get("ModelDataSource") or {}, *(container.get("AdditionalModelDataSources") or [])]
    urls = [container.get("ModelDataUrl"), *(source.get("S3DataSource", {}).get("S3Uri") for source in sources)]
    for url in filter(None, urls):
        if not call.holds(url):
            raise RequestRefused(f"Could not find model data at {url}.")


def _completed(model: Document) -> Document:
    """A model with what SageMaker adds to its containers: a mode, and in a pipeline a host name by position."""
    if "PrimaryContainer" in model:
        return model | {"PrimaryContainer": {"Mode": "SingleModel"} | model["PrimaryContainer"]}
    pipeline = model["Containers"]
    added = [
        {"Mode": "SingleModel", "ContainerHostname": f"container-{number}"} for number in range(1, len(pipeline) + 1)
    ]
    if len(pipeline) == 1:
        del added[0]["ContainerHostname"]
    return model | {"Containers": [own | each for own, each in zip(added, pipeline, strict=True)]}


def _recommendation(arn: str, specifications: list[Document]) -> Document:
    """The engine's choice: of a model of one package that says its framework, the first instance types it supports.

    SageMaker recommends what it measured for the framework; without a framework it recommends nothing.
    """
    specification = specifications[0] if len(specifications) == 1 else {}
    types = specification.get("SupportedRealtimeInferenceInstanceTypes") or []
    if not types or not all(container.get("Framework") for container in specification["Containers"]):
        return {"RecommendationStatus": "NOT_APPLICABLE", "RealTimeInferenceRecommendations": []}
    recommended = [
        {"RecommendationId": f"{arn}/{number}", "InstanceType": name, "Environment": {}}
        for number, name in enumerate(types[:_MOST_RECOMMENDATIONS], 1)
    ]
    return {"RecommendationStatus": "COMPLETED", "RealTimeInferenceRecommendations": recommended}


RULES = {
    "CreateModel": create_model,
    "DescribeModel": describe_model,
    "DeleteModel": delete_model,
    "ListModels": list_models,
}
