"""Inspects a model artifact (`model.tar.gz`) as a stream: what it holds, and whether it is safe to unpack.

SageMaker unpacks the archive into /opt/ml/model of the container, so nothing in it may land anywhere else. One pass,
one block of it in memory at a time; nothing is extracted, nothing is run.
"""

from __future__ import annotations

import tarfile
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from signoff.demands import Demands, Judge
from signoff.findings import Finding
from signoff.headers import describes_nothing, header_faults
from signoff.inflate import HEAD, Forward, Inflated, Limits, Refused, Source, looks_like
from signoff.paths import shown
from signoff.scanning.contents import Severity, Where
from signoff.scanning.members import Pieces, content
from signoff.scanning.names import UNKNOWN
from signoff.survey import Entry, Survey, Total

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from signoff.scanning.contents import Scan

__all__ = ["Demands", "Entry", "Finding", "Inspection", "Limits", "Severity", "inspect", "inspect_file"]

MAX_GLOBALS = 100  # pax attributes that apply to all that follows


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


def inspect(chunks: Iterable[bytes], demands: Demands | None = None, scan: Scan | None = None) -> Inspection:
    """Inspect the artifact whose bytes are `chunks` (best 256 KiB or more each), reading all of them exactly once.

    It is held to `demands`. `scan` looks into each file's content (`scanning.kinds.scan`); without it contents are
    skipped. A bad artifact is no error: it comes back with findings. Only what `chunks` itself raises is raised.
    """
    demands = demands or Demands()
    source = Source(chunks)
    stream = Inflated(source, demands.limits)
    survey = Survey(Judge(demands))
    try:
        for member in members(stream):
            survey.add(member)
            survey.tree.doubt(member, header_faults(stream.reads, member))
            if scan and member.isreg() and (inside := content(stream, member)):
                where = Where(member.name, survey.report, survey.budget)
                scan(inside, where)
                survey.look_at(member, where.seen)
        check_end(stream, survey.members)
        survey.tree.complete = True
    except Refused as refusal:
        survey.refuse(refusal)
    _check_rest(stream, survey)
    survey.conclude()
    return Inspection(
        sha256=source.drain(),
        size=source.size,
        expanded_size=stream.size,
        members=survey.members,
        inventory=tuple(survey.inventory),
        findings=survey.findings(),
        errors=survey.count("error"),
        warnings=survey.count("warning"),
        kinds=survey.totals,
    )


def inspect_file(chunks: Iterable[bytes], name: str, scan: Scan, judge: Judge | None = None) -> Inspection:
    """Inspect an artifact that is no archive but a file, or one of the files of which it consists.

    `name` is that of the file in the artifact, by which it is shown too. `judge` holds it to what is demanded; what is
    demanded of all files together, whoever has the judge must ask.
    """
    judge = judge or Judge(Demands())
    source = Source(chunks)
    survey = Survey(judge)
    survey.tell(judge.named(name))
    where = Where(name, survey.report, survey.budget)
    try:
        scan(Pieces(source), where)
        survey.tell(judge.content(name, where.seen))
    except Refused as refusal:
        survey.refuse(refusal)
    kind = where.seen.kind or UNKNOWN
    return Inspection(
        sha256=source.drain(),
        size=source.size,
        expanded_size=source.size,
        members=1,
        inventory=(Entry(shown(name), source.size, "file", kind),),
        findings=survey.findings(),
        errors=survey.count("error"),
        warnings=survey.count("warning"),
        kinds={kind: Total(1, source.size)},
    )


def members(stream: Forward) -> Iterator[tarfile.TarInfo]:
    """Yield each member once its headers have been read; what is not read of its content is skipped.

    Raises `Refused` when the next one cannot be read.
    """
    tar = None
    while True:
        stream.begin_member()
        try:
            # TarFile reads the first member when it is made, so it is made in here.
            tar = tar or tarfile.TarFile(fileobj=stream, encoding="utf-8", errors="surrogateescape")
            member = tar.next()
            tar.members = []  # type: ignore[attr-defined]  # it would remember them all
        except (Refused, MemoryError):
            raise
        except Exception as error:  # a header can break tarfile in many ways: ValueError, RecursionError, ...
            if stream.failed:
                raise
            raise _unreadable(stream, tar, error) from None
        if len(tar.pax_headers) > MAX_GLOBALS:
            raise Refused("header-too-large", f"More than {MAX_GLOBALS} global pax attributes")
        if member is None:
            return
        yield member


def _unreadable(stream: Forward, tar: tarfile.TarFile | None, error: Exception) -> Refused:
    if tar is None and stream.tell() <= HEAD:
        return Refused("not-tar", f"The gzip file holds no tar archive: it is {looks_like(stream.last)}")
    if describes_nothing(stream.reads):
        return Refused("ambiguous-header", "The tar archive ends with a long name or pax header of no member")
    if stream.ended:
        return Refused("truncated-tar", "The tar archive ends in the middle of a member")
    return Refused("corrupt-tar", f"A tar header before byte {stream.tell()} cannot be read ({error})")


def check_end(stream: Forward, members: int) -> None:
    """Tell an end from a break: tarfile ends quietly at whatever is no header."""
    if len(stream.last) < HEAD:
        raise Refused("truncated-tar", "The tar archive ends without its end marker: it may be incomplete")
    if any(stream.last):
        raise Refused("corrupt-tar", f"What should be a tar header before byte {stream.tell()} is damaged")
    if not members:
        raise Refused("empty-archive", "The archive has no members")


def _check_rest(stream: Forward, survey: Survey) -> None:
    """Read to the end even of a bad tar: the gzip's checksum says whether it was damaged on the way."""
    hidden = False
    try:
        for block in stream.rest():
            hidden = hidden or bool(block.strip(b"\0"))
    except Refused as refusal:
        survey.refuse(refusal)
    if hidden and survey.tree.complete:
        survey.refuse(Refused("data-after-end", "Data follows the archive's end marker; some readers would unpack it"))
