"""Sweep: on a schedule, moves on whatever is stuck and reports problems."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit

from signoff import bootstrap
from signoff.aws.clients import client
from signoff.aws.sqs import Queue
from signoff.aws.step_functions import Executions
from signoff.aws.submissions_table import SubmissionsTable
from signoff.aws.transform_jobs import TransformJobs
from signoff.errors import EventFault
from signoff.runtime.batches import each_message
from signoff.runtime.clock import utc_now
from signoff.runtime.events import message_in
from signoff.runtime.observability import count, logger, observed
from signoff.runtime.settings import from_environment
from signoff.sweep.daily_checkpoint import DailyCheckpoint
from signoff.sweep.image_watch import ImageWatch
from signoff.sweep.sweep import Sweep
from signoff.sweep.temporary_models import TemporaryModels

_GRACE, _LONGEST_GRACE = timedelta(minutes=5), 86400


@dataclass(frozen=True)
class Settings(bootstrap.ChampionSettings):
    """The settings of this function; `lock_mode` and the days are for Object Lock.

    `sweep_calls` is how many calls a run makes to look at what is not open.
    """

    artifacts_bucket: str
    submissions_table: str
    validation_arn: str
    register_queue_url: str
    decision_queue_url: str
    deploy_queue_url: str
    lock_mode: str
    approved_retention_days: str
    sweep_calls: str


@observed
def handler(event: Any, context: Any) -> Any:
    """Run once for each scheduled event; invoked by hand, `grace_seconds` says how long a step may take (300).

    An event whose `task` is `heads` has the daily checkpoint written instead: the number of ledgers must not keep
    anything else waiting, nor the other way round.
    """
    if "Records" in event:
        return each_message(event, lambda message: _run(message_in(message["body"])))
    return _run(event)


def _run(event: Mapping[str, Any]) -> dict[str, int]:
    if event.get("task") == "heads":
        return _write_checkpoint()
    return _run_sweep(_grace(event["grace_seconds"]) if "grace_seconds" in event else _GRACE)


def _grace(seconds: Any) -> timedelta:
    if type(seconds) is int and 0 <= seconds <= _LONGEST_GRACE:
        return timedelta(seconds=seconds)
    raise EventFault(f"grace_seconds: must be a number of seconds between 0 and {_LONGEST_GRACE}")


def _run_sweep(grace: timedelta) -> dict[str, int]:
    swept = _sweep().run(grace)
    moved = swept.moved
    count("OldestValidatingSeconds", swept.oldest_validating_seconds, MetricUnit.Seconds)
    count("RoundSeconds", swept.round_seconds, MetricUnit.Seconds)
    count("SweepMoved", sum(moved.values()) - moved["problem"])
    count("SweepProblems", moved["problem"])
    logger().info("swept", extra={"moved": dict(moved)})
    return dict(moved)


def _write_checkpoint() -> dict[str, int]:
    """Write the daily checkpoint, unless it is there. What fails is retried by the queue, and by the next event."""
    written = _daily_checkpoint().write_once()
    if written:
        count("HeadsKept")
    return {"heads": int(written)}


@cache
def _daily_checkpoint() -> DailyCheckpoint:
    settings = from_environment(Settings)
    days = int(settings.approved_retention_days)
    ledger, vault = bootstrap.ledger(settings), bootstrap.vault(settings.vault_bucket)
    return DailyCheckpoint(ledger, vault, utc_now, settings.lock_mode, days)


@cache
def _sweep() -> Sweep:
    settings = from_environment(Settings)
    queues = {
        "registrations": Queue(client("sqs"), settings.register_queue_url),
        "decisions": Queue(client("sqs"), settings.decision_queue_url),
        "deployments": Queue(client("sqs"), settings.deploy_queue_url),
    }
    ledger, vault = bootstrap.ledger(settings), bootstrap.vault(settings.vault_bucket)
    return Sweep(
        registry=bootstrap.registry(),
        policies=bootstrap.policies(settings),
        ledger=ledger,
        submissions=SubmissionsTable(client("dynamodb"), settings.submissions_table),
        vault=vault,
        inbox=bootstrap.bucket(settings.artifacts_bucket),
        executions=Executions(client("stepfunctions"), settings.validation_arn),
        queues=queues,
        now=utc_now,
        champions=bootstrap.champions(settings),
        images=ImageWatch(ledger, vault, bootstrap.image_scans(), utc_now),
        temporary=TemporaryModels(bootstrap.registry(), TransformJobs(client("sagemaker"))),
        calls=int(settings.sweep_calls),
    )
