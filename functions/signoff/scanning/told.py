"""Findings of which only the first of each rule are told, so that one file does not fill the report."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from signoff.scanning.contents import Severity, Where

SHOWN = 20  # findings of one rule that are told one by one


@dataclass
class Told:
    """Reports the first findings of each rule about one content."""

    where: Where
    counts: dict[str, int] = field(default_factory=dict)

    def report(self, rule: str, reason: str, severity: Severity = "error") -> None:
        """Tell a finding, unless enough of its rule were told."""
        count = self.counts[rule] = self.counts.get(rule, 0) + 1
        if count <= SHOWN:
            self.where.report(rule, reason, severity)
