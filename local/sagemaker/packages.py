"""Model packages: created, described, changed and deleted, each change with its event.

The fields of an event are those of "SageMaker Model Package State Change" in SageMaker's documentation of
its EventBridge events; the fields of a description are those of the API reference.
"""

import copy
import datetime
import json
from collections.abc import Callable

from local.sagemaker import package_rules
from local.sagemaker.account import AccountState, ApiCall, Document, RequestRefused, only
from local.sagemaker.card_rules import check_card
from local.sagemaker.group_policies import permit
from local.sagemaker.groups import existing, named
from local.sagemaker.tags import tagged

_EVENT_FIELDS = (
    "ModelPackageGroupName",
    "ModelPackageName",
    "ModelPackageVersion",
    "ModelPackageArn",
    "ModelPackageDescription",
    "CreationTime",
    "InferenceSpecification",
    "SourceAlgorithmSpecification",
    "ModelPackageStatus",
    "ModelPackageStatusDetails",
    "CertifyForMarketplace",
    "ModelApprovalStatus",
    "MetadataProperties",
    "ModelMetrics",
    "LastModifiedTime",
    "ApprovalDescription",
    "CustomerMetadataProperties",
    "Domain",
    "Task",
    "SamplePayloadUrl",
    "AdditionalInferenceSpecifications",
    "DriftCheckBaselines",
    "ModelLifeCycle",
    "SourceUri",
)
# In `UpdatedModelPackageFields`, and only there, SageMaker writes this field's name with a small letter.
_UPDATED_NAMES = {"SourceUri": "sourceUri"}
_UPDATABLE = (
    "ModelApprovalStatus",
    "ApprovalDescription",
    "CustomerMetadataProperties",
    "InferenceSpecification",
    "AdditionalInferenceSpecifications",
    "SourceUri",
    "ModelCard",
    "ModelLifeCycle",
    "ModelPackageRegistrationType",
)


def create_package(call: ApiCall) -> Document:
    """CreateModelPackage, a version of a group or an unversioned package; idempotent by ClientToken."""
    package_rules.check_new(call.request)
    check_card(call.request.get("ModelCard") or {})
    return _create_version(call) if call.request.get("ModelPackageGroupName") else _create_unversioned(call)


def describe_package(call: ApiCall) -> Document:
    """DescribeModelPackage with every field that was ever given, and the message AWS has for an unknown one."""
    described = dict(package_named(call, call.request["ModelPackageName"]))
    if call.request.get("IncludedData") == "MetadataOnly" and "ModelCard" in described:
        described["ModelCard"] = _without_content(described["ModelCard"])
    return described


def update_package(call: ApiCall) -> Document:
    """UpdateModelPackage keeps what it is not given, merges customer metadata, and says what changed."""
    package = package_named(call, call.request["ModelPackageArn"])
    arn = package["ModelPackageArn"]
    if "ModelPackageGroupName" not in package:
        raise RequestRefused(f"{arn} is unversioned: only versioned model packages can be updated")
    owner = call.owner(arn)
    return _once(call, owner, lambda: _update(call, owner, package))


def delete_package(call: ApiCall) -> Document:
    """DeleteModelPackage: the version is gone, and its number is not given again."""
    package = package_named(call, call.request["ModelPackageName"])
    owner = call.owner(package["ModelPackageArn"])
    if "ModelPackageGroupName" in package:
        del owner.groups[package["ModelPackageGroupName"].lower()].packages[package["ModelPackageVersion"]]
    else:
        del owner.unversioned[package["ModelPackageName"].lower()]
        owner.tags.pop(package["ModelPackageArn"], None)
    return {}


def package_named(call: ApiCall, name: str, action: str | None = None) -> Document:
    """The package that a request names by name, `group/version` or ARN, to do `action` with.

    Raises RequestRefused when there is none, or when it is another account's and its group's policy does not grant it.
    """
    owner = call.owner(name)
    path = name.partition("/")[2].lower() if name.startswith("arn:") else name.lower()
    group, _, version = path.partition("/")
    arn = owner.arn("model-package", path)
    permit(call, owner, group, arn, action=action)
    found = _version(owner, group, int(version)) if version.isdecimal() else owner.unversioned.get(path)
    if found is None or (name.startswith("arn:") and ":model-package/" not in name):
        raise RequestRefused(f"ModelPackage {name if name.startswith('arn:') else arn} does not exist.")
    return found


def _create_version(call: ApiCall) -> Document:
    owner, key = named(call)
    version = owner.groups[key].versions + 1 if key in owner.groups else 1
    arn = owner.arn("model-package", f"{key}/{version}")
    permit(call, owner, key, arn)
    group = existing(owner, key)

    def create() -> str:
        group.versions = version
        group.packages[version] = _new(call, owner, arn) | {
            "ModelPackageGroupName": group.described["ModelPackageGroupName"],
            "ModelPackageVersion": version,
            "ModelApprovalStatus": call.request.get("ModelApprovalStatus", "PendingManualApproval"),
        }
        _announce(call, group.packages[version])
        return arn

    return _once(call, owner, create)


def _create_unversioned(call: ApiCall) -> Document:
    account, key = call.account, call.request["ModelPackageName"].lower()
    arn = account.arn("model-package", key)

    def create() -> str:
        if key in account.unversioned:
            raise RequestRefused(f"Model Package already exists: {arn}")
        account.unversioned[key] = _new(call, account, arn)
        account.tags[arn] = tagged(call.request)
        _announce(call, account.unversioned[key])
        return arn

    return _once(call, account, create)


def _new(call: ApiCall, owner: AccountState, arn: str) -> Document:
    profiles = (call.request.get("ValidationSpecification") or {}).get("ValidationProfiles") or []
    statuses = [{"Name": profile["ProfileName"], "Status": "Completed"} for profile in profiles]
    given = copy.deepcopy(only("DescribeModelPackageOutput", call.request))
    return {
        "CertifyForMarketplace": False,
        **given,
        "ModelPackageArn": arn,
        "CreationTime": owner.now(),
        "CreatedBy": call.identity,
        "ModelPackageStatus": "Completed",
        "ModelPackageStatusDetails": {"ValidationStatuses": statuses, "ImageScanStatuses": []},
    }


def _update(call: ApiCall, owner: AccountState, package: Document) -> str:
    package_rules.check_specifications(call.request)
    given = _updated(package, call.request)
    changed = [name for name in _UPDATABLE if name in given and given[name] != package.get(name)]
    package.update(given)
    package.update({"LastModifiedTime": owner.now(), "LastModifiedBy": call.identity})
    if changed:
        _announce(call, package, UpdatedModelPackageFields=[_UPDATED_NAMES.get(name, name) for name in changed])
    return str(package["ModelPackageArn"])


def _updated(before: Document, request: Document) -> Document:
    given = copy.deepcopy({name: request[name] for name in _UPDATABLE if request.get(name) is not None})
    removed = request.get("CustomerMetadataPropertiesToRemove") or []
    metadata = before.get("CustomerMetadataProperties", {}) | given.get("CustomerMetadataProperties", {})
    metadata = {key: value for key, value in metadata.items() if key not in removed}
    package_rules.check_metadata(metadata)
    if metadata or "CustomerMetadataProperties" in before:
        given["CustomerMetadataProperties"] = metadata
    added = request.get("AdditionalInferenceSpecificationsToAdd")
    if added:
        after = before.get("AdditionalInferenceSpecifications", []) + copy.deepcopy(added)
        package_rules.check_additional(after)
        given["AdditionalInferenceSpecifications"] = after
    if "ModelCard" in given:
        given["ModelCard"] = _new_card(before.get("ModelCard", {}), given["ModelCard"])
    return given


def _new_card(before: Document, given: Document) -> Document:
    after = before | given
    content = after.get("ModelCardContent")
    if before.get("ModelCardStatus") == "Archived" and content != before.get("ModelCardContent"):
        raise RequestRefused("Model Card is in Archived state.")
    check_card(after)
    return after


def _without_content(card: Document) -> Document:
    """A model card as MetadataOnly shows it: of what is encrypted in its content, nothing but the risk rating."""
    try:
        rating = json.loads(card.get("ModelCardContent", "{}")).get("intended_uses", {}).get("risk_rating")
    except (ValueError, AttributeError):
        rating = None
    return card | {"ModelCardContent": json.dumps({"intended_uses": {"risk_rating": rating}} if rating else {})}


def _once(call: ApiCall, owner: AccountState, act: Callable[[], str]) -> Document:
    """The ARN of what `act` creates or changes; repeated with the same ClientToken, it is done once."""
    token = call.request.get("ClientToken")
    if token is None:
        return {"ModelPackageArn": act()}
    first, arn = owner.tokens.get((call.action, token), (None, ""))
    if first is not None and _exists(owner, arn):
        if first != call.request:
            raise RequestRefused(f"ClientToken {token} was already used with other parameters", "ConflictException")
        return {"ModelPackageArn": arn}
    owner.tokens[call.action, token] = (copy.deepcopy(call.request), act())
    return {"ModelPackageArn": owner.tokens[call.action, token][1]}


def _exists(owner: AccountState, arn: str) -> bool:
    group, _, version = arn.partition("/")[2].partition("/")
    return _version(owner, group, int(version)) is not None if version else group in owner.unversioned


def _version(owner: AccountState, group: str, version: int) -> Document | None:
    return owner.groups[group].packages.get(version) if group in owner.groups else None


def _announce(call: ApiCall, package: Document, **more: list[str]) -> None:
    detail = {name: copy.deepcopy(package[name]) for name in _EVENT_FIELDS if name in package}
    for name in ("CreationTime", "LastModifiedTime"):
        if name in detail:
            moment = datetime.datetime.fromtimestamp(detail[name], datetime.UTC)
            detail[name] = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    call.events.append((package["ModelPackageArn"], detail | more))


RULES = {
    "CreateModelPackage": create_package,
    "DescribeModelPackage": describe_package,
    "UpdateModelPackage": update_package,
    "DeleteModelPackage": delete_package,
}
