"""Auditing a world: with the command's own reader, over the fakes, as anybody would who may only read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from signoff.aws.ssm import Policies
from signoff_cli.audit.auditor import Auditor
from signoff_cli.audit.deployed_policies import PolicyAuditor
from signoff_cli.audit.facts import Discrepancy
from tests.support.world import World


def auditor(world: World, *, bytes_too: bool = True) -> Auditor:
    """Return an auditor of the world, who waits for nothing."""
    return Auditor(world.ledger, world.vault, world.registry, bytes_too=bytes_too, pause=lambda: None)  # type: ignore[arg-type]


def policy_auditor(
    world: World, outputs: Mapping[str, str] | None = None, pause: Callable[[], None] = lambda: None
) -> PolicyAuditor:
    """Return what compares the policies of the world with those that its stack, of these `outputs`, deployed."""
    policies = Policies(world.parameters, "/signoff/policies")
    return PolicyAuditor(policies, lambda: policy_template(world.deployed_policies), outputs or {}, pause)


def policy_template(texts: Mapping[str, Any]) -> dict[str, Any]:
    """Return as much of a stack's template as deploys these policies, by their names below the path."""
    made = [{"Name": f"/signoff/policies/{name}", "Value": text} for name, text in texts.items()]
    resources = [{"Type": "AWS::SSM::Parameter", "Properties": properties} for properties in made]
    return {"Resources": {f"Policy{number}": resource for number, resource in enumerate(resources)}}


def audited(world: World, *, bytes_too: bool = True) -> list[Discrepancy]:
    """Return all that does not fit in a world, of the ledgers in the index and of those that only the heads know."""
    reader = auditor(world, bytes_too=bytes_too)
    known = reader.all_keys()
    checkpoint_history = reader.checkpoint_history(world.clock(), known)
    packages = sorted({*known, *checkpoint_history.named})
    found = [finding for each in reader.verify(packages, checkpoint_history.named) for finding in each.findings]
    return [*checkpoint_history.findings, *found]


def arn_of(world: World) -> str:
    """Return the ARN of a world's first package."""
    return next(iter(world.registry.described))


def names(found: list[Discrepancy]) -> list[str]:
    """Return the names of findings, each once, in order."""
    return list(dict.fromkeys(finding.name for finding in found))
