"""A check: one test of a candidate, which passes, fails, is skipped, or errs. Erring is not failing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class CheckStatus(StrEnum):
    """How a check came out."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    ERRORED = "errored"


@dataclass(frozen=True)
class Check:
    """A check's name, how it came out, and why, in a sentence for people."""

    name: str
    status: CheckStatus
    reason: str

    @property
    def document(self) -> dict[str, str]:
        """The check as JSON-ready data."""
        return {"name": self.name, "status": str(self.status), "reason": self.reason}


def passed(name: str, reason: str) -> Check:
    """Return a check that passed."""
    return Check(name, CheckStatus.PASSED, reason)


def failed(name: str, reason: str) -> Check:
    """Return a check that failed: the candidate is not what it must be."""
    return Check(name, CheckStatus.FAILED, reason)


def errored(name: str, reason: str) -> Check:
    """Return a check that could not be made."""
    return Check(name, CheckStatus.ERRORED, reason)


def verdict(checks: Sequence[Check]) -> str:
    """Return `errored` when any check erred, else `failed` when any failed, else `passed`."""
    outcomes = {check.status for check in checks}
    if CheckStatus.ERRORED in outcomes:
        return "errored"
    return "failed" if CheckStatus.FAILED in outcomes else "passed"
