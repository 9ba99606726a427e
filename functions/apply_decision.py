"""ApplyDecision: decisions from the bus, and registry events about a status that somebody may have set by hand."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from signoff import wiring
from signoff.events import DECISION
from signoff.moments import utc_now
from signoff.observability import about, count, logger, observed
from signoff.queues import each_event
from signoff.retention import Retention
from signoff.settings import from_environment
from signoff.steps.deciding import Deciding
from signoff.steps.projecting import Projecting


@dataclass(frozen=True)
class Settings(wiring.PackageSettings):
    """What this function needs of its environment."""

    approved_retention_days: str


@observed
def handler(event: Any, context: Any) -> Any:
    """Answer each event of the batch; those that could not be answered are reported for another try."""
    return each_event(event, context, _answer)


def _answer(event: dict[str, Any]) -> None:
    if event["detail-type"] != DECISION:
        about(event["detail"]["ModelPackageArn"])
        _deciding().reconcile(event["detail"]["ModelPackageArn"])
        return
    about(str(event["detail"].get("package")))
    outcome = _deciding().apply(event["detail"], event.get("id"))
    logger().info("decision", extra={"outcome": type(outcome).__name__})
    count(f"Decision{type(outcome).__name__}")


@cache
def _deciding() -> Deciding:
    settings = from_environment(Settings)
    registry, ledger, vault = wiring.registry(), wiring.ledger(settings), wiring.vault(settings.vault_bucket)
    retention = Retention(vault, utc_now, int(settings.approved_retention_days))
    return Deciding(wiring.governance(settings), registry, ledger, vault, Projecting(registry, ledger), retention)
