"""Builds an inspection's report while an archive's members are read: inventory, totals and findings."""

from __future__ import annotations

import tarfile
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from signoff.artifact.content_types import UNKNOWN
from signoff.artifact.findings import Finding, Severity
from signoff.artifact.member_names import shown
from signoff.artifact.streams.limits import Budget
from signoff.artifact.streams.refusal import Refused
from signoff.artifact.tar.extraction import KINDS, ExtractionTree

if TYPE_CHECKING:
    from collections.abc import Iterable

    from signoff.artifact.context import ContentSummary
    from signoff.artifact.requirement_check import RequirementCheck
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class Inspection:
    """The result of inspecting an artifact: its SHA-256 (hexadecimal), sizes (bytes), members and findings.

    `inventory` holds the first `MAX_INVENTORY` members; `members` counts all that could be read; `kinds`
    has the number of files and bytes of each content type. `errors` and `warnings` count all findings of each
    severity, including those not listed.
    """

    sha256: str
    size: int
    expanded_size: int
    members: int
    inventory: tuple[InventoryEntry, ...]
    findings: tuple[Finding, ...]
    errors: int
    warnings: int
    kinds: Mapping[str, TypeTotal]

    @property
    def passed(self) -> bool:
        """Whether no finding is an error."""
        return not self.errors

    def document(self) -> dict[str, Any]:
        """Return the result as JSON-ready values; `inventory_omitted` counts the members that are not listed."""
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
            "inventory": [entry._asdict() for entry in self.inventory],
            "inventory_omitted": self.members - len(self.inventory),
        }


def combined(sha256: str, inspections: Sequence[Inspection], together: Sequence[Finding]) -> Inspection:
    """Return the inspections of several files as one, with the digest of them all and what was found of all."""
    kinds: dict[str, TypeTotal] = {}
    for kind, total in (each for inspection in inspections for each in inspection.kinds.items()):
        before = kinds.get(kind, TypeTotal())
        kinds[kind] = TypeTotal(before.members + total.members, before.size + total.size)
    entries = [entry for inspection in inspections for entry in inspection.inventory]
    return Inspection(
        sha256=sha256,
        size=sum(each.size for each in inspections),
        expanded_size=sum(each.expanded_size for each in inspections),
        members=sum(each.members for each in inspections),
        inventory=tuple(entries[:MAX_INVENTORY]),
        findings=(*together, *(finding for each in inspections for finding in each.findings)),
        errors=sum(each.errors for each in inspections) + sum(each.severity == "error" for each in together),
        warnings=sum(each.warnings for each in inspections) + sum(each.severity == "warning" for each in together),
        kinds=kinds,
    )


MAX_FINDINGS = 200
MAX_INVENTORY = 1000


class InventoryEntry(NamedTuple):
    """A member as the archive's header describes it (`size` in bytes), and the type of its content.

    The type is detected from the content (`signoff.artifact.detection`); None where the content was not scanned. Small
    files have their SHA-256 (hexadecimal), so that a change of code shows.
    """

    name: str
    size: int
    type: str
    kind: str | None = None
    sha256: str | None = None


class TypeTotal(NamedTuple):
    """The number of members of one type, and their size in bytes."""

    members: int = 0
    size: int = 0

    def plus(self, size: int) -> TypeTotal:
        """Return the same with one more member of `size` bytes."""
        return TypeTotal(self.members + 1, self.size + size)


@dataclass
class ReportBuilder:
    """Collects what is known about the members read so far: inventory, totals and findings."""

    check: RequirementCheck
    inventory: list[InventoryEntry] = field(default_factory=list)
    totals: dict[str, TypeTotal] = field(default_factory=dict)
    _about_members: list[Finding] = field(default_factory=list)
    _about_archive: list[Finding] = field(default_factory=list)
    _omitted: Counter[Severity] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        """Share one budget between the archive and all that lies within its members."""
        limits = self.check.requirements.limits
        self.budget = Budget(limits.expanded_size, limits.members, limits.nested)
        self.tree = ExtractionTree(self.report, self.budget, for_sagemaker=True)

    @property
    def members(self) -> int:
        """How many members were read."""
        return self.tree.members

    def add(self, member: tarfile.TarInfo) -> None:
        """Check one member by itself and record it; raises `Refused` when a limit is exceeded."""
        most = self.check.requirements.limits.members
        if self.members == most:
            raise Refused("too-many-members", f"The archive has more than {most} members")
        if len(self.inventory) < MAX_INVENTORY:
            self.inventory.append(InventoryEntry(shown(member.name), member.size, KINDS.get(member.type, "unknown")))
        self.tree.add(member)
        if not member.isdir():
            self.add_violations(self.check.named(member.name, link=member.issym() or member.islnk()))

    def add_content(self, member: tarfile.TarInfo, summary: ContentSummary, sha256: str | None = None) -> None:
        """Record the content type of the last added member, and its SHA-256 if known, and check it."""
        self.add_violations(self.check.content(member.name, summary))
        kind = summary.kind or UNKNOWN
        if self.members == len(self.inventory):
            self.inventory[-1] = self.inventory[-1]._replace(kind=kind, sha256=sha256)
        self.totals[kind] = self.totals.get(kind, TypeTotal()).plus(member.size)

    def add_violations(self, found: Iterable[Finding]) -> None:
        """Record all `found`."""
        for finding in found:
            if finding.member is None:
                self._about_archive.append(finding)
            else:
                self.report(finding.member, finding.rule, finding.reason, finding.severity)

    def conclude(self) -> None:
        """Check what needs all members to be known; missing files count only in a complete archive."""
        self.tree.conclude()
        if self.tree.complete:
            self.add_violations(self.check.all_together(self.tree.has_file, self.tree.folder_with, self.tree.link_like))

    def refuse(self, refusal: Refused) -> None:
        """Record why the archive cannot be read further."""
        self._about_archive.append(Finding(None, refusal.rule, "error", str(refusal)))

    def report(self, name: str, rule: str, reason: str, severity: Severity = "error") -> None:
        """Record a finding about the member `name`; beyond `MAX_FINDINGS`, only count it."""
        severity = "warning" if self.check.admits(rule) else severity
        if len(self._about_members) < MAX_FINDINGS:
            self._about_members.append(Finding(shown(name), rule, severity, reason))
        else:
            self._omitted[severity] += 1

    def count(self, severity: Severity) -> int:
        """Return the number of findings of a severity, including those not listed."""
        listed = (*self._about_archive, *self._about_members)
        return sum(finding.severity == severity for finding in listed) + self._omitted[severity]

    def findings(self) -> tuple[Finding, ...]:
        """Return all findings, those about the archive first; beyond `MAX_FINDINGS`, only their number."""
        more = [
            Finding(None, "more-findings", severity, f"{number} more findings of this severity are not listed")
            for severity, number in self._omitted.items()
        ]
        return (*self._about_archive, *self._about_members, *more)
