"""Findings that are told once, and only the first of each rule, so that one file does not fill the report."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from signoff.scanning.contents import Severity, Where

SHOWN = 20  # findings of one rule that are told one by one


@dataclass
class Told:
    """Reports each finding about one content once, and the first of each rule."""

    where: Where
    _reasons: dict[str, set[str]] = field(default_factory=dict)

    def report(self, rule: str, reason: str, severity: Severity = "error") -> None:
        """Tell a finding, unless it or enough of its rule were told."""
        reasons = self._reasons.setdefault(rule, set())
        if reason not in reasons and len(reasons) < SHOWN:
            reasons.add(reason)
            self.where.report(rule, reason, severity)
