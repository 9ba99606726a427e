"""Tar archives that are not compressed, or were: each file in them is scanned as it passes."""

from __future__ import annotations

import tarfile

from signoff.archive import check_end, members
from signoff.headers import header_faults
from signoff.inflate import HEAD, Forward, Refused
from signoff.paths import faults
from signoff.scanning.contents import BLOCK, Peekable, Scan, Where
from signoff.scanning.members import content as content_of


def is_tar(head: bytes) -> bool:
    """Whether a tar archive begins here: a header with the checksum that it should have."""
    try:
        tarfile.TarInfo.frombuf(head[:HEAD], "utf-8", "surrogateescape")
    except (tarfile.TarError, ValueError):
        return False
    return True


def tar_archive(content: Peekable, where: Where, scan: Scan) -> None:
    """Scan each file of a tar archive. Raises `Refused` when the archive cannot be read, or not further."""
    stream, count = Forward(iter(lambda: content.read(BLOCK), b"")), 0
    for member in members(stream):
        where.budget.spend_member()
        count += 1
        _member(stream, member, where.inner(member.name), scan)
    check_end(stream, count)
    if any(block.strip(b"\0") for block in stream.rest()):
        raise Refused("data-after-end", "Data follows the archive's end marker; some readers would unpack it")


def _member(stream: Forward, member: tarfile.TarInfo, where: Where, scan: Scan) -> None:
    for rule, reason in (*faults(member.name), *header_faults(stream.reads, member)):
        where.report(rule, reason)
    if member.isreg() and (inside := content_of(stream, member)):
        scan(inside, where)
