"""The events of a ledger's entries, as a pure function: one entry in, its events out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from signoff.ledger.entries import Entry

SOURCE = "signoff"
COMMAND_SOURCE = "signoff.cli"
DECISION = "Model Approval Decision"
ANNOTATION = "Model Annotation"


@dataclass(frozen=True)
class Event:
    """An event for the bus: its detail-type and its detail."""

    type: str
    detail: dict[str, Any]


_LONGEST = 100_000  # characters of the details as they are sent; an event may have 256 KiB in all


def announcements(entry: Entry) -> list[Event]:
    """Return the events that announce `entry`: none for some kinds, two for some.

    Two are for evidence that needs a decision, and for an approval by one person alone (break glass).
    """
    return [Event(type_, _detail(entry)) for type_ in entry.effect.events]


def _detail(entry: Entry) -> dict[str, Any]:
    detail = {
        "package": entry.about,
        "group": entry.group,
        "version": entry.version,
        "time": entry.time,
        "sequence": entry.sequence,
        "actor": entry.actor,
        "entry": str(entry.kind),
    }
    bulky = len(json.dumps(entry.details)) > _LONGEST
    return detail if bulky else {**entry.details, **detail}
