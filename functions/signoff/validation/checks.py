"""A check: one test of a candidate, which passes, fails, is skipped, or has an error (which is not a failure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class CheckStatus(StrEnum):
    """The outcome of a check."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    ERRORED = "errored"


@dataclass(frozen=True)
class Check:
    """A check's name, its outcome, and the reason in a sentence."""

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
    """Return a check that failed: the candidate violates a rule."""
    return Check(name, CheckStatus.FAILED, reason)


def skipped(name: str, reason: str) -> Check:
    """Return a check of what is no part of the candidate: it was not carried out."""
    return Check(name, CheckStatus.SKIPPED, reason)


def errored(name: str, reason: str) -> Check:
    """Return a check that could not be carried out."""
    return Check(name, CheckStatus.ERRORED, reason)


def verdict(checks: Sequence[Check]) -> str:
    """Return `errored` when any check had an error, else `failed` when any failed, else `passed`."""
    outcomes = {check.status for check in checks}
    if CheckStatus.ERRORED in outcomes:
        return "errored"
    return "failed" if CheckStatus.FAILED in outcomes else "passed"
