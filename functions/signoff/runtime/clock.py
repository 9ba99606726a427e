"""The one place where Signoff reads a clock; whatever else needs the time is given a clock, or the moment itself."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the present moment, with UTC as its time zone."""
    return datetime.now(UTC)
