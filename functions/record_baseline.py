"""RecordBaseline: records the models that other stacks deploy as their groups' baselines, when CloudFormation asks."""

from __future__ import annotations

from functools import cache
from typing import Any

from signoff import wiring
from signoff.clients import client
from signoff.custom_resource import Request
from signoff.ledger import baseline_key
from signoff.observability import about, logger, observed
from signoff.settings import from_environment
from signoff.stacks import Stacks
from signoff.steps.baselining import Baselining


class Settings(wiring.ChampionSettings):
    """What this function needs of its environment: what all that publish champions do."""


@observed
def handler(event: Any, context: Any) -> None:
    """Answer one request about a stack's custom resource; it is CloudFormation that hears the answer."""
    request = Request.of(event)
    about(baseline_key(str(request.properties.get("Group"))))
    request.answer(lambda asked: _baselining().handle(asked))
    logger().info("answered", extra={"request": request.kind, "stack": request.stack})


@cache
def _baselining() -> Baselining:
    settings = from_environment(Settings)
    stacks, champions = Stacks(client("cloudformation")), wiring.champions(settings)
    return Baselining(wiring.registry(), wiring.policies(settings), wiring.ledger(settings), stacks, champions)
