"""A tar member's content as a reader, as it would be unpacked: with holes, if it is a sparse file."""

from __future__ import annotations

import tarfile
from collections.abc import Iterable, Sequence

from signoff.artifact.streams.readers import BLOCK, Reader
from signoff.artifact.streams.refusal import Refused
from signoff.artifact.tar.stream import TarStream

_HOLE = bytes(BLOCK)


class MemberReader:
    """A reader of the next `size` bytes of a tar."""

    def __init__(self, stream: TarStream, size: int) -> None:
        self._stream = stream
        self._left = size

    def read(self, size: int) -> bytes:
        """Return at most `size` of the next bytes, and none only at the end. Raises `Refused` (`truncated-tar`)."""
        wanted = min(size, self._left)
        if wanted <= 0:
            return b""
        part = self._stream.content(wanted)
        if not part:
            raise Refused("truncated-tar", "The tar archive ends in the middle of a member")
        self._left -= len(part)
        return part


class ChunkReader:
    """A reader of chunks of any size."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._piece = b""
        self._at = 0

    def read(self, size: int) -> bytes:
        """Return at most `size` of the next bytes, and none only at the end."""
        while self._at == len(self._piece):
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._piece, self._at = piece, 0
        part = self._piece[self._at : self._at + size]
        self._at += len(part)
        return part


class SparseReader:
    """A reader of a sparse file: its data with zeros in the holes."""

    def __init__(self, stream: TarStream, pieces: Sequence[tuple[int, int]], size: int) -> None:
        self._stored = MemberReader(stream, sum(length for _, length in pieces))
        self._pieces = [*pieces, (size, 0)]
        self._at = 0

    def read(self, size: int) -> bytes:
        """Return at most `size` of the next bytes, and none only at the end. Raises `Refused` (`truncated-tar`)."""
        while self._pieces:
            offset, length = self._pieces[0]
            if self._at < offset:
                part = _HOLE[: min(size, offset - self._at)]
            else:
                part = self._stored.read(min(size, offset + length - self._at))
            if part:
                self._at += len(part)
                return part
            self._pieces.pop(0)
        return b""


def content(stream: TarStream, member: tarfile.TarInfo) -> Reader | None:
    """Return the content of a file whose headers were just read; None for a sparse file with an invalid map."""
    if member.sparse is None:
        return MemberReader(stream, member.size)
    every: list[tuple[int, int]] = member.sparse  # type: ignore[assignment]
    pieces = [(offset, length) for offset, length in every if length]
    ends = [0, *(offset + length for offset, length in pieces)]
    starts = [*(offset for offset, _ in pieces), member.size]
    ordered = all(end <= start for end, start in zip(ends, starts, strict=True))
    return SparseReader(stream, pieces, member.size) if ordered and all(length > 0 for _, length in pieces) else None
