"""SageMaker's model registry and models, in terms of this domain."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from botocore.exceptions import ClientError

from signoff.aws.clients import error_code, error_message, ignoring
from signoff.aws.ssm import GOVERNED_TAG, OWN_POLICY_TAG
from signoff.documents.patterns import compiled_on_use
from signoff.errors import RegistryRefused, UnknownPackage

Summary = dict[str, Any]
BatchError = dict[str, str]

_REFUSALS = {"ValidationException"}
_BATCH = 100  # packages that one BatchDescribeModelPackage takes
_PAGES = {"PageSize": 100}  # as many as a list call of SageMaker's returns at most
_UNANSWERED: BatchError = {"ErrorCode": "NoAnswer", "ErrorResponse": "SageMaker returned nothing for this package"}
DESCRIPTION_LIMIT = 1024
_ABSENT = compiled_on_use(r"does not exist|could not find|not found", re.IGNORECASE)


def approval_description(text: str) -> str:
    """Return `text` as ApprovalDescription may hold it: one line of 1,024 characters at most."""
    line = " ".join(text.split())
    return line if len(line) <= DESCRIPTION_LIMIT else f"{line[: DESCRIPTION_LIMIT - 1]}…"


@dataclass(frozen=True)
class ModelPackageGroup:
    """A model package group: its name as SageMaker spells it, and its tags."""

    name: str
    tags: dict[str, str]


class Registry:
    """Model package groups, model packages and models, through one SageMaker client."""

    def __init__(self, sagemaker: Any) -> None:
        self._sagemaker = sagemaker

    def describe(self, arn: str) -> dict[str, Any]:
        """Return DescribeModelPackage's answer. Raises `UnknownPackage` when there is no such package."""
        try:
            answer: dict[str, Any] = self._sagemaker.describe_model_package(ModelPackageName=arn)
        except ClientError as error:
            if error_code(error) in {*_REFUSALS, "ResourceNotFound"}:
                raise UnknownPackage(f"{arn}: {error_message(error)}") from error
            raise
        return answer

    def batch(self, arns: Iterable[str]) -> tuple[dict[str, Summary], dict[str, BatchError]]:
        """Return BatchDescribeModelPackage's summaries and errors by the packages' ARNs.

        A summary has InferenceSpecification and the statuses, but no metadata and no other specifications. An error is
        `{"ErrorCode", "ErrorResponse"}` about one package and does not affect the others. Each call is for up to 100
        packages:
        https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_BatchDescribeModelPackage.html
        """
        found: dict[str, Summary] = {}
        errors: dict[str, BatchError] = {}
        for chunk in _chunks(dict.fromkeys(arns), _BATCH):
            answer = self._sagemaker.batch_describe_model_package(ModelPackageArnList=chunk)
            found |= answer.get("ModelPackageSummaries") or {}
            errors |= answer.get("BatchDescribeModelPackageErrorMap") or {}
            errors |= {arn: _UNANSWERED for arn in chunk if arn not in found and arn not in errors}
        return found, errors

    def group(self, name: str) -> ModelPackageGroup | None:
        """Return the model package group of that name, or of one that differs by case only, or None.

        Names that differ by case only are one group to SageMaker: their ARN, in lower case, is the same.
        """
        described = self._described_group(name)
        if described is None:
            return None
        return ModelPackageGroup(described["ModelPackageGroupName"], self._tags(described["ModelPackageGroupArn"]))

    def group_tags(self, group: str) -> dict[str, str] | None:
        """Return the tags of a model package group, or None when there is no such group."""
        found = self.group(group)
        return found.tags if found else None

    def group_exists(self, group: str) -> bool:
        """Return whether there is a model package group of that name."""
        return self._described_group(group) is not None

    def group_names(self, containing: str = "") -> Iterator[str]:
        """Yield the name of every model package group of the account, or of those whose names contain that."""
        asked = {"NameContains": containing} if containing else {}
        pages = self._sagemaker.get_paginator("list_model_package_groups").paginate(**asked, PaginationConfig=_PAGES)
        return (summary["ModelPackageGroupName"] for page in pages for summary in page["ModelPackageGroupSummaryList"])

    def group_name(self, group: str) -> str | None:
        """Return the name, in its original spelling, of the group with a name or an ARN; None if it is not visible."""
        with ignoring({"AccessDeniedException"}):
            described = self._described_group(group)
            return str(described["ModelPackageGroupName"]) if described else None
        return None

    def create_group(self, group: str) -> None:
        """Create a model package group that Signoff governs; one that exists already stays as it is.

        Raises `RegistryRefused` when SageMaker refuses the name, and no group of that name exists.
        """
        try:
            with _refusals():
                self._sagemaker.create_model_package_group(
                    ModelPackageGroupName=group,
                    ModelPackageGroupDescription="Created by Signoff for a submission",
                    Tags=[{"Key": GOVERNED_TAG, "Value": "true"}],
                )
        except RegistryRefused:
            if self._group_arn(group) is None:
                raise

    def mark_own_policy(self, group: str) -> None:
        """Tag `group` as having its own policy, so that it never falls back to the default."""
        arn = self._group_arn(group)
        self._sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": OWN_POLICY_TAG, "Value": "own"}])

    def create_package(self, request: Mapping[str, Any]) -> str:
        """Create a model package and return its ARN; the same ClientToken returns the same ARN again.

        Raises `RegistryRefused` with SageMaker's message when it refuses the request.
        """
        with _refusals():
            return str(self._sagemaker.create_model_package(**request)["ModelPackageArn"])

    def update_package(self, arn: str, **fields: Any) -> None:
        """Change `fields` of a package (UpdateModelPackage) and leave the others. Raises `RegistryRefused`."""
        with _refusals():
            self._sagemaker.update_model_package(ModelPackageArn=arn, **fields)

    def set_status(self, arn: str, status: str, why: str, metadata: Mapping[str, str] | None = None) -> None:
        """Set a package's approval status and add customer `metadata`; `why` becomes its ApprovalDescription."""
        more = {"CustomerMetadataProperties": dict(metadata)} if metadata else {}
        self.update_package(arn, ModelApprovalStatus=status, ApprovalDescription=approval_description(why), **more)

    def create_model(self, request: Mapping[str, Any]) -> bool:
        """Create a model. Returns False when one of that name exists. Raises `RegistryRefused`."""
        try:
            with _refusals():
                self._sagemaker.create_model(**request)
        except RegistryRefused as refusal:
            if "already exist" not in str(refusal):
                raise
            return False
        return True

    def describe_model(self, name: str) -> dict[str, Any] | None:
        """Return DescribeModel's answer, or None when there is no such model."""
        try:
            answer: dict[str, Any] = self._sagemaker.describe_model(ModelName=name)
        except ClientError as error:
            if error_code(error) in _REFUSALS and _ABSENT.search(error_message(error)):
                return None
            raise
        return answer

    def delete_model(self, name: str) -> None:
        """Delete a model; it is no error if it does not exist any more."""
        try:
            self._sagemaker.delete_model(ModelName=name)
        except ClientError as error:
            if error_code(error) not in _REFUSALS or self.describe_model(name) is not None:
                raise

    def endpoints_using(self, model: str) -> list[str]:
        """Return the names of the endpoints whose present configuration runs `model`."""
        pages = self._sagemaker.get_paginator("list_endpoints").paginate()
        names = [endpoint["EndpointName"] for page in pages for endpoint in page["Endpoints"]]
        return [name for name in names if model in self._models_of(name)]

    def groups(self) -> Iterator[tuple[str, dict[str, str]]]:
        """Yield every model package group of the account with its tags."""
        pages = self._sagemaker.get_paginator("list_model_package_groups").paginate()
        for page in pages:
            for summary in page["ModelPackageGroupSummaryList"]:
                yield summary["ModelPackageGroupName"], self._tags(summary["ModelPackageGroupArn"])

    def list_models(self) -> Iterator[tuple[str, str]]:
        """Yield the name and the ARN of every model of the account."""
        for page in self._sagemaker.get_paginator("list_models").paginate():
            for summary in page["Models"]:
                yield summary["ModelName"], summary["ModelArn"]

    def models_named(self, named: str, before: datetime) -> Iterator[str]:
        """Yield the names of the models whose names contain `named`, created before that."""
        pages = self._sagemaker.get_paginator("list_models")
        for page in pages.paginate(NameContains=named, CreationTimeBefore=before):
            yield from (summary["ModelName"] for summary in page["Models"])

    def tags_of(self, arn: str) -> dict[str, str]:
        """Return the tags of a group or a model."""
        return self._tags(arn)

    def packages(self, group: str) -> Iterator[dict[str, Any]]:
        """Yield the summaries of a group's packages, the newest first."""
        pages = self._sagemaker.get_paginator("list_model_packages").paginate(
            ModelPackageGroupName=group, SortBy="CreationTime", SortOrder="Descending"
        )
        for page in pages:
            yield from page["ModelPackageSummaryList"]

    def versions(self, after: datetime | None, token: str | None) -> tuple[list[Summary], str | None]:
        """Return up to 100 summaries of all groups' versions, created after that, the oldest first, and the next token.

        https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListModelPackages.html (ModelPackageType)
        """
        asked = {"ModelPackageType": "Versioned", "SortBy": "CreationTime", "SortOrder": "Ascending"}
        since = {"CreationTimeAfter": after} if after else {}
        answer = self._sagemaker.list_model_packages(**asked, **since, MaxResults=_BATCH, **_next(token))
        return answer["ModelPackageSummaryList"], answer.get("NextToken")

    def modified(self, after: datetime, token: str | None) -> tuple[list[Summary], str | None]:
        """Return up to 100 packages that were modified after that, the oldest change first, and the next token.

        Search has all that DescribeModelPackage has, and follows it with a delay:
        https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Search.html
        """
        since = {"Name": "LastModifiedTime", "Operator": "GreaterThan", "Value": f"{after:%Y-%m-%dT%H:%M:%S}"}
        answer = self._sagemaker.search(
            Resource="ModelPackage",
            SearchExpression={"Filters": [since]},
            SortBy="LastModifiedTime",
            SortOrder="Ascending",
            MaxResults=_BATCH,
            **_next(token),
        )
        found = (result.get("ModelPackage") for result in answer.get("Results", ()))
        return [each for each in found if each and each.get("ModelPackageGroupName")], answer.get("NextToken")

    def _models_of(self, endpoint: str) -> set[str]:
        described = self._sagemaker.describe_endpoint(EndpointName=endpoint)
        config = self._sagemaker.describe_endpoint_config(EndpointConfigName=described["EndpointConfigName"])
        variants = [*config.get("ProductionVariants", ()), *config.get("ShadowProductionVariants", ())]
        return {variant["ModelName"] for variant in variants if variant.get("ModelName")}

    def _group_arn(self, group: str) -> str | None:
        described = self._described_group(group)
        return str(described["ModelPackageGroupArn"]) if described else None

    def _described_group(self, group: str) -> dict[str, Any] | None:
        with ignoring(_REFUSALS):
            return dict(self._sagemaker.describe_model_package_group(ModelPackageGroupName=group))
        return None

    def _tags(self, arn: str) -> dict[str, str]:
        pages = self._sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn)
        return {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}


def _next(token: str | None) -> dict[str, str]:
    return {"NextToken": token} if token else {}


def _chunks(items: Iterable[str], size: int) -> Iterator[list[str]]:
    remaining = iter(items)
    while chunk := list(islice(remaining, size)):
        yield chunk


class _refusals:  # noqa: N801 -- reads as a statement: `with _refusals():`
    """Turn SageMaker's ValidationException into `RegistryRefused`; everything else passes."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, ClientError) and error_code(error) in _REFUSALS:
            raise RegistryRefused(error_message(error)) from error
