"""Inspects a model artifact (`model.tar.gz`) as a stream: what it holds, and whether it is safe to unpack.

SageMaker unpacks the archive into /opt/ml/model of the container, so nothing in it may land anywhere else. One pass,
one block of it in memory at a time; nothing is extracted, nothing is run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from signoff.artifact.content_types import UNKNOWN
from signoff.artifact.context import Where
from signoff.artifact.member_names import shown
from signoff.artifact.report import Entry, Inspection, Survey, Total
from signoff.artifact.requirement_check import Judge
from signoff.artifact.requirements import Demands
from signoff.artifact.streams.gzip import Source
from signoff.artifact.streams.refusal import Refused
from signoff.artifact.tar.content import Pieces, content
from signoff.artifact.tar.headers import header_faults
from signoff.artifact.tar.reader import check_end, members
from signoff.artifact.tar.stream import Forward, Inflated

if TYPE_CHECKING:
    from collections.abc import Iterable

    from signoff.artifact.context import Scan


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
