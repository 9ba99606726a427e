"""Announce: turns the ledger's stream into bus events and messages; the only function that sends as `signoff`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from signoff.aws.clients import client
from signoff.aws.eventbridge import Bus
from signoff.aws.ledger_items import entry_of
from signoff.aws.sns import Topics
from signoff.ledger.entries import BREAK_GLASS, Stage
from signoff.ledger.history import intact
from signoff.notification.announcements import announcements
from signoff.notification.notifications import notifications
from signoff.runtime.batches import each_record
from signoff.runtime.observability import about, count, observed
from signoff.runtime.settings import from_environment


@dataclass(frozen=True)
class Settings:
    """The settings of this function."""

    bus_name: str
    topic_registrations: str
    topic_approvals: str
    topic_decisions: str
    topic_deployments: str


@observed
def handler(event: Any, context: Any) -> Any:
    """Announce each new entry of the batch; after a failure, the stream is read again from the failed entry."""
    return each_record(event, _announce)


def _announce(record: dict[str, Any]) -> None:
    if record["eventName"] != "INSERT":
        return  # entries are only ever inserted; anything else is tampering, which the chain shows
    entry = intact(entry_of(record["dynamodb"]["NewImage"]))
    about(entry.package)
    if BREAK_GLASS in entry.effect.events:
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
