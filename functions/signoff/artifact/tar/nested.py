"""Nested tar archives: each file in them is scanned as it is read."""

from __future__ import annotations

import tarfile

from signoff.artifact.context import Scan, ScanContext
from signoff.artifact.streams.gzip import HEAD
from signoff.artifact.streams.readers import BLOCK, PeekableReader
from signoff.artifact.streams.refusal import Refused
from signoff.artifact.tar.content import content as content_of
from signoff.artifact.tar.extraction import ExtractionTree
from signoff.artifact.tar.headers import header_faults
from signoff.artifact.tar.reader import check_end, members
from signoff.artifact.tar.stream import TarStream


def is_tar(head: bytes) -> bool:
    """Whether a tar archive begins here: a header with the checksum that it should have."""
    if len(head) < HEAD:
        return False
    try:
        tarfile.nti(head[148:156])  # type: ignore[attr-defined]  # the checksum alone, which hardly any other content has
        tarfile.TarInfo.frombuf(head[:HEAD], "utf-8", "surrogateescape")
    except (tarfile.TarError, ValueError):
        return False
    return True


def tar_archive(content: PeekableReader, context: ScanContext, scan: Scan) -> None:
    """Check the members of a tar archive, which may be unpacked later, and scan each file.

    Raises `Refused` when the archive cannot be read, or not further.
    """
    stream = TarStream(iter(lambda: content.read(BLOCK), b""))
    tree = ExtractionTree(context.report_of, context.budget)
    try:
        _walk(stream, tree, context, scan)
    finally:
        tree.conclude()
    if any(block.strip(b"\0") for block in stream.rest()):
        raise Refused("data-after-end", "Data follows the archive's end marker; some readers would unpack it")


def _walk(stream: TarStream, tree: ExtractionTree, context: ScanContext, scan: Scan) -> None:
    for member in members(stream):
        context.budget.spend_member()
        tree.add(member)
        tree.report_all(member, header_faults(stream.reads, member))
        if member.isreg() and (inside := content_of(stream, member)):
            if member.sparse is None:  # otherwise other bytes are stored than are scanned
                context.summary.stored.append(range(stream.tell(), stream.tell() + member.size + 1))
            scan(inside, context.inner(member.name))
    check_end(stream, tree.members)
    tree.complete = True
