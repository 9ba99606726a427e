"""Timestamps as Signoff writes them: UTC, ISO 8601, milliseconds, `Z`, so that they sort as text."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Takes nothing and returns the present moment."""


def text(moment: datetime) -> str:
    """Return `moment` (aware) as for example `2026-11-20T18:00:00.123Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse(written: str) -> datetime:
    """Return the time that `text` has written."""
    return datetime.fromisoformat(written)
