"""Where a scan stands: the content that is looked into, what lies around it, and where its findings go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from signoff.artifact.findings import Severity
from signoff.artifact.streams.limits import Budget
from signoff.artifact.streams.readers import Reader
from signoff.artifact.streams.refusal import Refused

Report = Callable[[str, str, str, Severity], None]


@dataclass
class Seen:
    """What content turned out to be: its kind (`names`), its first bytes, and the first of each kind within it.

    What lies in the folder `code` of an archive is told apart from what lies elsewhere.
    """

    kind: str | None = None
    head: bytes = b""
    within: dict[tuple[str, bool], str] = field(default_factory=dict)


@dataclass(frozen=True)
class Where:
    """What is being looked at: a member's name, those of what it lies in before it, and how deep that is."""

    member: str
    _report: Report
    budget: Budget = field(default_factory=Budget)
    depth: int = 0
    outer: Where | None = None
    name: str = ""
    seen: Seen = field(default_factory=Seen)

    def report(self, rule: str, reason: str, severity: Severity = "error") -> None:
        """Tell a finding about it."""
        self._report(self.member, rule, reason, severity)

    def report_of(self, name: str, rule: str, reason: str, severity: Severity) -> None:
        """Tell a finding about something of that name that lies in it."""
        self._report(f"{self.member} > {name}", rule, reason, severity)

    def inner(self, name: str) -> Where:
        """Return where something of that name lies in it. Raises `Refused` (`nested-too-deep`)."""
        if self.depth >= self.budget.depth:
            raise Refused("nested-too-deep", f"Holds something more than {self.budget.depth} levels deep")
        member = f"{self.member} > {name}"
        return replace(self, member=member, depth=self.depth + 1, outer=self, name=name, seen=Seen())


Scan = Callable[[Reader, Where], None]

SHOWN = 20  # findings of one rule that are told one by one


@dataclass
class Told:
    """Reports each finding about one content once, and the first of each rule, so that no file fills it."""

    where: Where
    _reasons: dict[str, set[str]] = field(default_factory=dict)

    def report(self, rule: str, reason: str, severity: Severity = "error") -> None:
        """Tell a finding, unless it or enough of its rule were told."""
        reasons = self._reasons.setdefault(rule, set())
        if reason not in reasons and len(reasons) < SHOWN:
            reasons.add(reason)
            self.where.report(rule, reason, severity)
