"""What is remembered of an archive's members while they pass, and what each of them, and all together, do wrong."""

from __future__ import annotations

import tarfile
from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from signoff.artifact.content_types import UNKNOWN
from signoff.artifact.findings import Finding, Severity
from signoff.artifact.member_names import shown
from signoff.artifact.streams.limits import Budget
from signoff.artifact.streams.refusal import Refused
from signoff.artifact.tar.extraction import KINDS, Tree

if TYPE_CHECKING:
    from collections.abc import Iterable

    from signoff.artifact.context import Seen
    from signoff.artifact.requirement_check import Fault, Judge
if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Inspection:
    """What is known about an artifact: its SHA-256 (hexadecimal), sizes (bytes), members, and every finding.

    `inventory` holds the first `MAX_INVENTORY` members; `members` counts all that could be read, and `kinds` says how
    many files there are of each kind of content, and with how many bytes. `errors` and `warnings` count the findings of
    each severity, with those that are not listed.
    """

    sha256: str
    size: int
    expanded_size: int
    members: int
    inventory: tuple[Entry, ...]
    findings: tuple[Finding, ...]
    errors: int
    warnings: int
    kinds: Mapping[str, Total]

    @property
    def passed(self) -> bool:
        """Whether no finding is an error."""
        return not self.errors

    def document(self) -> dict[str, Any]:
        """Return all of it as JSON-ready values; `inventory_omitted` says how many members the list leaves out."""
        return {
            "verdict": "passed" if self.passed else "failed",
            "sha256": self.sha256,
            "size": self.size,
            "expanded_size": self.expanded_size,
            "members": self.members,
            "errors": self.errors,
            "warnings": self.warnings,
            "kinds": {kind: total._asdict() for kind, total in sorted(self.kinds.items())},
            "findings": [asdict(finding) for finding in self.findings],
            "inventory": [asdict(entry) for entry in self.inventory],
            "inventory_omitted": self.members - len(self.inventory),
        }


MAX_FINDINGS = 200
MAX_INVENTORY = 1000


@dataclass(frozen=True)
class Entry:
    """A member as the archive's own header describes it (`size` in bytes), and of which kind its content is, if any.

    The kind is told by the content (`scanning.names`); None where nobody looked.
    """

    name: str
    size: int
    type: str
    kind: str | None = None


class Total(NamedTuple):
    """How many members are of one kind, and how many bytes they have."""

    members: int = 0
    size: int = 0

    def plus(self, size: int) -> Total:
        """Return the same with one more member of `size` bytes."""
        return Total(self.members + 1, self.size + size)


@dataclass
class Survey:
    """All that must be remembered about the members read so far: names, links, and what was found."""

    judge: Judge
    inventory: list[Entry] = field(default_factory=list)
    totals: dict[str, Total] = field(default_factory=dict)
    _about_members: list[Finding] = field(default_factory=list)
    _about_archive: list[Finding] = field(default_factory=list)
    _omitted: Counter[Severity] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        """Share one budget between the archive and all that lies within its members."""
        limits = self.judge.demands.limits
        self.budget = Budget(limits.expanded_size, limits.members, limits.nested)
        self.tree = Tree(self.report, self.budget)

    @property
    def members(self) -> int:
        """How many members were read."""
        return self.tree.members

    def add(self, member: tarfile.TarInfo) -> None:
        """Judge one member by itself and remember it; raises `Refused` when a limit is passed."""
        most = self.judge.demands.limits.members
        if self.members == most:
            raise Refused("too-many-members", f"The archive has more than {most} members")
        if len(self.inventory) < MAX_INVENTORY:
            self.inventory.append(Entry(shown(member.name), member.size, KINDS.get(member.type, "unknown")))
        self.tree.add(member)
        if not member.isdir():
            self.tell(self.judge.named(member.name, link=member.issym() or member.islnk()))

    def look_at(self, member: tarfile.TarInfo, seen: Seen) -> None:
        """Take down what the content of the member that was added last turned out to be, and judge that."""
        self.tell(self.judge.content(member.name, seen))
        kind = seen.kind or UNKNOWN
        if self.members == len(self.inventory):
            self.inventory[-1] = replace(self.inventory[-1], kind=kind)
        self.totals[kind] = self.totals.get(kind, Total()).plus(member.size)

    def tell(self, found: Iterable[Fault]) -> None:
        """Record as errors all that a judge found."""
        for member, rule, reason in found:
            if member is None:
                self._about_archive.append(Finding(None, rule, "error", reason))
            else:
                self.report(member, rule, reason)

    def conclude(self) -> None:
        """Judge what only shows when all members are known; what is missing counts only in a complete archive."""
        self.tree.conclude()
        if self.tree.complete:
            self.tell(self.judge.all_together(self.tree.has_file))

    def refuse(self, refusal: Refused) -> None:
        """Record why the archive cannot be read, or not further."""
        self._about_archive.append(Finding(None, refusal.rule, "error", str(refusal)))

    def report(self, name: str, rule: str, reason: str, severity: Severity = "error") -> None:
        """Record what was found of the member of that name; of very many findings only their number."""
        severity = "warning" if self.judge.admits(rule) else severity
        if len(self._about_members) < MAX_FINDINGS:
            self._about_members.append(Finding(shown(name), rule, severity, reason))
        else:
            self._omitted[severity] += 1

    def count(self, severity: Severity) -> int:
        """Return how many findings of a severity there are, those among them that are not listed."""
        listed = (*self._about_archive, *self._about_members)
        return sum(finding.severity == severity for finding in listed) + self._omitted[severity]

    def findings(self) -> tuple[Finding, ...]:
        """Return all findings, those about the archive first; beyond `MAX_FINDINGS` their number only."""
        more = [
            Finding(None, "more-findings", severity, f"{number} more findings of this severity are not listed")
            for severity, number in self._omitted.items()
        ]
        return (*self._about_archive, *self._about_members, *more)
