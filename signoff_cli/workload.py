"""Signoff from an account beside the registry's: what SageMaker shows there of packages in the registry's account.

The ledger is read in the registry's account only. From here one submits, decides, annotates, and sees by the packages
themselves, which the group's policy lets this account describe, what came of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from signoff_cli.errors import CommandFailed
from signoff_cli.packages.lookup import by_version

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


def resolve_group(group: str, central: RegistryLocation, registry: PackageDescriptions) -> str:
    """Return the name, as it was given, of the group of the registry that `group`, a name or an ARN, stands for.

    Raises `CommandFailed` for the ARN of a group elsewhere, and for a group that this account cannot see.
    """
    arn = group if group.startswith("arn:") else central.arn("model-package-group", group)
    if arn.lower() != central.arn("model-package-group", arn.rpartition("/")[2]):
        raise CommandFailed(
            f"{group} is no model package group of the registry in account {central.account}, {central.region}"
        )
    name = registry.group_name(arn)
    if name is None:
        raise CommandFailed(
            f"there is no group {group} that is open to this account; the group's policy says to which it is"
        )
    return name


def package_arn(package: str, central: RegistryLocation) -> str:
    """Return the ARN of the registry's package that `package`, an ARN or `group/version`, stands for."""
    named = by_version(package)
    return central.arn("model-package", f"{named[0]}/{named[1]}") if named else package


def describe_for_decision(
    registry: PackageDescriptions, decision: DecisionRequest, central: RegistryLocation
) -> tuple[dict[str, Any], DecisionRequest]:
    """Return the description of the package that is decided about, and the decision, on the evidence that it shows."""
    arn = package_arn(decision.package, central)
    described = registry.describe(arn)
    evidence = described.get("CustomerMetadataProperties", {}).get(_EVIDENCE)
    return described, replace(decision, package=arn, evidence=evidence)


def wait_until_validated(registry: PackageDescriptions, arn: str, patience: Deadline) -> dict[str, Any]:
    """Wait until a package is validated, and return its description. Raises `TimedOut`."""
    while True:
        described = registry.describe(arn)
        metadata = described.get("CustomerMetadataProperties", {})
        if "signoff:verdict" in metadata or described["ModelApprovalStatus"] != _PENDING:
            return described
        patience.pause(f"{arn} is not validated yet, and the time given with --timeout is over; describe it later")


def failure_reason(described: Mapping[str, Any]) -> str | None:
    """Return why a package did not pass its validation, or None when it did."""
    if described["ModelApprovalStatus"] == "Rejected":
        return str(described.get("ApprovalDescription", "it is Rejected"))
    return None


def shows_decision(described: Mapping[str, Any], decision: DecisionRequest) -> bool:
    """Return whether the registry shows a package already as the decision wants it."""
    return bool(described["ModelApprovalStatus"] == _WANTED[decision.decision])


def wait_until_decided(registry: PackageDescriptions, decision: DecisionRequest, patience: Deadline) -> dict[str, Any]:
    """Wait until the registry shows the decision, and return the package's description.

    Raises `TimedOut` when it does not in time: a refusal changes nothing in the registry, and is told on the bus.
    """
    while True:
        described = registry.describe(decision.package)
        if shows_decision(described, decision):
            return described
        patience.pause(
            f"the decision was sent, and {decision.package} is still {described['ModelApprovalStatus']}. If it takes "
            "more approvals, yours counts as one of them. If it was refused, the event `Decision Refused` on this "
            "account's bus says why, and `signoff show` in the registry's"
        )


def require_metadata_only(said: Annotation) -> Annotation:
    """Return the annotation. Raises `CommandFailed` for one that the registry's account would refuse to this one."""
    if said.add_specifications:
        raise CommandFailed("inference specifications can only be added from the registry's account")
    return said


def shows_annotation(described: Mapping[str, Any], said: Annotation) -> bool:
    """Return whether a package's metadata is already as the annotation wants it."""
    metadata: Mapping[str, str] = described.get("CustomerMetadataProperties", {})
    return said.set.items() <= metadata.items() and not metadata.keys() & set(said.remove)


def wait_until_annotated(registry: PackageDescriptions, said: Annotation, patience: Deadline) -> dict[str, Any]:
    """Wait until the registry shows the annotation, and return the package's description.

    Raises `TimedOut` when it does not in time: a refusal changes nothing in the registry, and is told on the bus.
    """
    while True:
        described = registry.describe(said.package)
        if shows_annotation(described, said):
            return described
        patience.pause(
            f"the annotation was sent, and {said.package} does not show it. If it was refused, the event `Decision "
            "Refused` (of `annotate`) on this account's bus says why, and `signoff show` in the registry's"
        )


def package_name(described: Mapping[str, Any]) -> str:
    """Return `group/version` of a package."""
    return f"{described.get('ModelPackageGroupName')}/{described.get('ModelPackageVersion')}"


def package_page(described: Mapping[str, Any], central: RegistryLocation) -> list[str]:
    """Return what is seen of a package from here."""
    metadata = described.get("CustomerMetadataProperties", {})
    facts = {
        "package": described["ModelPackageArn"],
        "in SageMaker": described["ModelApprovalStatus"],
        "because": described.get("ApprovalDescription"),
        "verdict": metadata.get("signoff:verdict", "none yet"),
        "evidence": metadata.get(_EVIDENCE),
        "ledger": f"in account {central.account} ({central.region}): `signoff show` tells more there",
    }
    return [package_name(described), *(f"{name:<14}{value}" for name, value in facts.items() if value)]


def decision_summary(described: Mapping[str, Any], decision: DecisionRequest) -> list[str]:
    """Return what is about to be decided, for the person who is asked to confirm it."""
    metadata = described.get("CustomerMetadataProperties", {})
    return [
        f"{decision.decision} {package_name(described)}",
        f"  package    {decision.package}",
        f"  as         {decision.approver}",
        f"  because    {decision.reason}",
        f"  it stands  {described['ModelApprovalStatus']}, verdict {metadata.get('signoff:verdict', 'none yet')}",
        f"  evidence   {metadata.get(_EVIDENCE, 'none yet')} (to be read in the registry's account)",
    ]


def annotation_summary(described: Mapping[str, Any], said: Annotation, by: str) -> list[str]:
    """Return what `by` (an ARN) is about to say of a package, for the person who is asked to confirm it."""
    return [
        f"annotate {package_name(described)}",
        f"  package    {said.package}",
        f"  as         {by}",
        *(f"  set        {key} = {value}" for key, value in said.set.items()),
        *(f"  remove     {key}" for key in said.remove),
        f"  it stands  {described['ModelApprovalStatus']}",
    ]
