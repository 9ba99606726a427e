"""What the bus is told of a ledger's entries, as a pure function: one entry in, its events out."""

from __future__ import annotations

import json
from typing import Any

from signoff.events import Event
from signoff.ledger import Entry, Kind

_TYPES = {
    Kind.REGISTRATION_FAILED: ("Registration Failed",),
    Kind.VALIDATION_ERRORED: ("Validation Completed",),
    Kind.EVIDENCE_RECORDED: ("Validation Completed",),
    Kind.DECISION_RECORDED: ("Decision Recorded",),
    Kind.DECISION_REFUSED: ("Decision Refused",),
    Kind.ANNOTATED: ("Package Annotated",),
    Kind.SUBJECT_CHANGED: ("Decision Recorded",),
    Kind.MODEL_CREATED: ("Model Created",),
    Kind.MODEL_RETIRED: ("Model Retired",),
    Kind.DEPLOYMENT_FAILED: ("Deployment Failed",),
    Kind.BASELINE_DEPLOYED: ("Baseline Deployed",),
    Kind.BASELINE_RETIRED: ("Baseline Retired",),
    Kind.PACKAGE_DELETED: ("Package Deleted",),
}
_LONGEST = 100_000  # characters of the details as they are sent; an event may have 256 KiB in all


def announcements(entry: Entry) -> list[Event]:
    """Return the events that announce `entry`: none for most kinds, two for evidence that awaits a decision."""
    types = _TYPES.get(entry.kind, ())
    if entry.kind is Kind.EVIDENCE_RECORDED and entry.details["verdict"] == "passed":
        types = (*types, "Approval Requested")
    return [Event(type_, _detail(entry)) for type_ in types]


def _detail(entry: Entry) -> dict[str, Any]:
    detail = {
        "package": entry.arn or entry.package.partition(":")[2],
        "group": entry.group,
        "version": entry.version,
        "time": entry.time,
        "sequence": entry.sequence,
        "actor": entry.actor,
        "entry": str(entry.kind),
    }
    bulky = len(json.dumps(entry.details)) > _LONGEST
    return detail if bulky else {**entry.details, **detail}
