"""RecordBaseline: a custom resource that records models which other stacks deploy as their groups' baselines."""

from __future__ import annotations

from functools import cache
from typing import Any

from signoff import bootstrap
from signoff.aws.clients import client, trying_again
from signoff.aws.cloudformation import Stacks
from signoff.deployment.record_baseline import BaselineRecorder
from signoff.ledger.history import baseline_key
from signoff.runtime.custom_resource import CustomResourceRequest
from signoff.runtime.observability import about, logger, observed
from signoff.runtime.settings import from_environment


class Settings(bootstrap.ChampionSettings):
    """The settings of this function: those of every function that publishes champions."""


@observed
def handler(event: Any, context: Any) -> None:
    """Handle one request about a stack's custom resource and send the response to CloudFormation."""
    request = CustomResourceRequest.of(event)
    about(baseline_key(str(request.properties.get("Group"))))
    # CloudFormation takes the first failure for the last word.
    request.answer(trying_again(lambda asked: _baseline_recorder().handle(asked)))
    logger().info("answered", extra={"request": request.kind, "stack": request.stack})


@cache
def _baseline_recorder() -> BaselineRecorder:
    settings = from_environment(Settings)
    return BaselineRecorder(
        registry=bootstrap.registry(),
        policies=bootstrap.policies(settings),
        ledger=bootstrap.ledger(settings),
        stacks=Stacks(client("cloudformation")),
        champions=bootstrap.champions(settings),
    )
