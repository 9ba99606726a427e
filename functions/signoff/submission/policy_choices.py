"""What a group's policy lets a manifest choose, and the resulting deployment settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from signoff.documents.faults import Fault, below
from signoff.policy.deployment import Deployment
from signoff.policy.policy import Policy
from signoff.service_model.shapes import objects, select

_JOBS = "ValidationSpecification.ValidationProfiles[].TransformJobDefinition"


def policy_faults(document: Mapping[str, Any], policy: Policy) -> list[Fault]:
    """Return what `policy` does not allow in an otherwise valid manifest; sorted by path."""
    return sorted({*_deployment_faults(document, policy.deployment), *_validation_faults(document, policy)})


def effective(deployment: Deployment, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that a model is deployed with: the policy's, overridden by what a manifest chose.

    `manifest` is a valid manifest's Deployment.
    """
    settings: dict[str, Any] = msgspec.to_builtins(deployment)
    settings.pop("choices")
    if "ExecutionRoleArn" in manifest:
        settings["execution_role"] = manifest["ExecutionRoleArn"]
    if "EnableNetworkIsolation" in manifest:
        settings["network_isolation"] = manifest["EnableNetworkIsolation"]
    if "VpcConfig" in manifest:
        settings["vpc"] = _vpc(manifest["VpcConfig"])
    given = {tag["Key"]: tag["Value"] for tag in manifest.get("Tags", ())}
    settings["tags"] = {**settings["tags"], **given}
    return settings


def not_allowed_any_more(settings: Mapping[str, Any], deployment: Deployment) -> list[str]:
    """Return the names of the effective `settings` that a policy's `deployment` neither sets nor offers.

    Network isolation is always allowed: without it a container can do no more than what the policy sets.
    """
    sets = msgspec.json.decode(msgspec.json.encode(deployment))  # with lists, as settings have that were read
    choices = sets["choices"]
    allowed = {
        "execution_role": [sets["execution_role"], *choices["execution_roles"]],
        "network_isolation": [True, sets["network_isolation"], *choices["network_isolation"]],
        "vpc": [sets["vpc"], *choices["vpcs"]],
    }
    found = [name for name, values in allowed.items() if settings.get(name) not in values]
    found += ["tags"] if settings.get("tags", {}).keys() - {*sets["tags"], *choices["tags"]} else []
    return found + (["targets"] if any(each not in sets["targets"] for each in settings.get("targets", ())) else [])


def _vpc(config: Mapping[str, Any]) -> dict[str, Any]:
    return {"security_groups": list(config["SecurityGroupIds"]), "subnets": list(config["Subnets"])}


def _deployment_faults(document: Mapping[str, Any], deployment: Deployment) -> Iterator[Fault]:
    for path, manifest in objects(document, "Deployment"):
        for field, chosen, offered in _choices(manifest, deployment):
            if chosen not in offered:
                yield Fault(below(path, field), _not_offered(offered))
        for position, tag in enumerate(manifest.get("Tags", ())):
            if tag["Key"] not in deployment.choices.tags:
                yield Fault(f"{path}.Tags[{position}].Key", _not_offered(deployment.choices.tags))


def _choices(manifest: Mapping[str, Any], deployment: Deployment) -> Iterator[tuple[str, Any, list[Any]]]:
    """Yield each choice that a manifest makes: the field, what it chose, and what is offered."""
    choices = deployment.choices
    if "ExecutionRoleArn" in manifest:
        roles = [deployment.execution_role, *choices.execution_roles]
        yield "ExecutionRoleArn", manifest["ExecutionRoleArn"], roles
    if "EnableNetworkIsolation" in manifest:
        isolation = [deployment.network_isolation, *choices.network_isolation]
        yield "EnableNetworkIsolation", manifest["EnableNetworkIsolation"], isolation
    if "VpcConfig" in manifest:
        vpcs = [vpc for vpc in (deployment.vpc, *choices.vpcs) if vpc]
        connected = [{"security_groups": list(vpc.security_groups), "subnets": list(vpc.subnets)} for vpc in vpcs]
        yield "VpcConfig", _vpc(manifest["VpcConfig"]), connected


def _validation_faults(document: Mapping[str, Any], policy: Policy) -> Iterator[Fault]:
    allowed = policy.validation
    for path, role in select(document, "ValidationSpecification.ValidationRole"):
        if role not in allowed.roles:
            yield Fault(path, _not_offered(allowed.roles))
    for path, output in select(document, f"{_JOBS}.TransformOutput.S3OutputPath"):
        if not any(str(output).startswith(prefix) for prefix in allowed.outputs):
            yield Fault(path, _not_offered(allowed.outputs))


def _not_offered(offered: Sequence[Any]) -> str:
    if not offered:
        return "is set by the policy; leave it out"
    return f"is not allowed by the group's policy, which offers: {', '.join(map(str, offered))}"
