"""What inspections found, put before people as a block for each rule: what is wrong, with what, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from signoff.artifact.findings import Finding, by_rule
from signoff.documents.text import clean

if TYPE_CHECKING:
    from rich.console import Console

_LISTED = 10  # findings of one rule; all are in the JSON
_STYLES = {"error": "bold red", "warning": "bold yellow"}


def describe_counts(errors: int, warnings: int) -> str:
    """Return how many findings there are, in words."""
    numbers = ((errors, "error"), (warnings, "warning"))
    return " and ".join(f"{number:,} {what}{'s' if number > 1 else ''}" for number, what in numbers if number)


def print_findings(findings: Sequence[Finding], to: Console) -> None:
    """Print a block for each rule. Only what goes to a terminal is broken into lines of its width."""
    for found in by_rule(findings):
        to.print()
        _block(found, to)


def _block(found: Sequence[Finding], to: Console) -> None:
    from rich.text import Text

    first = found[0]
    times = f", {len(found)} times" if len(found) > 1 else ""
    to.print(Text.assemble((first.severity, _STYLES[first.severity]), f"  {clean(first.rule)}{times}"))
    for reason, those in groupby(found[:_LISTED], key=lambda finding: finding.reason):
        _indented("  ", reason, to)
        for finding in those:
            if finding.member:
                _indented("    - ", finding.member, to)
    if len(found) > _LISTED:
        _indented("    - ", f"and {len(found) - _LISTED} more, which --json lists", to)
    if first.remedy:
        _indented("  ", f"What to do: {first.remedy}", to)


def _indented(before: str, text: str, to: Console) -> None:
    from rich.text import Text

    if not to.is_terminal:
        to.print(before + clean(text), soft_wrap=True)
        return
    for line in Text(clean(text)).wrap(to, max(to.width - len(before), 20)):
        to.print(before + line.plain.rstrip())
        before = " " * len(before)
