"""The rules for models and tags that moto does not keep."""

from local.model_registry import package_named
from local.sagemaker_account import Call, Document, Refused


def create_model(call: Call) -> Document:
    """CreateModel: a name is taken once; a model package's model needs the package's approval."""
    request, arn = call.request, call.account.arn("model", call.request["ModelName"])
    if arn in call.account.remembered:
        raise Refused(f'Cannot create already existing model "{arn}".')
    if bool(request.get("PrimaryContainer")) == bool(request.get("Containers")):
        raise Refused("Either PrimaryContainer or Containers must be specified, and not both")
    for container in request.get("Containers") or [request["PrimaryContainer"]]:
        _check_container(call, container)
    answer = call.moto()
    call.account.remembered[arn] = {"EnableNetworkIsolation": False} | {
        name: value for name, value in request.items() if name != "Tags"
    }
    return answer


def describe_model(call: Call) -> Document:
    """DescribeModel with what was asked for, network isolation among it."""
    arn = _known(call)
    described = call.moto()
    kept = {name: described[name] for name in ("ModelName", "ModelArn", "CreationTime")}
    return kept | call.account.remembered[arn]


def delete_model(call: Call) -> Document:
    """DeleteModel, after which the name is free again."""
    arn = _known(call)
    answer = call.moto()
    del call.account.remembered[arn]
    return answer


def add_tags(call: Call) -> Document:
    """AddTags replaces the value of a key that is there."""
    keys = [tag["Key"] for tag in call.request["Tags"]]
    call.moto("DeleteTags", {"ResourceArn": call.request["ResourceArn"], "TagKeys": keys})
    return call.moto()


def _known(call: Call) -> str:
    arn = call.account.arn("model", call.request["ModelName"])
    if arn not in call.account.remembered:
        raise Refused(f'Could not find model "{arn}".')
    return arn


def _check_container(call: Call, container: Document) -> None:
    if container.get("ModelDataUrl") and container.get("ModelDataSource"):
        raise Refused("ModelDataUrl and ModelDataSource cannot both be specified for a container")
    name = container.get("ModelPackageName")
    if not name:
        return
    package = package_named(call, name)
    if "ModelPackageGroupName" in package and package.get("ModelApprovalStatus") != "Approved":
        raise Refused(
            f"Cannot create a model from model package {package['ModelPackageArn']}: "
            f"its approval status is {package.get('ModelApprovalStatus')}, not Approved"
        )
    packaged = package.get("InferenceSpecification", {}).get("Containers", [])
    if container.get("Environment") and any(each.get("Environment") for each in packaged):
        raise Refused(f"Environment cannot be overridden: model package {package['ModelPackageArn']} sets one")


RULES = {
    "CreateModel": create_model,
    "DescribeModel": describe_model,
    "DeleteModel": delete_model,
    "AddTags": add_tags,
}
