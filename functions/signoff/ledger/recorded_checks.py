"""The checks of an evidence document, as it and the ledger list them."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from typing import Any

RecordedCheck = Mapping[str, Any]


def holds(check: RecordedCheck) -> bool:
    """Return whether a check is why its candidate did not pass: it failed, or could not be made and blocks."""
    return bool(check["status"] == "failed" or check.get("blocks"))


def holding(checks: Iterable[RecordedCheck]) -> list[RecordedCheck]:
    """Return the checks because of which a candidate did not pass."""
    return [check for check in checks if holds(check)]


def asking(checks: Iterable[RecordedCheck]) -> list[RecordedCheck]:
    """Return the checks for which whoever approves has to answer by name."""
    return [check for check in checks if check.get("asks")]


def unaccepted(evidence: Mapping[str, Any] | None, decision: str | None, accepts: Container[str]) -> list[str]:
    """Return the names of the checks for which a `decision` has to answer by name and does not, in what it `accepts`.

    `evidence` is what the ledger says of it. No decision but an approval answers for anything.
    """
    asked = asking((evidence or {}).get("checks") or ()) if decision == "approve" else []
    return [str(check["name"]) for check in asked if check["name"] not in accepts]
