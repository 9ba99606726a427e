"""Moments as people give them to options: a date, a time, or how long ago."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Annotated

import typer

_AGO = re.compile(r"([0-9]+)([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_FORMS = "2026-03-02, 2026-03-02T10:00Z, or how long ago, 7d (m, h, d, w)"


def moment(text: str | None) -> str | None:
    """Return a time as the ledger writes it, of a date, a time, or how long ago it is. Raises `typer.BadParameter`."""
    if text is None:
        return None
    from signoff.documents import timestamps

    try:
        return timestamps.text(_moment(text.strip()))
    except (ValueError, OverflowError):
        raise typer.BadParameter(f"{text} is neither a date or time (2026-03-02) nor how long ago (7d, 12h)") from None


def _moment(text: str) -> datetime:
    from signoff.runtime.clock import utc_now

    ago = _AGO.fullmatch(text)
    if ago:
        return utc_now() - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    if text.startswith("P"):
        from msgspec import convert

        return utc_now() - convert(text, timedelta)
    given = datetime.fromisoformat(text)
    return given if given.tzinfo else given.astimezone()


Since = Annotated[str | None, typer.Option(metavar="WHEN", help=f"From this time on: {_FORMS}.", callback=moment)]
Until = Annotated[str | None, typer.Option(metavar="WHEN", help="Before this time, given likewise.", callback=moment)]
