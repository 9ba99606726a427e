"""Which additional inference specifications of a package are validated and signed, and how it would be deployed.

Whoever may call UpdateModelPackage can add one, at any time, and nobody can remove it again. So what was not registered
with the package, not annotated by those who may, and is chosen by no deployment is no part of what is validated: it is
named in the evidence, never deployed, and takes nothing else down.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateModelPackage.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from signoff.ledger.state import State
from signoff.model_package.containers import running, specification_name
from signoff.model_package.subject import containers, specification_names, with_specifications
from signoff.policy.policy import Policy
from signoff.submission.policy_choices import effective
from signoff.validation.checks import Check, skipped


def validated_part(described: Mapping[str, Any], state: State, policy: Policy) -> dict[str, Any]:
    """Return a description without the specifications that are no part of the package in `state`.

    Without a registration the policy's registration defaults say which one is deployed.
    """
    names = {*state.specifications}
    defaults = (policy.registration_defaults or {}).get("Deployment", {})
    chosen = specification_name(defaults) if state.registration is None else None
    return with_specifications(described, {*names, *([chosen] if chosen else [])})


def deployment_of(registration: Mapping[str, Any] | None, policy: Policy) -> dict[str, Any]:
    """Return the effective deployment settings: the policy's, and how the manifest says the containers run.

    A package registered elsewhere has no manifest; the policy's registration defaults apply to it too.
    """
    defaults = (policy.registration_defaults or {}).get("Deployment", {})
    manifest = registration["deployment"] if registration else defaults
    return {"policy": effective(policy.deployment, manifest), "manifest": manifest}


def left_out_checks(described: Mapping[str, Any], validated: Mapping[str, Any]) -> list[Check]:
    """Return a skipped check for each specification of `described` that is not in `validated`."""
    names = sorted({*specification_names(described)} - {*specification_names(validated)})
    reason = "was added after the registration and is chosen by no deployment: it was not inspected; deploy it nowhere"
    return [skipped(f"specification:{name}", reason) for name in names]


def environments(described: Mapping[str, Any], manifest: Mapping[str, Any]) -> list[tuple[str, dict[str, str]]]:
    """Return the environments that a package's containers may run with, each with the path it stands at."""
    found = [(path, dict(container.get("Environment") or {})) for path, container in containers(described)]
    chosen = running(described, manifest)
    found += [(f"Deployment[{i}]", dict(each.get("Environment") or {})) for i, each in enumerate(chosen.settings)]
    return found
