"""The files that unpacking a tar archive would create, and what is unsafe about each of them and all together.

SageMaker does not extract a model's archive that holds symbolic links: see "Failed to extract model data archive" in
https://repost.aws/knowledge-center/sagemaker-endpoint-creation-fail. A hard link gives content, which was inspected as
what its first name claims, a second name. So the archive that SageMaker extracts may have neither.
"""

from __future__ import annotations

import re
import tarfile
from bisect import bisect_left
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import unquote

from signoff.artifact.member_names import LEFT_OVER, MAX_NAME, Links, collisions, faults, normalised, shown, warnings
from signoff.artifact.streams.refusal import Refused
from signoff.documents.patterns import compiled_on_use

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from signoff.artifact.context import ReportFinding
    from signoff.artifact.findings import Severity
    from signoff.artifact.streams.limits import Budget

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
CAPABILITY = compiled_on_use(
    r"xattr\.security\.capability$", re.IGNORECASE
)  # as SCHILY's and LIBARCHIVE's keywords end


@dataclass
class ExtractionTree:
    """The names and links of the members read so far. All trees of an artifact share one `_budget`.

    `for_sagemaker` is the archive that SageMaker extracts; archives within are unpacked by code, if at all.
    """

    _report: ReportFinding
    _budget: Budget
    for_sagemaker: bool = False
    members: int = 0
    complete: bool = False
    _kinds: dict[str, str] = field(default_factory=dict)
    _symbolic: dict[str, str] = field(default_factory=dict)
    _hard: dict[str, str] = field(default_factory=dict)
    _leads_to: dict[str, str] = field(default_factory=dict)

    def add(self, member: tarfile.TarInfo) -> None:
        """Check one member by itself and record it; raises `Refused` when the budget is spent."""
        kind = KINDS.get(member.type, "unknown")
        self.members += 1
        self._budget.spend_name(min(len(member.name) + len(member.linkname), 2 * MAX_NAME))
        if member.issparse():
            # A sparse file's holes take no bytes in the archive, but they do once unpacked.
            self._budget.spend(member.size)
        self.report_all(member, faults(member.name))
        self.report_all(member, warnings(member.name), "warning")
        self._check_kind(member, kind)
        self._check_rights(member, kind)
        if len(member.name) <= MAX_NAME and len(member.linkname) <= MAX_NAME:
            self._remember(member, kind)

    def report_all(
        self, member: tarfile.TarInfo, found: Iterable[tuple[str, str]], severity: Severity = "error"
    ) -> None:
        """Report all (rule, reason) found about one member."""
        for rule, reason in found:
            self._report(member.name, rule, reason, severity)

    def _check_kind(self, member: tarfile.TarInfo, kind: str) -> None:
        if member.type == b"M":
            self._error(member.name, "multi-volume", f"Is {kind}: this archive is one of several volumes")
        elif kind not in ORDINARY:
            self._error(member.name, "special-file", f"Is neither file, directory nor link: {kind}")
        elif kind != "file" and member.size:
            reason = f"Is a {kind}, yet claims {member.size} bytes: readers disagree about what follows it"
            self._error(member.name, "ambiguous-size", reason)
        if len(member.linkname) > MAX_NAME:
            self._error(member.name, "name-too-long", f"Is a link to a path of {len(member.linkname)} characters")

    def _check_rights(self, member: tarfile.TarInfo, kind: str) -> None:
        bits = [name for bit, name in PRIVILEGES.items() if member.mode & bit]
        if bits and kind != "symbolic link":
            self._error(member.name, "set-uid", f"Has the {' and '.join(bits)} bit of its mode set")
        if any(CAPABILITY.search(unquote(keyword)) for keyword in member.pax_headers):
            self._error(member.name, "capability", "Carries file capabilities, which give a program root privileges")

    def _remember(self, member: tarfile.TarInfo, kind: str) -> None:
        name = normalised(member.name)
        before = self._kinds.setdefault(name, "")
        if before and not before == kind == "directory":
            self._error(member.name, "duplicate-name", f"Has the same name as another member: a {before}")
        if not name and kind != "directory":
            self._error(member.name, "empty-name", f"Is a {kind} without a name")
        self._kinds[name] = kind
        if kind == "symbolic link":
            self._symbolic[name] = member.linkname
        elif kind == "hard link":
            self._hard[name] = member.linkname

    def conclude(self) -> None:
        """Check what needs all members to be known; missing files count only in a complete archive."""
        links = Links(self._symbolic, self._budget.follow)
        for name, target in self._symbolic.items():
            self._follow(name, partial(links.from_symbolic, name, target))
        for name, target in self._hard.items():
            self._follow(name, partial(links.from_hard, target))
        # With the slash at its end, a name is followed by all that lies below it.
        paths = sorted(name + "/" for name in self._kinds if name)
        self._check_parents(paths)
        for name, reason in collisions(name for name in self._kinds if name):
            self._error(name, "name-collision", reason)
        for name, target in self._leads_to.items():
            self._check_link(name, target, paths)

    def _follow(self, name: str, resolve: Callable[[], str]) -> None:
        try:
            self._leads_to[name] = resolve()
        except Refused as refusal:
            self._error(name, refusal.rule, str(refusal))

    def _check_parents(self, paths: Sequence[str]) -> None:
        """Refuse members below a link or a file: unpacking would write through the link, or fail."""
        above = None
        for path in paths:
            if above and path.startswith(above):
                kind = self._kinds[above[:-1]]
                self._error(path[:-1], "name-through-link", f"Lies below {shown(above[:-1])}, which is a {kind}")
            elif self._kinds[path[:-1]] != "directory":
                above = path

    def _check_link(self, name: str, target: str, paths: Sequence[str]) -> None:
        """Report a link that stays in the archive: that it is one, or that what it leads to is missing."""
        severity: Severity = "error" if self.for_sagemaker else "warning"
        there, hard = self._kinds.get(target), name in self._hard
        if self.complete and hard and there not in ("file", "hard link"):
            reason = f"Is a hard link to {shown(target) or '.'}, which is not a file in the archive"
            self._error(name, "hard-link-missing", reason)
        elif self.complete and not hard and there is None and not _leads_into(paths, target):
            reason = f"Is a link to {shown(target)}, which is not in the archive"
            self._report(name, "dangling-link", reason, severity)
        elif hard:
            reason = f"Is a hard link: another name of {shown(target)}, which was inspected under that one"
            self._report(name, "hard-link", reason, severity)
        else:
            reason = f"Is a symbolic link to {shown(target) or '.'}: SageMaker does not extract archives that hold any"
            self._report(name, "symbolic-link", reason, severity)

    def has_file(self, pattern: str) -> bool:
        """Whether a name that fits `pattern` (`fnmatch`) is a file; a link is none."""
        return any(kind == "file" and fnmatchcase(name, pattern) for name, kind in self._kinds.items())

    def link_like(self, pattern: str) -> str | None:
        """Return the name of a link that fits `pattern`, where a file was looked for."""
        links = (name for name, kind in self._kinds.items() if kind in ("symbolic link", "hard link"))
        return next((name for name in links if fnmatchcase(name, pattern)), None)

    def folder_with(self, pattern: str) -> str | None:
        """Return the archive's only folder at the top, where files in it, but for its name, fit `pattern`."""
        files = [name for name, kind in self._kinds.items() if kind == "file" and not LEFT_OVER.search(name)]
        tops = {name.partition("/")[0] for name in files}
        found = len(tops) == 1 and any(fnmatchcase(name.partition("/")[2], pattern) for name in files)
        return tops.pop() if found else None

    def _error(self, name: str, rule: str, reason: str) -> None:
        self._report(name, rule, reason, "error")


def _leads_into(paths: Sequence[str], target: str) -> bool:
    """Whether a directory without a member of its own has members below it; `paths` are sorted, each ends in `/`."""
    below = target + "/" if target else ""
    at = bisect_left(paths, below)
    return at < len(paths) and paths[at].startswith(below)
