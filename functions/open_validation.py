"""OpenValidation: the first state of the workflow; claims the package, if there is anything to validate."""

from __future__ import annotations

from functools import cache
from typing import Any

from signoff import wiring
from signoff.observability import about, logger, observed
from signoff.settings import from_environment
from signoff.steps.opening import Opening, Request


class Settings(wiring.PackageSettings):
    """What this function needs of its environment: what all that work on packages do."""


@observed
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Take `arn`, `execution` and perhaps `revalidate`; return `outcome` and the claim for the other states."""
    about(event["arn"])
    opened = _opening().open(Request(event["arn"], event["execution"], event.get("revalidate")))
    logger().info("validation", extra={"outcome": opened["outcome"]})
    return opened


@cache
def _opening() -> Opening:
    settings = from_environment(Settings)
    policies, ledger = wiring.policies(settings), wiring.ledger(settings)
    return Opening(
        wiring.governance(settings), wiring.registry(), policies, ledger, wiring.vault(settings.vault_bucket)
    )
