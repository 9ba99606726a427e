"""A check: one test of a candidate, which passes, fails, is skipped, or has an error (which is not a failure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from signoff.ledger.recorded_checks import holds


class CheckStatus(StrEnum):
    """The outcome of a check."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    ERRORED = "errored"


@dataclass(frozen=True)
class Check:
    """A check's name, its outcome, and the reason in a sentence; of a gate, what was `expected` and `observed`.

    An error may pass, and is looked at again, unless `blocks` says what it means for good: that the candidate fails
    (True), or that the policy does without (False). What passed may still ask (`asks`) for somebody to accept it by
    name when they approve.
    """

    name: str
    status: CheckStatus
    reason: str
    expected: str | None = None
    observed: str | None = None
    blocks: bool | None = None
    asks: bool = False

    @property
    def document(self) -> dict[str, Any]:
        """The check as JSON-ready data, without what does not apply to it."""
        found: dict[str, Any] = {"name": self.name, "status": str(self.status), "reason": self.reason}
        more = {"expected": self.expected, "observed": self.observed, "blocks": self.blocks, "asks": self.asks or None}
        return found | {field: value for field, value in more.items() if value is not None}

    def compared(self, expected: str, observed: str) -> Check:
        """Return the same check with what was expected and what was observed."""
        return replace(self, expected=expected, observed=observed)


def passed(name: str, reason: str) -> Check:
    """Return a check that passed."""
    return Check(name, CheckStatus.PASSED, reason)


def asking(name: str, reason: str) -> Check:
    """Return a check that passed, but for which whoever approves has to answer by name."""
    return Check(name, CheckStatus.PASSED, reason, asks=True)


def failed(name: str, reason: str) -> Check:
    """Return a check that failed: the candidate violates a rule."""
    return Check(name, CheckStatus.FAILED, reason)


def skipped(name: str, reason: str) -> Check:
    """Return a check of what is no part of the candidate: it was not carried out."""
    return Check(name, CheckStatus.SKIPPED, reason)


def errored(name: str, reason: str) -> Check:
    """Return a check that could not be carried out now, but may be when it is tried again."""
    return Check(name, CheckStatus.ERRORED, reason)


def unevaluated(name: str, reason: str, *, blocks: bool) -> Check:
    """Return a check that cannot be carried out, however often it is tried; it `blocks` the candidate or not."""
    return Check(name, CheckStatus.ERRORED, reason, blocks=blocks)


def verdict(checks: Sequence[Check]) -> str:
    """Return `errored` when any check had an error that may pass, else `failed` when any failed or blocks."""
    if any(check.status is CheckStatus.ERRORED and check.blocks is None for check in checks):
        return "errored"
    return "failed" if any(holds(check.document) for check in checks) else "passed"
