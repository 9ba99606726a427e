"""Announce: the ledger's stream becomes events on the bus and messages for people; only it speaks as `signoff`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord

from signoff.aws.clients import client
from signoff.aws.eventbridge import Bus
from signoff.aws.ledger_table import entry_of
from signoff.aws.sns import Topics
from signoff.notification.announcements import announcements, broke_glass
from signoff.notification.message_format import Stage
from signoff.notification.notifications import notifications
from signoff.runtime.batches import logged
from signoff.runtime.observability import about, count, observed
from signoff.runtime.settings import from_environment


@dataclass(frozen=True)
class Settings:
    """What this function needs of its environment."""

    bus_name: str
    topic_registrations: str
    topic_approvals: str
    topic_decisions: str
    topic_deployments: str


@observed
def handler(event: Any, context: Any) -> Any:
    """Announce each new entry of the batch; from the first that could not be announced, the stream is read again."""
    return process_partial_response(
        event=event,
        record_handler=logged(_announce),
        processor=BatchProcessor(event_type=EventType.DynamoDBStreams, raise_on_entire_batch_failure=False),
        context=context,
    )


def _announce(record: DynamoDBRecord) -> None:
    if record.raw_event["eventName"] != "INSERT":
        return  # entries are only ever inserted; anything else is tampering, which the chain shows
    entry = entry_of(record.raw_event["dynamodb"]["NewImage"])
    about(entry.package)
    if broke_glass(entry):
        count("BreakGlass")
    _bus().put(announcements(entry))
    for notification in notifications(entry):
        _topics().publish(notification)


@cache
def _settings() -> Settings:
    return from_environment(Settings)


@cache
def _bus() -> Bus:
    return Bus(client("events"), _settings().bus_name)


@cache
def _topics() -> Topics:
    return Topics(client("sns"), {stage: getattr(_settings(), f"topic_{stage}") for stage in Stage})
