"""Reads the members of a tar archive one by one, and checks that it ends properly."""

from __future__ import annotations

import tarfile
from typing import TYPE_CHECKING

from signoff.artifact.streams.gzip import HEAD, looks_like
from signoff.artifact.streams.refusal import Refused
from signoff.artifact.tar.headers import describes_nothing
from signoff.artifact.tar.stream import TarStream

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_GLOBALS = 100  # pax attributes that apply to all that follows


def members(stream: TarStream) -> Iterator[tarfile.TarInfo]:
    """Yield each member once its headers have been read; content that is not consumed is skipped.

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


def _unreadable(stream: TarStream, tar: tarfile.TarFile | None, error: Exception) -> Refused:
    if tar is None and stream.tell() <= HEAD:
        return Refused("not-tar", f"The gzip file does not hold a tar archive: it is {looks_like(stream.last)}")
    if describes_nothing(stream.reads):
        return Refused(
            "ambiguous-header", "The tar archive ends with a long name or pax header that belongs to no member"
        )
    if stream.ended:
        return Refused("truncated-tar", "The tar archive ends in the middle of a member")
    return Refused("corrupt-tar", f"A tar header before byte {stream.tell()} cannot be read ({error})")


def check_end(stream: TarStream, members: int) -> None:
    """Distinguish the end from damage: tarfile stops silently at anything that is not a header."""
    if len(stream.last) < HEAD:
        raise Refused("truncated-tar", "The tar archive ends without its end marker: it may be incomplete")
    if any(stream.last):
        raise Refused("corrupt-tar", f"What should be a tar header before byte {stream.tell()} is damaged")
    if not members:
        raise Refused("empty-archive", "The archive has no members")
