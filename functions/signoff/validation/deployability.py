"""Whether a validated package could be deployed as its manifest says, to every target of its policy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from signoff.errors import TargetFault
from signoff.model_package.containers import RunningContainers, in_vpc, running
from signoff.model_package.deployment_rules import RULES
from signoff.model_package.model_request import NOT_IN_A_MODEL, must_be_expandable, pinned, why_expanded
from signoff.validation.checks import Check, failed


def deployment_checks(
    described: Mapping[str, Any], signed: Mapping[str, Any], uri: Callable[[str], str]
) -> Iterator[Check]:
    """Yield a failed check for whatever would prevent CreateModel from creating the model of the subject `signed`.

    A package registered elsewhere was not checked by the rules for manifests: the group's defaults say how it runs.
    """
    deployment = signed["deployment"]
    manifest = deployment["manifest"]
    for fault in (fault for rule in RULES for fault in rule({**described, "Deployment": manifest})):
        yield failed(f"deployment:{fault.path}", fault.message)
    found = running(described, manifest)
    reasons = [*why_expanded(described, manifest), *([] if pinned(signed, uri) else ["what is not in the vault"])]
    for position, (container, settings) in enumerate(found.pairs):
        path = f"deployment:{found.path}[{position}]"
        for field in (field for field in NOT_IN_A_MODEL if reasons and container.get(field)):
            needed = (
                f"because of {', '.join(reasons)}, the container must be written out, and it cannot hold {field} then"
            )
            yield failed(path, needed)
        if in_vpc(settings) and not deployment["policy"]["vpc"]:
            reason = "its image is in a registry inside a VPC, but the policy sets no VPC for the model"
            yield failed(path, reason)
    for target in deployment["policy"].get("targets") or ():
        yield from _target_checks(found, target)


def _target_checks(found: RunningContainers, target: Mapping[str, Any]) -> Iterator[Check]:
    """Yield a failed check for whatever would prevent the same model from being created in a target."""
    path = f"deployment:targets.{target['account'] or 'this account'}/{target['region']}"
    try:
        must_be_expandable(found)
    except TargetFault as fault:
        yield failed(path, str(fault))
    if any(in_vpc(settings) for settings in found.settings) and not target["vpc"]:
        yield failed(path, "an image is in a registry inside a VPC, but the target sets no VPC")
