"""Auditing a world: with the command's own reader, over the fakes, as anybody would who may only read."""

from __future__ import annotations

from signoff_cli.audit.auditor import Auditor
from signoff_cli.audit.facts import Discrepancy
from tests.support.world import World


def auditor(world: World, *, bytes_too: bool = True) -> Auditor:
    """Return an auditor of the world, who waits for nothing."""
    return Auditor(world.ledger, world.vault, world.registry, bytes_too=bytes_too, pause=lambda: None)  # type: ignore[arg-type]


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
