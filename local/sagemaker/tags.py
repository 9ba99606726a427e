"""Tags of groups, packages, models, transform jobs and others in an account's `tags`; moto keeps the rest."""

from local.sagemaker import pagination
from local.sagemaker.account import AccountState, ApiCall, Document, RequestRefused
from local.sagemaker.group_policies import permit

_MOST = 50
_KEPT_HERE = ("model-package-group", "model-package", "model", "transform-job")


def add_tags(call: ApiCall) -> Document:
    """AddTags adds tags, and replaces the value of a key that is there."""
    arn, owner = _resource(call)
    if arn not in owner.tags:
        keys = [tag["Key"] for tag in call.request["Tags"]]
        call.moto("DeleteTags", {"ResourceArn": arn, "TagKeys": keys})
        return call.moto()
    after = owner.tags[arn] | tagged(call.request)
    if len(after) > _MOST:
        raise RequestRefused(
            f"Too many tags: {arn} would have {len(after)}, and {_MOST} are allowed", "ResourceLimitExceeded"
        )
    owner.tags[arn] = after
    return {"Tags": listed(after)}


def delete_tags(call: ApiCall) -> Document:
    """DeleteTags; unknown keys are ignored."""
    arn, owner = _resource(call)
    if arn not in owner.tags:
        return call.moto()
    for key in call.request["TagKeys"]:
        owner.tags[arn].pop(key, None)
    return {}


def list_tags(call: ApiCall) -> Document:
    """ListTags, in pages, by key."""
    arn, owner = _resource(call)
    if arn not in owner.tags:
        return call.moto()
    shown, token = pagination.page(
        listed(owner.tags[arn]), call.request, lambda tag: [tag["Key"]], label="Tags", most=_MOST
    )
    return {"Tags": shown, **token}


def tagged(request: Document) -> dict[str, str]:
    """The tags of a request, by key; raises RequestRefused for a key that is given twice."""
    tags = request.get("Tags") or []
    found = {tag["Key"]: tag["Value"] for tag in tags}
    if len(found) < len(tags):
        raise RequestRefused("Duplicate tag keys: each key may be given once")
    return found


def listed(tags: dict[str, str]) -> list[Document]:
    """Tags in SageMaker's form."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _resource(call: ApiCall) -> tuple[str, AccountState]:
    head, _, name = call.request["ResourceArn"].partition("/")
    kind, name = head.rpartition(":")[2], name.lower() if ":model-package" in head else name
    arn = f"{head}/{name}"
    owner = call.owner(arn)
    permit(call, owner, name.partition("/")[0] if kind.startswith("model-package") else "", arn)
    if kind in _KEPT_HERE and arn not in owner.tags:
        raise RequestRefused(f"Could not find resource {arn}", "ResourceNotFound")
    return arn, owner


RULES = {"AddTags": add_tags, "DeleteTags": delete_tags, "ListTags": list_tags}
