"""Tar archives that are not compressed, or were: each file in them is scanned as it passes."""

from __future__ import annotations

import tarfile

from signoff.artifact.context import Scan, Where
from signoff.artifact.streams.gzip import HEAD
from signoff.artifact.streams.readers import BLOCK, Peekable
from signoff.artifact.streams.refusal import Refused
from signoff.artifact.tar.content import content as content_of
from signoff.artifact.tar.extraction import Tree
from signoff.artifact.tar.headers import header_faults
from signoff.artifact.tar.reader import check_end, members
from signoff.artifact.tar.stream import Forward


def is_tar(head: bytes) -> bool:
    """Whether a tar archive begins here: a header with the checksum that it should have."""
    try:
        tarfile.TarInfo.frombuf(head[:HEAD], "utf-8", "surrogateescape")
    except (tarfile.TarError, ValueError):
        return False
    return True


def tar_archive(content: Peekable, where: Where, scan: Scan) -> None:
    """Judge the members of a tar archive as something that may be unpacked later, and scan each file.

    Raises `Refused` when the archive cannot be read, or not further.
    """
    stream = Forward(iter(lambda: content.read(BLOCK), b""))
    tree = Tree(where.report_of, where.budget)
    try:
        _walk(stream, tree, where, scan)
    finally:
        tree.conclude()
    if any(block.strip(b"\0") for block in stream.rest()):
        raise Refused("data-after-end", "Data follows the archive's end marker; some readers would unpack it")


def _walk(stream: Forward, tree: Tree, where: Where, scan: Scan) -> None:
    for member in members(stream):
        where.budget.spend_member()
        tree.add(member)
        tree.doubt(member, header_faults(stream.reads, member))
        if member.isreg() and (inside := content_of(stream, member)):
            scan(inside, where.inner(member.name))
    check_end(stream, tree.members)
    tree.complete = True
