"""Signoff from an account beside the registry's: what SageMaker shows there of packages in the registry's account.

The ledger is read in the registry's account only. From here one submits, decides, annotates, and sees by the packages
themselves, which the group's policy lets this account describe, what came of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from signoff_cli.errors import CommandFailed
from signoff_cli.packages.lookup import parse_version

if TYPE_CHECKING:
    from signoff.approval.annotations import Annotation
    from signoff_cli.packages.progress import Deadline
    from signoff_cli.statements.decision import DecisionRequest

_PENDING = "PendingManualApproval"
_WANTED = {"approve": "Approved", "reject": "Rejected", "revoke": "Rejected", "reopen": _PENDING}
_EVIDENCE = "signoff:evidence"


class PackageDescriptions(Protocol):
    """What is read of SageMaker's registry (`signoff.aws.sagemaker.Registry`)."""

    def describe(self, arn: str) -> dict[str, Any]: ...  # noqa: D102
    def group_name(self, group: str) -> str | None: ...  # noqa: D102


@dataclass(frozen=True)
class RegistryLocation:
    """Where the registry is that a workload account works with: its account, of 12 digits, and its region."""

    account: str
    region: str

    def arn(self, kind: str, name: str) -> str:
        """Return the ARN of something of the registry's (`model-package-group`), whose name SageMaker writes small."""
        return f"arn:aws:sagemaker:{self.region}:{self.account}:{kind}/{name.lower()}"


def resolve_group(group: str, location: RegistryLocation, registry: PackageDescriptions) -> str:
    """Return the name, as it was given, of the group of the registry that `group`, a name or an ARN, stands for.

    Raises `CommandFailed` for the ARN of a group elsewhere, and for a group that this account cannot see.
    """
    arn = group if group.startswith("arn:") else location.arn("model-package-group", group)
    if arn.lower() != location.arn("model-package-group", arn.rpartition("/")[2]):
        raise CommandFailed(
            f"{group} is not a model package group of the registry in account {location.account}, {location.region}"
        )
    name = registry.group_name(arn)
    if name is None:
        raise CommandFailed(
            f"this account has no access to a group {group}; the group's policy lists the accounts that have"
        )
    return name


def package_arn(package: str, location: RegistryLocation) -> str:
    """Return the ARN of the registry's package that `package`, an ARN or `group/version`, stands for."""
    named = parse_version(package)
    return location.arn("model-package", f"{named[0]}/{named[1]}") if named else package


def describe_for_decision(
    registry: PackageDescriptions, decision: DecisionRequest, location: RegistryLocation
) -> tuple[dict[str, Any], DecisionRequest]:
    """Return the description of the package that is decided about, and the decision, on the evidence that it shows."""
    arn = package_arn(decision.package, location)
    described = registry.describe(arn)
    evidence = described.get("CustomerMetadataProperties", {}).get(_EVIDENCE)
    return described, replace(decision, package=arn, evidence=evidence)


def wait_until_validated(registry: PackageDescriptions, arn: str, deadline: Deadline) -> dict[str, Any]:
    """Wait until a package is validated, and return its description. Raises `TimedOut`."""
    while True:
        described = registry.describe(arn)
        metadata = described.get("CustomerMetadataProperties", {})
        if "signoff:verdict" in metadata or described["ModelApprovalStatus"] != _PENDING:
            return described
        deadline.pause(
            f"timed out waiting for the validation of {arn}; look again later with `signoff show`, or give a "
            "longer --timeout"
        )


def failure_reason(described: Mapping[str, Any]) -> str | None:
    """Return why a package did not pass its validation, or None when it did."""
    if described["ModelApprovalStatus"] == "Rejected":
        return str(described.get("ApprovalDescription", "it is Rejected"))
    return None


def shows_decision(described: Mapping[str, Any], decision: DecisionRequest) -> bool:
    """Return whether the registry shows a package already as the decision wants it."""
    return bool(described["ModelApprovalStatus"] == _WANTED[decision.decision])


def wait_until_decided(registry: PackageDescriptions, decision: DecisionRequest, deadline: Deadline) -> dict[str, Any]:
    """Wait until the registry shows the decision, and return the package's description.

    Raises `TimedOut` when it does not in time: a refusal changes nothing in the registry, and is reported on the bus.
    """
    while True:
        described = registry.describe(decision.package)
        if shows_decision(described, decision):
            return described
        deadline.pause(
            f"the decision was sent, and {decision.package} is still {described['ModelApprovalStatus']}. If it needs "
            "more approvals, yours counts as one of them. If it was refused, the event `Decision Refused` on this "
            "account's bus gives the reason, as does `signoff show` in the registry's account"
        )


def require_metadata_only(annotation: Annotation) -> Annotation:
    """Return the annotation. Raises `CommandFailed` for one that the registry's account would refuse to this one."""
    if annotation.add_specifications:
        raise CommandFailed("inference specifications can only be added from the registry's account")
    return annotation


def shows_annotation(described: Mapping[str, Any], annotation: Annotation) -> bool:
    """Return whether a package's metadata is already as the annotation wants it."""
    metadata: Mapping[str, str] = described.get("CustomerMetadataProperties", {})
    return annotation.set.items() <= metadata.items() and not metadata.keys() & set(annotation.remove)


def wait_until_annotated(registry: PackageDescriptions, annotation: Annotation, deadline: Deadline) -> dict[str, Any]:
    """Wait until the registry shows the annotation, and return the package's description.

    Raises `TimedOut` when it does not in time: a refusal changes nothing in the registry, and is reported on the bus.
    """
    while True:
        described = registry.describe(annotation.package)
        if shows_annotation(described, annotation):
            return described
        deadline.pause(
            f"the annotation was sent, and {annotation.package} does not show it. If it was refused, the event "
            "`Decision Refused` (of `annotate`) on this account's bus gives the reason, as does `signoff show` in the "
            "registry's account"
        )


def package_name(described: Mapping[str, Any]) -> str:
    """Return `group/version` of a package."""
    return f"{described.get('ModelPackageGroupName')}/{described.get('ModelPackageVersion')}"


def package_page(described: Mapping[str, Any], location: RegistryLocation) -> list[str]:
    """Return what is seen of a package from here."""
    metadata = described.get("CustomerMetadataProperties", {})
    facts = {
        "package": described["ModelPackageArn"],
        "in SageMaker": described["ModelApprovalStatus"],
        "reason": described.get("ApprovalDescription"),
        "verdict": metadata.get("signoff:verdict", "none yet"),
        "evidence": metadata.get(_EVIDENCE),
        "ledger": f"in account {location.account} ({location.region}): `signoff show` shows more there",
    }
    return [package_name(described), *(f"{name:<14}{value}" for name, value in facts.items() if value)]


def decision_summary(described: Mapping[str, Any], decision: DecisionRequest) -> list[str]:
    """Return what is about to be decided, for the person who is asked to confirm it."""
    metadata = described.get("CustomerMetadataProperties", {})
    return [
        f"{decision.decision} {package_name(described)}",
        f"  package    {decision.package}",
        f"  as         {decision.approver}",
        f"  reason     {decision.reason}",
        f"  status     {described['ModelApprovalStatus']}, verdict {metadata.get('signoff:verdict', 'none yet')}",
        f"  evidence   {metadata.get(_EVIDENCE, 'none yet')} (to be read in the registry's account)",
    ]


def annotation_summary(described: Mapping[str, Any], annotation: Annotation, by: str) -> list[str]:
    """Return the summary of an annotation by `by` (an ARN), for the person who is asked to confirm it."""
    return [
        f"annotate {package_name(described)}",
        f"  package    {annotation.package}",
        f"  as         {by}",
        *(f"  set        {key} = {value}" for key, value in annotation.set.items()),
        *(f"  remove     {key}" for key in annotation.remove),
        f"  status     {described['ModelApprovalStatus']}",
    ]
