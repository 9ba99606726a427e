"""SageMaker's registry, models and endpoints in memory, with the interface of `Registry`."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from signoff.aws.sagemaker import ModelPackageGroup, approval_description
from signoff.aws.ssm import GOVERNED_TAG, OWN_POLICY_TAG
from signoff.documents.timestamps import Clock
from signoff.errors import RegistryRefused, UnknownPackage
from signoff.model_package.package_rules import METADATA_KEYS

ACCOUNT = "arn:aws:sagemaker:us-east-1:123456789012"
_UPDATED_NAMES = {"SourceUri": "sourceUri"}
_METADATA, _SPECIFICATIONS = "CustomerMetadataProperties", "AdditionalInferenceSpecifications"
_SUMMARY = (
    *("ModelPackageGroupName", "ModelPackageVersion", "ModelPackageArn", "ModelPackageDescription", "CreationTime"),
    *("InferenceSpecification", "ModelPackageStatus", "ModelApprovalStatus", "ModelPackageRegistrationType"),
)


class FakeRegistry:
    """Behaves as SageMaker does where Signoff relies on it; `events` are those it would put on the default bus.

    ARNs lower-case a group's name, names that differ only by case are one group, a ClientToken returns the package it
    made, an update keeps what it is not given, merges customer metadata and adds specifications, an event says which
    fields an update really changed, and a model is made once. `reads` are the ARNs of packages
    described one by one, `batches` those of each batch.
    """

    def __init__(
        self,
        now: Clock,
        actor: str = "arn:aws:sts::123456789012:assumed-role/Signoff/session",
        where: str = ACCOUNT,
    ) -> None:
        self._now = now
        self._where = where
        self.actor = actor
        self.tags: dict[str, dict[str, str]] = {}
        self.described: dict[str, dict[str, Any]] = {}
        self.models: dict[str, dict[str, Any]] = {}
        self.model_tags: dict[str, dict[str, str]] = {}
        self.endpoints: dict[str, set[str]] = {}
        self.events: list[dict[str, Any]] = []
        self.writes: list[tuple[str, str]] = []
        self.reads: list[str] = []
        self.batches: list[list[str]] = []
        self.refuses: dict[str, dict[str, str]] = {}
        self._tokens: dict[str, tuple[Any, str]] = {}
        self._versions: dict[str, int] = {}

    def describe(self, arn: str) -> dict[str, Any]:
        self.reads.append(arn)
        if arn not in self.described:
            raise UnknownPackage(f"{arn}: ModelPackage {arn} does not exist.")
        return copy.deepcopy(self.described[arn])

    def batch(self, arns: Iterable[str]) -> tuple[dict[str, Any], dict[str, dict[str, str]]]:
        asked = list(dict.fromkeys(arns))
        self.batches += [asked[start : start + 100] for start in range(0, len(asked), 100)]
        absent = {"ErrorCode": "ValidationException", "ErrorResponse": "ModelPackage does not exist."}
        errors = {
            arn: self.refuses.get(arn, absent) for arn in asked if arn in self.refuses or arn not in self.described
        }
        known = {arn: self.described[arn] for arn in asked if arn not in errors}
        return {arn: {f: described[f] for f in _SUMMARY if f in described} for arn, described in known.items()}, errors

    def group(self, name: str) -> ModelPackageGroup | None:
        spelled = self._spelled(name)
        return ModelPackageGroup(spelled, dict(self.tags[spelled])) if spelled in self.tags else None

    def group_name(self, group: str) -> str | None:
        found = self.group(group)
        return found.name if found else None

    def group_tags(self, group: str) -> dict[str, str] | None:
        found = self.group(group)
        return found.tags if found else None

    def _spelled(self, group: str) -> str:
        return next((name for name in self.tags if name.lower() == group.lower()), group)

    def create_group(self, group: str) -> None:
        self.tags.setdefault(self._spelled(group), {GOVERNED_TAG: "true"})
        self.writes.append(("create_group", group))

    def mark_own_policy(self, group: str) -> None:
        self.tags[group][OWN_POLICY_TAG] = "own"
        self.writes.append(("mark_own_policy", group))

    def create_package(self, request: Mapping[str, Any]) -> str:
        group, token = self._spelled(request["ModelPackageGroupName"]), request.get("ClientToken")
        if token in self._tokens:
            first, arn = self._tokens[token]
            if first != request:
                raise RegistryRefused(f"ClientToken {token} was already used with other parameters")
            return arn
        if group not in self.tags:
            raise RegistryRefused(f"Model Package Group {group} does not exist")
        version = self._versions[group] = self._versions.get(group, 0) + 1
        arn = f"{self._where}:model-package/{group.lower()}/{version}"
        self.described[arn] = {
            "ModelApprovalStatus": "PendingManualApproval",
            **copy.deepcopy({field: value for field, value in request.items() if field not in ("ClientToken", "Tags")}),
            "ModelPackageGroupName": group,
            "ModelPackageArn": arn,
            "ModelPackageVersion": version,
            "ModelPackageStatus": "Completed",
            "CreationTime": self._now(),
            "CreatedBy": {"IamIdentity": {"Arn": self.actor}},
            "LastModifiedTime": self._now(),
        }
        if token:
            self._tokens[token] = (copy.deepcopy(dict(request)), arn)
        self.writes.append(("create_package", arn))
        self._announce(arn)
        return arn

    def update_package(self, arn: str, **fields: Any) -> None:
        if arn not in self.described:
            raise RegistryRefused(f"ModelPackage {arn} does not exist.")
        described = self.described[arn]
        fields = _merged(described, fields)
        if len(fields.get(_METADATA, ())) > METADATA_KEYS:
            raise RegistryRefused(f"CustomerMetadataProperties has more than {METADATA_KEYS} entries")
        changed = [field for field, value in fields.items() if described.get(field) != value]
        described.update(copy.deepcopy(fields))
        described["LastModifiedTime"] = self._now()
        described["LastModifiedBy"] = {"IamIdentity": {"Arn": self.actor}}
        self.writes.append(("update_package", arn))
        if changed:
            self._announce(arn, [_UPDATED_NAMES.get(field, field) for field in changed])

    def set_status(self, arn: str, status: str, why: str, metadata: Mapping[str, str] | None = None) -> None:
        more = {"CustomerMetadataProperties": dict(metadata)} if metadata else {}
        self.update_package(arn, ModelApprovalStatus=status, ApprovalDescription=approval_description(why), **more)

    def create_model(self, request: Mapping[str, Any]) -> bool:
        name = request["ModelName"]
        self.writes.append(("create_model", name))
        if name in self.models:
            return False
        arn = f"{self._where}:model/{name.lower()}"
        shown = {field: value for field, value in request.items() if field != "Tags"}
        self.models[name] = {**copy.deepcopy(shown), "ModelArn": arn, "CreationTime": self._now()}
        self.model_tags[arn] = {tag["Key"]: tag["Value"] for tag in request.get("Tags", ())}
        return True

    def tags_of(self, arn: str) -> dict[str, str]:
        return self.model_tags.get(arn, {})

    def list_models(self) -> Iterator[tuple[str, str]]:
        for name, model in self.models.items():
            yield name, model["ModelArn"]

    def models_named(self, named: str, before: datetime) -> Iterator[str]:
        yield from [name for name, model in self.models.items() if named in name and model["CreationTime"] < before]

    def describe_model(self, name: str) -> dict[str, Any] | None:
        return copy.deepcopy(self.models.get(name))

    def delete_model(self, name: str) -> None:
        self.models.pop(name, None)
        self.writes.append(("delete_model", name))

    def endpoints_using(self, model: str) -> list[str]:
        return sorted(name for name, models in self.endpoints.items() if model in models)

    def groups(self) -> Iterator[tuple[str, dict[str, str]]]:
        for group in list(self.tags):
            yield group, dict(self.tags[group])

    def packages(self, group: str) -> Iterator[dict[str, Any]]:
        fields = ("ModelPackageArn", "CreationTime", "ModelApprovalStatus", "ModelPackageVersion")
        packages = [each for each in self.described.values() if each.get("ModelPackageGroupName") == group]
        for described in sorted(packages, key=lambda each: -each["ModelPackageVersion"]):
            yield {field: described[field] for field in fields}

    def versions(self, after: datetime | None, token: str | None) -> tuple[list[dict[str, Any]], str | None]:
        fields = ("ModelPackageArn", "CreationTime", "ModelApprovalStatus", "ModelPackageGroupName")
        later = [each for each in self.described.values() if after is None or each["CreationTime"] > after]
        page = _page(later, "CreationTime", token)
        return [{field: each[field] for field in fields} for each in page[0]], page[1]

    def modified(self, after: datetime, token: str | None) -> tuple[list[dict[str, Any]], str | None]:
        later = [each for each in self.described.values() if each["LastModifiedTime"] > after.replace(microsecond=0)]
        found, following = _page(later, "LastModifiedTime", token)
        return copy.deepcopy(found), following

    def by_hand(self, arn: str, actor: str = "arn:aws:iam::123456789012:user/mallory", **fields: Any) -> None:
        """Change a package as a person does, in Studio or with the AWS CLI."""
        ours, self.actor = self.actor, actor
        self.update_package(arn, **fields)
        self.actor = ours

    def delete_package(self, arn: str) -> None:
        """Delete a package, as anybody with the permission may; its version is not used again."""
        del self.described[arn]

    def delete_group(self, group: str) -> None:
        """Delete a group and its packages; made anew, it starts again at version 1."""
        self.described = {arn: each for arn, each in self.described.items() if each["ModelPackageGroupName"] != group}
        self._tokens = {token: made for token, made in self._tokens.items() if made[1] in self.described}
        del self.tags[group], self._versions[group]

    def _announce(self, arn: str, updated: list[str] | None = None) -> None:
        described = self.described[arn]
        fields = ("ModelPackageArn", "ModelPackageGroupName", "ModelPackageVersion", "ModelApprovalStatus")
        detail = {field: described[field] for field in (*fields, "ModelPackageStatus")}
        if updated is not None:
            modified = described["LastModifiedTime"].strftime("%Y-%m-%dT%H:%M:%SZ")
            detail |= {"UpdatedModelPackageFields": updated, "LastModifiedTime": modified}
        self.events.append(detail)


def _page(packages: list[dict[str, Any]], by: str, token: str | None) -> tuple[list[dict[str, Any]], str | None]:
    """Return the next hundred of `packages`, sorted by a time, and the token after them."""
    start = int(token or "0")
    ordered = sorted(packages, key=lambda each: (each[by], each["ModelPackageArn"]))
    return ordered[start : start + 100], str(start + 100) if len(ordered) > start + 100 else None


def _merged(described: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of an update as the package shows them afterwards."""
    merged = dict(fields)
    removed = set(merged.pop(f"{_METADATA}ToRemove", ()))
    if removed or _METADATA in merged:
        kept = {key: value for key, value in described.get(_METADATA, {}).items() if key not in removed}
        merged[_METADATA] = {**kept, **merged.get(_METADATA, {})}
    added = merged.pop(f"{_SPECIFICATIONS}ToAdd", ())
    if added:
        merged[_SPECIFICATIONS] = [*described.get(_SPECIFICATIONS, ()), *added]
    return merged
