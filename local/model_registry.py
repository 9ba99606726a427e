"""The model registry's rules that moto does not keep: what is remembered, merged, refused and announced.

The fields of an event are those of "SageMaker Model Package State Change" in SageMaker's documentation of
its EventBridge events; the fields of a description are those of the API reference.
"""

import datetime
import time
from collections.abc import Mapping
from typing import Any

from local.sagemaker_account import Account, Call, Document, Refused, service_model

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
)


def create_group(call: Call) -> Document:
    """CreateModelPackageGroup: a name is taken once."""
    name = call.request["ModelPackageGroupName"]
    arn = call.account.arn("model-package-group", name)
    if _exists(call, "DescribeModelPackageGroup", {"ModelPackageGroupName": name}):
        raise Refused(f"Model Package Group already exists: {arn}")
    answer = call.moto()
    call.account.remembered[arn] = {"CreatedBy": _identity(call)}
    return answer


def describe_group(call: Call) -> Document:
    """DescribeModelPackageGroup, by name or ARN."""
    described = call.moto("DescribeModelPackageGroup", _by_group_name(call.request))
    return described | call.account.remembered.get(described["ModelPackageGroupArn"], {})


def delete_group(call: Call) -> Document:
    """DeleteModelPackageGroup, which only an empty group allows; its versions start again at 1."""
    described = describe_group(call)
    name, arn = described["ModelPackageGroupName"], described["ModelPackageGroupArn"]
    if _listed(call, name):
        raise Refused(f"Cannot delete model package group {arn}: it still contains model packages", "ConflictException")
    backend = _backend(call.account)
    del backend.model_package_groups[name]
    for package in [p for p in backend.model_packages.values() if p.model_package_group_name == name]:
        del backend.model_packages[package.arn]
        call.account.deleted.discard(package.arn)
    call.account.remembered.pop(arn, None)
    call.account.policies.pop(arn, None)
    return {}


def create_package(call: Call) -> Document:
    """CreateModelPackage: idempotent by ClientToken; every field is remembered; the event follows."""
    request = _by_group_name(call.request)
    if request.get("ModelPackageGroupName") and request.get("Tags"):
        raise Refused("Tags cannot be given for a model package in a group: tag the model package group")
    known = _known_token(call.account, request)
    if known:
        return {"ModelPackageArn": known}
    answer = call.moto(request=request)
    arn = answer["ModelPackageArn"]
    kept = {name: value for name, value in request.items() if name in _described()}
    call.account.remembered[arn] = kept | {"CreatedBy": _identity(call)}
    if "ClientToken" in request:
        call.account.tokens[request["ClientToken"]] = (request, arn)
    call.events.append((arn, _event(_describe(call, arn))))
    return answer


def describe_package(call: Call) -> Document:
    """DescribeModelPackage with every field that was ever given, and the message AWS has for an unknown one."""
    return _describe(call, call.request["ModelPackageName"])


def update_package(call: Call) -> Document:
    """UpdateModelPackage keeps what it is not given, merges customer metadata, and says what changed."""
    arn = call.request["ModelPackageArn"]
    before = _describe(call, arn)
    after = before | _updated(before, call.request)
    call.moto(
        request={
            "ModelPackageArn": arn,
            "ModelApprovalStatus": after.get("ModelApprovalStatus"),
            "ApprovalDescription": after.get("ApprovalDescription"),
            "CustomerMetadataProperties": after.get("CustomerMetadataProperties"),
        }
    )
    changed = [name for name in _UPDATABLE if before.get(name) != after.get(name)]
    remembered = call.account.remembered[arn]
    remembered.update({name: after[name] for name in _UPDATABLE if name in after})
    remembered.update({"LastModifiedTime": time.time(), "LastModifiedBy": _identity(call)})
    if changed:
        fields = [_UPDATED_NAMES.get(name, name) for name in changed]
        call.events.append((arn, _event(_describe(call, arn)) | {"UpdatedModelPackageFields": fields}))
    return {"ModelPackageArn": arn}


def delete_package(call: Call) -> Document:
    """DeleteModelPackage: the version is gone, and its number is not given again."""
    arn = _describe(call, call.request["ModelPackageName"])["ModelPackageArn"]
    call.account.deleted.add(arn)
    return {}


def list_packages(call: Call) -> Document:
    """ListModelPackages without those that were deleted (a page may then be short, as AWS allows)."""
    answer = call.moto(request=_by_group_name(call.request))
    listed = answer["ModelPackageSummaryList"]
    answer["ModelPackageSummaryList"] = [p for p in listed if p["ModelPackageArn"] not in call.account.deleted]
    return answer


def package_named(call: Call, name: str) -> Document:
    """The description of a package that another request names; raises Refused when there is none."""
    return _describe(call, name)


def _describe(call: Call, name: str) -> Document:
    account = call.account
    missing = f"ModelPackage {name if name.startswith('arn:') else account.arn('model-package', name)} does not exist."
    try:
        described = call.moto("DescribeModelPackage", {"ModelPackageName": name})
    except Refused as unknown:
        raise Refused(missing) from unknown
    if described["ModelPackageArn"] in account.deleted:
        raise Refused(missing)
    return described | account.remembered.get(described["ModelPackageArn"], {})


def _updated(before: Document, request: Document) -> Document:
    given = {name: request[name] for name in _UPDATABLE if request.get(name) is not None}
    removed = request.get("CustomerMetadataPropertiesToRemove") or []
    metadata = before.get("CustomerMetadataProperties", {}) | given.get("CustomerMetadataProperties", {})
    metadata = {key: value for key, value in metadata.items() if key not in removed}
    if metadata or "CustomerMetadataProperties" in before:
        given["CustomerMetadataProperties"] = metadata
    added = request.get("AdditionalInferenceSpecificationsToAdd")
    if added:
        given["AdditionalInferenceSpecifications"] = before.get("AdditionalInferenceSpecifications", []) + added
    return given


def _known_token(account: Account, request: Document) -> str | None:
    first, arn = account.tokens.get(request.get("ClientToken", ""), (None, None))
    if arn is None or arn in account.deleted:
        return None
    if first != request:
        raise Refused(
            f"ClientToken {request['ClientToken']} was already used with other parameters", "ConflictException"
        )
    return arn


def _event(described: Document) -> Document:
    detail = {name: described[name] for name in _EVENT_FIELDS if name in described}
    for name in ("CreationTime", "LastModifiedTime"):
        if name in detail:
            moment = datetime.datetime.fromtimestamp(detail[name], datetime.UTC)
            detail[name] = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    return detail


def _identity(call: Call) -> Document:
    return {"IamIdentity": {"Arn": call.caller, "PrincipalId": call.caller.rpartition("/")[2]}}


def _exists(call: Call, action: str, request: Document) -> bool:
    try:
        call.moto(action, request)
    except Refused:
        return False
    return True


def _listed(call: Call, group: str) -> list[Document]:
    listed: list[Document] = call.moto("ListModelPackages", {"ModelPackageGroupName": group})["ModelPackageSummaryList"]
    return [package for package in listed if package["ModelPackageArn"] not in call.account.deleted]


def _by_group_name(request: Document) -> Document:
    group = request.get("ModelPackageGroupName")
    return {**request, "ModelPackageGroupName": group.rpartition("/")[2]} if group else request


def _described() -> Mapping[str, Any]:
    members: Mapping[str, Any] = service_model().shape_for("DescribeModelPackageOutput").members
    return members


def _backend(account: Account) -> Any:
    from moto.sagemaker.models import sagemaker_backends

    return sagemaker_backends[account.account_id][account.region]


RULES = {
    "CreateModelPackageGroup": create_group,
    "DescribeModelPackageGroup": describe_group,
    "DeleteModelPackageGroup": delete_group,
    "CreateModelPackage": create_package,
    "DescribeModelPackage": describe_package,
    "UpdateModelPackage": update_package,
    "DeleteModelPackage": delete_package,
    "ListModelPackages": list_packages,
}
