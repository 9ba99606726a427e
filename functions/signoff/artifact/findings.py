"""An inspection's findings, and their summary in sentences for the evidence, the registry and notifications."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from signoff.artifact.remedies import remedy_of
from signoff.documents.text import cut, cut_within

Severity = Literal["error", "warning"]

_RULES = 5  # rules in full; the findings document has them all
# Characters of a member's name and of a reason in a sentence: its rule and its remedy are always whole.
_MEMBER, _REASON = 160, 240


@dataclass(frozen=True)
class Finding:
    """A finding of an inspection: its member (None: the archive itself), rule, severity, reason and remedy."""

    member: str | None
    rule: str
    severity: Severity
    reason: str
    remedy: str = ""

    def __post_init__(self) -> None:
        """Use the rule's remedy where none is given."""
        object.__setattr__(self, "remedy", self.remedy or remedy_of(self.rule, self.reason))


def listed(findings: Iterable[Mapping[str, Any]]) -> list[Finding]:
    """Return the findings of a findings document."""
    return [Finding(*(each[name] for name in ("member", "rule", "severity", "reason"))) for each in findings]


def within(name: str, finding: Finding) -> Finding:
    """Return the finding with its member's name prefixed by `name`, the object it was found in."""
    member = finding.member or name
    named = member == name or member.startswith(f"{name} > ")
    return replace(finding, member=member if named else f"{name} > {member}")


def by_rule(findings: Iterable[Finding]) -> list[list[Finding]]:
    """Return the findings grouped by rule: errors before warnings, otherwise in the order they were found."""
    grouped: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        grouped.setdefault((finding.severity, finding.rule), []).append(finding)
    return sorted(grouped.values(), key=lambda each: each[0].severity != "error")


def summed_up(errors: Iterable[Finding]) -> list[str]:
    """Return a sentence for each of the first rules that were broken, and one that names the rest."""
    rules = by_rule(errors)
    others = ", ".join(each[0].rule for each in rules[_RULES:])
    return [*map(_sentence, rules[:_RULES]), *([cut(f"Also: {others}", 4 * _REASON) + "."] if others else [])]


def _sentence(findings: Sequence[Finding]) -> str:
    """Return one sentence about a rule: its first finding, how often it occurred, and the remedy."""
    first = findings[0]
    where = f"{cut_within(first.member, _MEMBER)}: " if first.member else ""
    times = f", {len(findings)} times" if len(findings) > 1 else ""
    return f"{where}{cut(first.reason, _REASON)} [{first.rule}{times}]. {first.remedy}".rstrip()
