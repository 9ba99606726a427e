"""Model package groups, each known by its name in any case and by its ARN, which has the name in lower case."""

from local.sagemaker import pagination
from local.sagemaker.account import AccountState, ApiCall, Document, GroupRecord, RequestRefused, only
from local.sagemaker.group_policies import permit
from local.sagemaker.tags import tagged


def create_group(call: ApiCall) -> Document:
    """CreateModelPackageGroup: a name is taken once, whatever its case."""
    account, name = call.account, call.request["ModelPackageGroupName"]
    arn = account.arn("model-package-group", name.lower())
    if name.lower() in account.groups:
        raise RequestRefused(f"Model Package Group already exists: {arn}")
    if call.request.get("Tags"):
        call.authorize("sagemaker:AddTags", arn)
    kept = only("DescribeModelPackageGroupOutput", call.request)
    account.groups[name.lower()] = GroupRecord(
        kept
        | {
            "ModelPackageGroupArn": arn,
            "CreationTime": account.now(),
            "CreatedBy": call.identity,
            "ModelPackageGroupStatus": "Completed",
        }
    )
    account.tags[arn] = tagged(call.request)
    return {"ModelPackageGroupArn": arn}


def describe_group(call: ApiCall) -> Document:
    """DescribeModelPackageGroup, by name or ARN."""
    _, _, group = permitted_group(call)
    return dict(group.described)


def delete_group(call: ApiCall) -> Document:
    """DeleteModelPackageGroup, which only an empty group allows; its versions start again at 1."""
    owner, key, group = permitted_group(call)
    if group.packages:
        arn = group.arn
        raise RequestRefused(
            f"Cannot delete model package group {arn}: it still contains model packages", "ConflictException"
        )
    del owner.groups[key]
    owner.policies.pop(key, None)
    owner.tags.pop(group.arn, None)
    return {}


def list_groups(call: ApiCall) -> Document:
    """ListModelPackageGroups: one's own, or (CrossAccount) those of others that one may describe.

    AWS lists what was shared by Resource Access Manager; the engine has none and goes by the groups' policies.
    """
    if call.request.get("CrossAccountFilterOption") == "CrossAccount":
        groups = [each for other in call.regions.others(call.account) for each in _discovered(call, other)]
    else:
        groups = list(call.account.groups.values())
    found = pagination.matching([group.described for group in groups], call.request, _name)
    shown, token = pagination.sorted_page(found, call.request, _name)
    return {"ModelPackageGroupSummaryList": [only("ModelPackageGroupSummary", each) for each in shown], **token}


def permitted_group(call: ApiCall) -> tuple[AccountState, str, GroupRecord]:
    """The owner, key and group that a request names; raises RequestRefused where there is none, or no grant."""
    owner, key = named(call)
    permit(call, owner, key, owner.arn("model-package-group", key), owner.arn("model-package", f"{key}/*"))
    return owner, key, existing(owner, key)


def named(call: ApiCall) -> tuple[AccountState, str]:
    """The owner and the name, in lower case, of the group that a request names by name or ARN."""
    name = call.request["ModelPackageGroupName"]
    return call.owner(name), name.rpartition("/")[2].lower()


def existing(owner: AccountState, key: str) -> GroupRecord:
    """The owner's group of that name in lower case; raises RequestRefused where there is none."""
    if key not in owner.groups:
        raise RequestRefused(f"ModelPackageGroup {owner.arn('model-package-group', key)} does not exist.")
    return owner.groups[key]


def _discovered(call: ApiCall, other: AccountState) -> list[GroupRecord]:
    found = []
    for key, group in other.groups.items():
        try:
            permit(call, other, key, group.arn, action="DescribeModelPackageGroup")
        except RequestRefused:
            continue
        found.append(group)
    return found


def _name(described: Document) -> str:
    return str(described["ModelPackageGroupName"])


RULES = {
    "CreateModelPackageGroup": create_group,
    "DescribeModelPackageGroup": describe_group,
    "DeleteModelPackageGroup": delete_group,
    "ListModelPackageGroups": list_groups,
}
