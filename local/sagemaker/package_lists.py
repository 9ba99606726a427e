"""Many model packages at once: ListModelPackages and BatchDescribeModelPackage."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain

from local.sagemaker import pagination
from local.sagemaker.account import ApiCall, Document, RequestRefused, only
from local.sagemaker.groups import permitted_group
from local.sagemaker.packages import package_named


def list_packages(call: ApiCall) -> Document:
    """ListModelPackages: of a group its versions, else the unversioned ones unless ModelPackageType says otherwise."""
    status = call.request.get("ModelApprovalStatus")
    listed = [each for each in _packages(call) if status in (None, each.get("ModelApprovalStatus"))]
    shown, token = pagination.sorted_page(pagination.matching(listed, call.request, _name), call.request, _name)
    return {"ModelPackageSummaryList": [only("ModelPackageSummary", each) for each in shown], **token}


def batch_describe(call: ApiCall) -> Document:
    """BatchDescribeModelPackage: a summary of each version, or an error of its own for what cannot be described."""
    summaries: Document = {}
    errors: Document = {}
    for arn in call.request["ModelPackageArnList"]:
        try:
            call.authorize(f"sagemaker:{call.action}", arn)
            summaries[arn] = _summary(package_named(call, arn))
        except RequestRefused as refusal:
            errors[arn] = {"ErrorCode": refusal.code, "ErrorResponse": refusal.message}
    answer: Document = {"ModelPackageSummaries": summaries}
    return answer | ({"BatchDescribeModelPackageErrorMap": errors} if errors else {})


def search(call: ApiCall) -> Document:
    """Search for versions, which is what Signoff searches, that were modified after a time; anything else is moto's."""
    if call.request["Resource"] != "ModelPackage":
        return call.moto()
    filters = call.request.get("SearchExpression", {}).get("Filters", [])
    if call.request.get("SortBy") != "LastModifiedTime" or [each["Name"] for each in filters] != ["LastModifiedTime"]:
        raise RequestRefused("the engine searches model packages by LastModifiedTime alone")
    modified = [each for each in _versions(call) if "LastModifiedTime" in each]
    found = [each for each in modified if each["LastModifiedTime"] > _searched(filters[0])]
    descending = call.request.get("SortOrder", "Descending") == "Descending"
    shown, token = pagination.page(
        found,
        call.request,
        lambda each: [each["LastModifiedTime"], each["ModelPackageArn"]],
        label="Search",
        descending=descending,
    )
    return {"Results": [{"ModelPackage": only("ModelPackage", each)} for each in shown], **token}


def _searched(wanted: Document) -> float:
    """The time of a filter, which is written in UTC and to the second."""
    if wanted.get("Operator") != "GreaterThan":
        raise RequestRefused("the engine searches by GreaterThan alone")
    return datetime.strptime(wanted["Value"], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC).timestamp()


def _versions(call: ApiCall) -> Iterator[Document]:
    return chain.from_iterable(group.packages.values() for group in call.account.groups.values())


def _packages(call: ApiCall) -> list[Document]:
    if call.request.get("ModelPackageGroupName"):
        _, _, group = permitted_group(call)
        kind = call.request.get("ModelPackageType", "Versioned")
        return [] if kind == "Unversioned" else list(group.packages.values())
    kind = call.request.get("ModelPackageType", "Unversioned")
    return [
        *(_versions(call) if kind != "Unversioned" else ()),
        *(call.account.unversioned.values() if kind != "Versioned" else ()),
    ]


def _summary(package: Document) -> Document:
    if "ModelPackageGroupName" not in package:
        raise RequestRefused(
            f"ModelPackage {package['ModelPackageArn']} is unversioned: only versioned ones are described"
        )
    return only("BatchDescribeModelPackageSummary", package)


def _name(package: Document) -> str:
    return str(package.get("ModelPackageName") or package["ModelPackageGroupName"])


RULES = {"ListModelPackages": list_packages, "BatchDescribeModelPackage": batch_describe, "Search": search}
