"""Events as they come: JSON that means one thing only, with the fields that EventBridge gives each, or a named fault.

Whoever may put events on a bus writes what is in them; EventBridge checks no more than that it is JSON.
https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from signoff.documents import strict_json
from signoff.documents.text import cut_within
from signoff.errors import EventFault

_SHOWN, _LONGEST = 10, 200  # faults, and characters of each
_TEXTS = ("id", "source", "account", "detail-type")


def message_in(body: str) -> dict[str, Any]:
    """Return the JSON object in the body of a message. Raises `EventFault` with what is wrong and where."""
    value, faults = strict_json.parse(body.encode("utf-8", "surrogatepass"))
    if faults or not isinstance(value, dict):
        because = "; ".join(cut_within(str(fault), _LONGEST) for fault in faults[:_SHOWN]) or "it is not a JSON object"
        raise EventFault(f"not an event: {because}", value if isinstance(value, dict) else {})
    return value


def event_in(body: str) -> dict[str, Any]:
    """Return the EventBridge event in the body of a message. Raises `EventFault` with what is wrong and where."""
    event = message_in(body)
    if not isinstance(event.get("detail"), dict):
        raise EventFault("not an event: detail: must be an object", event)
    wrong = [name for name in _TEXTS if not isinstance(event.get(name, ""), str)]
    wrong += [] if event.get("detail-type") else ["detail-type"]
    if wrong:
        raise EventFault(f"not an event: {wrong[0]}: must be a string", event)
    return event


def text_in(event: Mapping[str, Any], *path: str) -> str:
    """Return the text at `path` in an event, which is not empty. Raises `EventFault` when there is none."""
    found: Any = event
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    if not isinstance(found, str) or not found:
        raise EventFault(f"not an event of this kind: {'.'.join(path)}: must be a string", event)
    return found


def package_named(detail: Mapping[str, Any]) -> str:
    """Return the ARN of the package in the `detail` of an event of SageMaker or Signoff. Raises `EventFault`."""
    return text_in(detail, "ModelPackageArn" if "ModelPackageArn" in detail else "package")
