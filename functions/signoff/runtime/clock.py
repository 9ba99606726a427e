"""The only place where Signoff reads the clock; everything else is given a clock, or the time itself."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)
