"""The bus `signoff`, for Signoff's events and for the decisions that others send."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from signoff.errors import AnnouncementFailed
from signoff.notification.announcements import SOURCE, Event

_BATCH = 10  # PutEvents takes ten entries


class Bus:
    """An EventBridge bus, to put events on with one source."""

    def __init__(self, events: Any, name: str, source: str = SOURCE) -> None:
        self._events = events
        self._name = name
        self._source = source

    def put(self, events: Sequence[Event]) -> list[str]:
        """Put all of `events` on the bus and return their ids, in order.

        Raises `AnnouncementFailed` when EventBridge did not accept all of them.
        """
        ids: list[str] = []
        for start in range(0, len(events), _BATCH):
            entries = [self._entry(event) for event in events[start : start + _BATCH]]
            answer = self._events.put_events(Entries=entries)
            if answer["FailedEntryCount"]:
                failed = [entry.get("ErrorMessage") for entry in answer["Entries"] if entry.get("ErrorCode")]
                raise AnnouncementFailed(f"EventBridge refused {len(failed)} of {len(entries)} events: {failed}")
            ids += [entry["EventId"] for entry in answer["Entries"]]
        return ids

    def _entry(self, event: Event) -> dict[str, Any]:
        return {
            "EventBusName": self._name,
            "Source": self._source,
            "DetailType": event.type,
            "Detail": json.dumps(event.detail),
        }
