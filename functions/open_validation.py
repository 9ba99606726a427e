"""OpenValidation: the workflow's first state; claims the package if there is anything to validate."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from signoff import bootstrap
from signoff.runtime.clock import utc_now
from signoff.runtime.observability import about, logger, observed
from signoff.runtime.settings import from_environment
from signoff.validation.open_validation import ValidationOpener, ValidationRequest
from signoff.validation.sources import Sources


@dataclass(frozen=True)
class Settings(bootstrap.RegistrationSettings):
    """The settings of this function."""

    artifacts_bucket: str


@observed
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Take `arn`, `execution` and perhaps `revalidate`; return `outcome` and the claim for the other states."""
    about(event["arn"])
    opened = _opener().open(ValidationRequest(event["arn"], event["execution"], event.get("revalidate")))
    logger().info("validation", extra={"outcome": opened["outcome"]})
    return opened


@cache
def _opener() -> ValidationOpener:
    settings = from_environment(Settings)
    return ValidationOpener(
        governance=bootstrap.governance(settings),
        registry=bootstrap.registry(),
        ledger=bootstrap.ledger(settings),
        vault=bootstrap.vault(settings.vault_bucket),
        registrations=bootstrap.registrations(settings),
        sources=Sources(settings.vault_bucket, settings.artifacts_bucket),
        now=utc_now,
    )
