"""InspectArtifact: one artifact of a claimed package, from the vault's copy, as a stream."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from signoff import wiring
from signoff.observability import about, logger, observed
from signoff.settings import from_environment
from signoff.steps.inspection import Inspection


@dataclass(frozen=True)
class Settings:
    """What this function needs of its environment."""

    vault_bucket: str


@observed
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Take `claim` and `artifact`; return what was found, with a pointer to all findings in the vault."""
    about(event["claim"]["arn"])
    found = _inspection().inspect(event["claim"], event["artifact"])
    logger().info("artifact", extra={"artifact": found["url"], "refusals": found["refusal_count"]})
    return found


@cache
def _inspection() -> Inspection:
    return Inspection(wiring.vault(from_environment(Settings).vault_bucket), wiring.bucket)
