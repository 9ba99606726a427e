"""What is remembered of an archive's members while they pass, and what each of them, and all together, do wrong."""

from __future__ import annotations

import re
import tarfile
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import partial
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

from signoff.findings import Finding
from signoff.inflate import Limits, Refused
from signoff.paths import MAX_NAME, Links, collisions, faults, normalised, shown, warnings
from signoff.scanning.contents import Severity
from signoff.scanning.names import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from signoff.scanning.contents import Seen

MAX_FINDINGS = 200
MAX_INVENTORY = 1000
MAX_NAMES = 64 * 1024 * 1024  # characters of all names together, which must be remembered to find duplicates

KINDS = {
    **dict.fromkeys(tarfile.REGULAR_TYPES, "file"),
    tarfile.GNUTYPE_SPARSE: "file",
    tarfile.DIRTYPE: "directory",
    tarfile.SYMTYPE: "symbolic link",
    tarfile.LNKTYPE: "hard link",
    tarfile.CHRTYPE: "character device",
    tarfile.BLKTYPE: "block device",
    tarfile.FIFOTYPE: "FIFO",
    b"M": "part of a file from another volume",
    b"V": "volume label",
    b"D": "directory listing of an incremental backup",
    b"N": "list of long names",
}
ORDINARY = ("file", "directory", "symbolic link", "hard link")
PRIVILEGES = {0o4000: "set-uid", 0o2000: "set-gid", 0o1000: "sticky"}
CAPABILITY = re.compile(r"xattr\.security\.capability$", re.IGNORECASE)  # as SCHILY's and LIBARCHIVE's keywords end


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

    limits: Limits
    members: int = 0
    complete: bool = False
    inventory: list[Entry] = field(default_factory=list)
    totals: dict[str, Total] = field(default_factory=dict)
    _kinds: dict[str, str] = field(default_factory=dict)
    _links: Links = field(default_factory=Links)
    _hard: dict[str, str] = field(default_factory=dict)
    _leads_to: dict[str, str] = field(default_factory=dict)
    _names_size: int = 0
    _sparse_size: int = 0
    _about_members: list[Finding] = field(default_factory=list)
    _about_archive: list[Finding] = field(default_factory=list)
    _omitted: Counter[Severity] = field(default_factory=Counter)

    def add(self, member: tarfile.TarInfo) -> None:
        """Judge one member by itself and remember it; raises `Refused` when a limit is passed."""
        kind = KINDS.get(member.type, "unknown")
        self.members += 1
        self._check_limits(member)
        if len(self.inventory) < MAX_INVENTORY:
            self.inventory.append(Entry(shown(member.name), member.size, kind))
        self.doubt(member, faults(member.name))
        self.doubt(member, warnings(member.name), "warning")
        self._check_kind(member, kind)
        self._check_rights(member, kind)
        if len(member.name) <= MAX_NAME and len(member.linkname) <= MAX_NAME:
            self._remember(member, kind)

    def tell_kind(self, member: tarfile.TarInfo, seen: Seen) -> None:
        """Take down what the content of the member that was added last turned out to be."""
        kind = seen.kind or UNKNOWN
        if self.members == len(self.inventory):
            self.inventory[-1] = replace(self.inventory[-1], kind=kind)
        self.totals[kind] = self.totals.get(kind, Total()).plus(member.size)

    def doubt(self, member: tarfile.TarInfo, found: Iterable[tuple[str, str]], severity: Severity = "error") -> None:
        """Report all (rule, reason) that were found of one member."""
        for rule, reason in found:
            self.report(member.name, rule, reason, severity)

    def _check_limits(self, member: tarfile.TarInfo) -> None:
        if self.members > self.limits.members:
            raise Refused("too-many-members", f"The archive has more than {self.limits.members} members")
        self._names_size += min(len(member.name) + len(member.linkname), 2 * MAX_NAME)
        if self._names_size > MAX_NAMES:
            raise Refused("too-many-members", f"The members' names take more than {MAX_NAMES} characters")
        # A sparse file's holes are in no byte of the archive, but they are in what is unpacked.
        self._sparse_size += member.size if member.issparse() else 0
        if self._sparse_size > self.limits.expanded_size:
            raise Refused("expansion-limit", f"Sparse files expand to more than {self.limits.expanded_size} bytes")

    def _check_kind(self, member: tarfile.TarInfo, kind: str) -> None:
        if member.type == b"M":
            self.report(member.name, "multi-volume", f"Is {kind}: this archive is one of several volumes")
        elif kind not in ORDINARY:
            self.report(member.name, "special-file", f"Is neither file, directory nor link: {kind}")
        elif kind != "file" and member.size:
            reason = f"Is a {kind}, yet claims {member.size} bytes: readers disagree about what follows it"
            self.report(member.name, "ambiguous-size", reason)
        if len(member.linkname) > MAX_NAME:
            self.report(member.name, "name-too-long", f"Is a link to a path of {len(member.linkname)} characters")

    def _check_rights(self, member: tarfile.TarInfo, kind: str) -> None:
        bits = [name for bit, name in PRIVILEGES.items() if member.mode & bit]
        if bits and kind != "symbolic link":
            self.report(member.name, "set-uid", f"Has the {' and '.join(bits)} bit of its mode set")
        if any(CAPABILITY.search(unquote(keyword)) for keyword in member.pax_headers):
            self.report(member.name, "capability", "Carries file capabilities, which give a program rights of root")

    def _remember(self, member: tarfile.TarInfo, kind: str) -> None:
        name = normalised(member.name)
        before = self._kinds.setdefault(name, "")
        if before and not before == kind == "directory":
            self.report(member.name, "duplicate-name", f"Has a name that another member has too: a {before}")
        if not name and kind != "directory":
            self.report(member.name, "empty-name", f"Is a {kind} without a name")
        self._kinds[name] = kind
        if kind == "symbolic link":
            self._links.targets[name] = member.linkname
        elif kind == "hard link":
            self._hard[name] = member.linkname

    def conclude(self, required_files: Sequence[str]) -> None:
        """Judge what only shows when all members are known; what is missing counts only in a complete archive."""
        for name, target in self._links.targets.items():
            self._follow(name, partial(self._links.from_symbolic, name, target))
        for name, target in self._hard.items():
            self._follow(name, partial(self._links.from_hard, target))
        # With the slash at its end, a name is followed by all that lies below it.
        paths = sorted(name + "/" for name in self._kinds if name)
        self._check_parents(paths)
        for name, reason in collisions(name for name in self._kinds if name):
            self.report(name, "name-collision", reason)
        if self.complete:
            self._check_missing_targets(paths)
            self._check_required(required_files)

    def _follow(self, name: str, resolve: Callable[[], str]) -> None:
        try:
            self._leads_to[name] = resolve()
        except Refused as refusal:
            self.report(name, refusal.rule, str(refusal))

    def _check_parents(self, paths: Sequence[str]) -> None:
        """Refuse members below a link or a file: unpacking would write through the link, or fail."""
        above = None
        for path in paths:
            if above and path.startswith(above):
                kind = self._kinds[above[:-1]]
                self.report(path[:-1], "name-through-link", f"Lies below {shown(above[:-1])}, which is a {kind}")
            elif self._kinds[path[:-1]] != "directory":
                above = path

    def _check_missing_targets(self, paths: Sequence[str]) -> None:
        for name, target in self._leads_to.items():
            there = self._kinds.get(target)
            if name in self._hard and there not in ("file", "hard link"):
                reason = f"Is a hard link to {shown(target) or '.'}, which is no file of the archive"
                self.report(name, "hard-link-missing", reason)
            elif there is None and not _leads_into(paths, target):
                reason = f"Is a link to {shown(target)}, which is not in the archive"
                self.report(name, "dangling-link", reason, "warning")

    def _check_required(self, patterns: Sequence[str]) -> None:
        for pattern in patterns:
            if not any(fnmatchcase(name, pattern) and self._is_file(name) for name in self._kinds):
                reason = f"The archive has no file {pattern}, which the policy requires"
                self._about_archive.append(Finding(None, "required-file-missing", "error", reason))

    def _is_file(self, name: str) -> bool:
        return self._kinds.get(self._leads_to.get(name, name)) in ("file", "hard link")

    def refuse(self, refusal: Refused) -> None:
        """Record why the archive cannot be read, or not further."""
        self._about_archive.append(Finding(None, refusal.rule, "error", str(refusal)))

    def report(self, name: str, rule: str, reason: str, severity: Severity = "error") -> None:
        """Record what was found of the member of that name; of very many findings only their number."""
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


def _leads_into(paths: Sequence[str], target: str) -> bool:
    """Whether a directory without a member of its own has members below it; `paths` are sorted, each ends in `/`."""
    below = target + "/" if target else ""
    at = bisect_left(paths, below)
    return at < len(paths) and paths[at].startswith(below)
