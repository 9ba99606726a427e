"""The next attempt at a validation that ended without a verdict: when it begins by itself, as the ledger says.

The entry about an error says in how many seconds the next attempt is due, so that people read what will be done. After
the last pause nothing is due any more: a person is asked. A verdict ends the row of errors; a request of a person does
not, so that however often it fails, there are no more attempts by themselves than pauses.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from signoff.documents import timestamps
from signoff.ledger.entries import Entry, Status

if TYPE_CHECKING:
    from signoff.ledger.state import State

# After the first error, the second, and so on: from what passes in minutes to what somebody mends the next morning.
PAUSES = (timedelta(minutes=15), timedelta(hours=1), timedelta(hours=4), timedelta(hours=16))
_DETAIL = "next_attempt_in"  # seconds


def promise(state: State) -> dict[str, int]:
    """Return the detail of the next entry about an error: in how many seconds another attempt begins, if one does."""
    if state.errors >= len(PAUSES):
        return {}
    return {_DETAIL: int(PAUSES[state.errors].total_seconds())}


def promised(entry: Entry) -> str | None:
    """Return when the attempt after an error begins, or None when a person has to ask for it."""
    seconds = entry.details.get(_DETAIL)
    return None if seconds is None else timestamps.text(timestamps.parse(entry.time) + timedelta(seconds=seconds))


def due(standing: State | Mapping[str, Any], now: datetime) -> bool:
    """Return whether another attempt is to begin at `now`. `standing` is a state, or a row in the packages table."""
    found = standing if isinstance(standing, Mapping) else vars(standing)
    again = found.get("next_attempt")
    return found["status"] == Status.VALIDATION_ERRORED and again is not None and again <= timestamps.text(now)
