"""A tar archive as a file that is read forward once, as `tarfile` reads it, with the bytes of each header kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signoff.artifact.streams.gzip import AHEAD, HashedSource, gathered, gunzip
from signoff.artifact.streams.limits import Limits
from signoff.artifact.streams.prefetch import ahead
from signoff.artifact.streams.refusal import Refused
from signoff.artifact.tar.pax import announces_pax, check_pax

if TYPE_CHECKING:
    from collections.abc import Iterator
LARGEST_HEADER = 64 * 1024  # one header that tarfile reads whole; a normal one holds a path and a few attributes
LARGEST_HEADERS = 1024 * 1024  # all the headers of one member together


class TarStream:
    """Blocks of bytes as the forward-only file that `tarfile.TarFile` reads members from.

    `read` and `seek` raise `Refused` when a header is implausible, and whatever the blocks' iterator raises.
    """

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self.ended = False
        self.failed = False
        self.last = b""
        self._blocks = blocks
        self._block = b""
        self._at = 0
        self._position = 0
        self.reads: list[bytes] = []
        self._headers = 0
        self._pax_follows = False

    # What tarfile calls.

    def tell(self) -> int:
        """Return the position in the expanded bytes."""
        return self._position

    def seek(self, position: int) -> int:
        """Skip forward to `position`, or to the end where that comes first."""
        if position < self._position:
            raise Refused("corrupt-tar", f"A tar header at byte {self._position} points backwards")
        while self._position < position and self._fill():
            self._take(position - self._position)
        return self._position

    def read(self, size: int) -> bytes:
        """Return the next `size` bytes, fewer at the end. Only headers are read; contents are skipped by `seek`."""
        if size < 0:
            raise Refused("corrupt-tar", f"A tar header before byte {self._position} claims a negative size")
        self._headers += max(size, 1)
        if size > LARGEST_HEADER or self._headers > LARGEST_HEADERS:
            raise Refused("header-too-large", f"A tar header at byte {self._position} is implausibly large")
        parts = []
        while size and self._fill():
            parts.append(self._take(size))
            size -= len(parts[-1])
        self.last = b"".join(parts)
        self.reads.append(self.last)
        if self._pax_follows:
            check_pax(self.last)
        self._pax_follows = not self._pax_follows and announces_pax(self.last)
        return self.last

    def write(self, _data: bytes) -> int:
        """Refuse: tarfile's type of file has it, this file is only read."""
        raise NotImplementedError("An artifact is only read")

    def close(self) -> None:
        """Do nothing: the artifact is its reader's to close."""

    # What `tar.reader` calls.

    def begin_member(self) -> None:
        """Start counting and keeping the headers of the next member: `reads` are all that was read of them."""
        self.reads = []
        self._headers = 0

    def content(self, size: int) -> bytes:
        """Return at most `size` of the next bytes of a member's content, and none only at the end of all."""
        return self._take(size) if self._fill() else b""

    def rest(self) -> Iterator[bytes]:
        """Yield whatever is left, in blocks."""
        while self._fill():
            yield self._take(len(self._block))

    def _fill(self) -> bool:
        while self._at == len(self._block):
            block = self._next()
            if block is None:
                self.ended = True
                return False
            self._block, self._at = block, 0
        return True

    def _next(self) -> bytes | None:
        try:
            return next(self._blocks, None)
        except Refused:
            raise
        except Exception:
            self.failed = True  # so that a lost connection is not mistaken for a bad archive
            raise

    def _take(self, size: int) -> bytes:
        whole = self._at == 0 and size >= len(self._block)
        part = self._block if whole else self._block[self._at : self._at + size]
        self._at += len(part)
        self._position += len(part)
        return part


class GzipTarStream(TarStream):
    """The tar in a gzip stream, inflated in a thread while earlier blocks are read.

    `read` and `seek` raise `Refused` too when the gzip stream is bad or expands beyond the limits.
    """

    def __init__(self, source: HashedSource, limits: Limits) -> None:
        super().__init__(ahead(gathered(self._inflate()), AHEAD))
        self.size = 0
        self._source = source
        self._limits = limits

    def _inflate(self) -> Iterator[bytes]:
        for block in gunzip(self._source):
            self.size += len(block)
            self._check_expansion()
            yield block

    def _check_expansion(self) -> None:
        limits, read = self._limits, self._source.size
        if self.size > limits.expanded_size:
            raise Refused("expansion-limit", f"Expands to more than {limits.expanded_size} bytes")
        if self.size > limits.ratio_from and self.size > limits.ratio * read:
            raise Refused("expansion-ratio", f"Expands to more than {limits.ratio} times its size")
