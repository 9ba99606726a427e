"""CreateModel: on a registry event, makes the deployable model agree with the ledger."""

from __future__ import annotations

from functools import cache
from typing import Any

from signoff import wiring
from signoff.observability import about, count, logger, observed
from signoff.queues import DELETED, each_event
from signoff.settings import from_environment
from signoff.steps.deploying import Deploying
from signoff.steps.projecting import Projecting


class Settings(wiring.ChampionSettings):
    """What this function needs of its environment: what all that publish champions do."""


@observed
def handler(event: Any, context: Any) -> Any:
    """Answer each event of the batch; those that could not be answered are reported for another try."""
    return each_event(event, context, _converge)


def _converge(event: dict[str, Any]) -> None:
    arn, deleted = event["detail"]["ModelPackageArn"], event["detail"].get(DELETED)
    about(arn)
    state = _deploying().retire(deleted) if deleted else _deploying().converge(arn)
    if state and state.retirement_blocked_by:
        count("RetirementBlocked")
        logger().warning("the model is in use and stays", extra={"endpoints": state.retirement_blocked_by})
    logger().info("converged", extra={"status": state and state.status, "model": state and state.model})


@cache
def _deploying() -> Deploying:
    settings = from_environment(Settings)
    registry, ledger = wiring.registry(), wiring.ledger(settings)
    vault, projecting = wiring.vault(settings.vault_bucket), Projecting(registry, ledger)
    champions = wiring.champions(settings)
    return Deploying(wiring.governance(settings), registry, ledger, vault, projecting, champions)
