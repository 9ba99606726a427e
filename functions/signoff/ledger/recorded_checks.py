"""The checks of an evidence document, as it and the ledger list them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

RecordedCheck = Mapping[str, Any]


def holds(check: RecordedCheck) -> bool:
    """Return whether a check is why its candidate did not pass: it failed, or could not be made and blocks."""
    return bool(check["status"] == "failed" or check.get("blocks"))


def holding(checks: Iterable[RecordedCheck]) -> list[RecordedCheck]:
    """Return the checks because of which a candidate did not pass."""
    return [check for check in checks if holds(check)]


def asking(checks: Iterable[RecordedCheck]) -> list[str]:
    """Return the names of the checks for which whoever approves has to answer by name."""
    return [str(check["name"]) for check in checks if check.get("asks")]
