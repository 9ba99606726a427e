"""The context of a scan: the content being scanned, what encloses it, and where its findings go."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from signoff.artifact.claims import Claim, SavedModelFolders, claim_of, without_compression
from signoff.artifact.findings import Severity
from signoff.artifact.member_names import shown
from signoff.artifact.requirements import Trusted
from signoff.artifact.streams.limits import Budget
from signoff.artifact.streams.readers import Reader
from signoff.artifact.streams.refusal import Refused
from signoff.documents.text import beginning

LATE_MEMBERS = 130  # which may lie in the last 64 KiB, where zip archives are found: each has a header of 512 bytes

ReportFinding = Callable[[str, str, str, Severity], None]


@dataclass
class ContentSummary:
    """What a scan found content to be: its type, its first bytes, and the first member of each type within it.

    Members in an archive's folder `code` are listed separately from others; what may be a SavedModel's is of
    `saved_models` until all members were seen. `stored` is where the last members of a tar archive are in it, to the
    byte behind each.
    """

    kind: str | None = None
    head: bytes = b""
    within: dict[tuple[str, bool], str] = field(default_factory=dict)
    saved_models: SavedModelFolders = field(default_factory=SavedModelFolders)
    stored: deque[range] = field(default_factory=lambda: deque(maxlen=LATE_MEMBERS))


@dataclass(frozen=True)
class ScanContext:
    """The content being scanned: its name after the names of all that encloses it, and its nesting depth.

    `called` is the name that a loader would open it by, which claims what it is; `member` where that is empty.
    `fetched` are patterns (`fnmatch`) of what a server may fetch when it starts.
    """

    member: str
    _report: ReportFinding
    budget: Budget = field(default_factory=Budget)
    depth: int = 0
    outer: ScanContext | None = None
    name: str = ""
    called: str = ""
    fetched: Sequence[str] = ()
    summary: ContentSummary = field(default_factory=ContentSummary)
    trusted: Trusted = field(default_factory=Trusted)

    def report(self, rule: str, reason: str, severity: Severity = "error") -> None:
        """Report a finding about this content."""
        self._report(self.member, rule, reason, severity)

    def report_of(self, name: str, rule: str, reason: str, severity: Severity) -> None:
        """Report a finding about the member `name` of this content."""
        self._report(f"{self.member} > {name}", rule, reason, severity)

    @property
    def claim(self) -> Claim | None:
        """What the content's name claims that it is, or None."""
        return claim_of(self.called or self.member)

    def inner(self, name: str) -> ScanContext:
        """Return the context of the member `name` of this content. Raises `Refused` (`nested-too-deep`)."""
        return self._within(name, name)

    def expanded(self, form: str) -> ScanContext:
        """Return the context of what this content expands to. Raises `Refused` (`nested-too-deep`)."""
        return self._within(form, without_compression(self.called or self.member))

    def _within(self, name: str, called: str) -> ScanContext:
        if self.depth >= self.budget.depth:
            raise Refused("nested-too-deep", f"Holds content nested more than {self.budget.depth} levels deep")
        member = f"{self.member} > {name}"
        return replace(
            self, member=member, depth=self.depth + 1, outer=self, name=name, called=called, summary=ContentSummary()
        )


Scan = Callable[[Reader, ScanContext], None]

SHOWN = 20  # findings of one rule that are reported one by one


@dataclass
class FindingCollector:
    """Reports each finding about one content once, and only the first `SHOWN` of each rule."""

    context: ScanContext
    _reasons: dict[str, set[str]] = field(default_factory=dict)

    def report(self, rule: str, reason: str, severity: Severity = "error") -> None:
        """Report a finding, unless it or `SHOWN` others of its rule have been reported."""
        reasons = self._reasons.setdefault(rule, set())
        if reason not in reasons and len(reasons) < SHOWN:
            reasons.add(reason)
            self.context.report(rule, reason, severity)

    def report_fetched(self, source: str) -> None:
        """Report what a server would fetch when it starts: a warning where the policy admits it."""
        admitted = any(fnmatchcase(source, pattern) for pattern in self.context.fetched)
        reason = f"Has a server fetch, when it starts, what was not inspected: {shown(beginning(source, 200))}"
        self.report("fetched-at-start", reason, "warning" if admitted else "error")
