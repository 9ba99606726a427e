"""The next attempt at a validation that ended without a verdict: when it begins by itself, as the ledger says.

The entry about an error says in how many seconds the next attempt is due, so that people read what will be done. After
the last pause nothing is due any more: a person is asked. A verdict ends the row of errors; a request of a person does
not, so that however often it fails, there are no more attempts by themselves than pauses.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from signoff.documents import timestamps
from signoff.ledger.entries import Entry, Status

# After the first error, the second, and so on: from what passes in minutes to what somebody mends the next morning.
PAUSES = (timedelta(minutes=15), timedelta(hours=1), timedelta(hours=4), timedelta(hours=16))
# Attempts that people may cause, by asking or by changing a package: nobody makes its ledger too long for a revocation.
MOST = 100
_DETAIL = "next_attempt_in"  # seconds


def promise(errors: int) -> dict[str, int]:
    """Return the detail of an entry about an error: in how many seconds another attempt begins, if one does.

    `errors` are those since the last verdict, without this one.
    """
    return {_DETAIL: int(PAUSES[errors].total_seconds())} if errors < len(PAUSES) else {}


def promised(entry: Entry) -> str | None:
    """Return when the attempt after an error begins, or None when a person has to ask for it."""
    seconds = entry.details.get(_DETAIL)
    return None if seconds is None else timestamps.text(timestamps.parse(entry.time) + timedelta(seconds=seconds))


def due(status: str | None, next_attempt: str | None, now: datetime) -> bool:
    """Return whether another attempt is to begin at `now`, by a package's status and what was promised last."""
    return status == Status.VALIDATION_ERRORED and next_attempt is not None and next_attempt <= timestamps.text(now)
