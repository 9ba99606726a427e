"""Inspects a model artifact (`model.tar.gz`) as a stream: what it holds, and whether it is safe to unpack.

SageMaker unpacks the archive into /opt/ml/model of the container, so nothing in it may land anywhere else. One pass,
one block of it in memory at a time; nothing is extracted, nothing is run.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import partial
from typing import TYPE_CHECKING

from signoff.artifact.content_types import UNKNOWN
from signoff.artifact.context import ScanContext
from signoff.artifact.member_names import shown
from signoff.artifact.report import Inspection, InventoryEntry, ReportBuilder, TypeTotal
from signoff.artifact.requirement_check import RequirementCheck
from signoff.artifact.requirements import Requirements
from signoff.artifact.streams.gzip import HashedSource
from signoff.artifact.streams.readers import HashingReader
from signoff.artifact.streams.refusal import Refused
from signoff.artifact.tar.content import ChunkReader, content
from signoff.artifact.tar.headers import header_faults
from signoff.artifact.tar.reader import check_end, members
from signoff.artifact.tar.stream import GzipTarStream, TarStream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from signoff.artifact.context import Scan

# Bytes of a file that is hashed by itself: code and settings, whose changes people want to see, not weights.
_MOST_HASHED = 1024 * 1024


def inspect(chunks: Iterable[bytes], requirements: Requirements | None = None, scan: Scan | None = None) -> Inspection:
    """Inspect the artifact whose bytes are `chunks` (ideally 256 KiB or more each), reading each exactly once.

    It is checked against `requirements`. `scan` (`signoff.artifact.scan.scan`) scans each file's content; without it,
    contents are skipped. A bad artifact is not an error: its findings are returned. Raises only what `chunks` raises.
    """
    requirements = requirements or Requirements()
    source = HashedSource(chunks)
    stream = GzipTarStream(source, requirements.limits)
    builder = ReportBuilder(RequirementCheck(requirements))
    try:
        for member in members(stream):
            builder.add(member)
            builder.tree.report_all(member, header_faults(stream.reads, member))
            if scan and member.isreg() and (inside := content(stream, member)):
                context = ScanContext(
                    member.name,
                    builder.report,
                    builder.budget,
                    trusted=requirements.trusted,
                    fetched=requirements.fetched,
                )
                hashed = HashingReader(inside) if member.size <= _MOST_HASHED else None
                scan(hashed or inside, context)
                builder.add_content(member, context.summary, hashed.sha256() if hashed else None)
        check_end(stream, builder.members)
        builder.tree.complete = True
    except Refused as refusal:
        builder.refuse(refusal)
    _check_rest(stream, builder)
    builder.conclude()
    return Inspection(
        sha256=source.drain(),
        size=source.size,
        expanded_size=stream.size,
        members=builder.members,
        inventory=tuple(builder.inventory),
        findings=builder.findings(),
        errors=builder.count("error"),
        warnings=builder.count("warning"),
        kinds=builder.totals,
    )


def inspect_file(
    chunks: Iterable[bytes], name: str, scan: Scan, check: RequirementCheck | None = None, *, alone: bool = False
) -> Inspection:
    """Inspect an artifact that is a file and not an archive, or one of the files it consists of.

    `name` is the file's name in the artifact, also used in findings. `check` applies the requirements to the file, and
    those that concern all files together where it is `alone`; otherwise the caller must ask for them.
    """
    check = check or RequirementCheck(Requirements())
    source = HashedSource(chunks)
    builder = ReportBuilder(check)
    builder.add_violations(check.named(name))
    context = ScanContext(
        name, builder.report, builder.budget, trusted=check.requirements.trusted, fetched=check.requirements.fetched
    )
    try:
        scan(ChunkReader(source), context)
        builder.add_violations(check.content(name, context.summary))
        if alone:
            builder.add_violations(check.all_together(partial(fnmatchcase, name)))
    except Refused as refusal:
        builder.refuse(refusal)
    kind = context.summary.kind or UNKNOWN
    return Inspection(
        sha256=source.drain(),
        size=source.size,
        expanded_size=source.size,
        members=1,
        inventory=(InventoryEntry(shown(name), source.size, "file", kind),),
        findings=builder.findings(),
        errors=builder.count("error"),
        warnings=builder.count("warning"),
        kinds={kind: TypeTotal(1, source.size)},
    )


def _check_rest(stream: TarStream, builder: ReportBuilder) -> None:
    """Read to the end even of a bad tar: gzip's checksum says whether it was damaged in transit."""
    hidden = False
    try:
        for block in stream.rest():
            hidden = hidden or bool(block.strip(b"\0"))
    except Refused as refusal:
        builder.refuse(refusal)
    if hidden and builder.tree.complete:
        builder.refuse(Refused("data-after-end", "Data follows the archive's end marker; some readers would unpack it"))
