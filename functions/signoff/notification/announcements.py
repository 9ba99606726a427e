"""What the bus is told of a ledger's entries, as a pure function: one entry in, its events out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from signoff.ledger.entries import Entry, Kind

SOURCE = "signoff"
COMMAND_SOURCE = "signoff.cli"
DECISION = "Model Approval Decision"
ANNOTATION = "Model Annotation"


@dataclass(frozen=True)
class Event:
    """An event for the bus: its detail-type and its detail."""

    type: str
    detail: dict[str, Any]


_TYPES = {
    Kind.REGISTRATION_FAILED: ("Registration Failed",),
    Kind.VALIDATION_ERRORED: ("Validation Completed",),
    Kind.EVIDENCE_RECORDED: ("Validation Completed",),
    Kind.VOTED: ("Vote Recorded",),
    Kind.DECISION_RECORDED: ("Decision Recorded",),
    Kind.DECISION_REFUSED: ("Decision Refused",),
    Kind.REMINDED: ("Approval Reminder",),
    Kind.EXPIRED: ("Approval Expired",),
    Kind.REGISTRY_REVERTED: ("Registry Edit Held",),
    Kind.REGISTRY_OBSERVED: ("Registry Observed",),
    Kind.ENFORCEMENT_CHANGED: ("Enforcement Changed",),
    Kind.ANNOTATED: ("Package Annotated",),
    Kind.SUBJECT_CHANGED: ("Decision Recorded",),
    Kind.MODEL_CREATED: ("Model Created",),
    Kind.MODEL_RETIRED: ("Model Retired",),
    Kind.SUPERSEDED: ("Model Superseded",),
    Kind.REINSTATED: ("Model Reinstated",),
    Kind.DEPLOYMENT_FAILED: ("Deployment Failed",),
    Kind.BASELINE_DEPLOYED: ("Baseline Deployed",),
    Kind.BASELINE_RETIRED: ("Baseline Retired",),
    Kind.PACKAGE_DELETED: ("Package Deleted",),
}
_LONGEST = 100_000  # characters of the details as they are sent; an event may have 256 KiB in all


def announcements(entry: Entry) -> list[Event]:
    """Return the events that announce `entry`: none for some kinds, two for what has two kinds of listeners.

    Those are evidence that awaits a decision, and an approval that somebody gave alone (break glass).
    """
    types = _TYPES.get(entry.kind, ())
    if entry.kind is Kind.EVIDENCE_RECORDED and entry.details["verdict"] == "passed":
        types = (*types, "Approval Requested")
    if broke_glass(entry):
        types = (*types, "Break Glass Used")
    return [Event(type_, _detail(entry)) for type_ in types]


def broke_glass(entry: Entry) -> bool:
    """Return whether `entry` is an approval that somebody gave alone, which a policy lets few do and all hear of."""
    return entry.kind is Kind.DECISION_RECORDED and bool(entry.details.get("break_glass"))


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
