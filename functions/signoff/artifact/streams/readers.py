"""Readers of content, at any nesting depth: read forward once, in bounded memory.

Nothing is extracted, imported or run. Content that cannot be read raises `Refused`.
"""

from __future__ import annotations

import hashlib
from typing import Protocol

from signoff.artifact.streams.refusal import Truncated

PEEK = 4096  # bytes that may be looked at before they are read
BLOCK = 256 * 1024  # bytes that are read at once, and so held


class Reader(Protocol):
    """Bytes that are read forward once."""

    def read(self, size: int) -> bytes:
        """Return at most `size` of the next bytes, and none only at the end. May raise `Refused`."""


class HashingReader:
    """A reader that hashes what is read through it."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._hash = hashlib.sha256()

    def read(self, size: int) -> bytes:
        """Return at most `size` of the next bytes, and none only at the end."""
        part = self._reader.read(size)
        self._hash.update(part)
        return part

    def sha256(self) -> str:
        """Return the SHA-256 of everything, after reading what is left."""
        while self.read(BLOCK):
            pass
        return self._hash.hexdigest()


class PeekableReader:
    """A reader with a lookahead that knows its offset."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._ahead = b""
        self.offset = 0

    def peek(self, size: int) -> bytes:
        """Return the next `size` bytes (at most `PEEK`), fewer at the end, without consuming them."""
        if size > PEEK:
            raise ValueError(f"{size} bytes are more than may be looked at: {PEEK}")
        while len(self._ahead) < size and (more := self._reader.read(size - len(self._ahead))):
            self._ahead += more
        return self._ahead[:size]

    def read(self, size: int) -> bytes:
        """Return at most `size` of the next bytes, and none only at the end."""
        if self._ahead:
            part, self._ahead = self._ahead[:size], self._ahead[size:]
        else:
            part = self._reader.read(size)
        self.offset += len(part)
        return part

    def exactly(self, size: int) -> bytes:
        """Return exactly `size` (few) bytes. Raises `Truncated` when there are fewer."""
        parts = []
        while size:
            part = self.read(min(size, BLOCK))
            if not part:
                raise Truncated(self.offset)
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def skip(self, size: int) -> int:
        """Skip `size` bytes, or all that are left; return how many were skipped."""
        before = self.offset
        while size and (part := self.read(min(size, BLOCK))):
            size -= len(part)
        return self.offset - before

    def drain(self) -> int:
        """Skip all remaining bytes; return how many there were."""
        before = self.offset
        while self.read(BLOCK):
            pass
        return self.offset - before


class BoundedReader:
    """A reader of the next `size` bytes of another. Raises `Truncated` when there are fewer."""

    def __init__(self, whole: PeekableReader, size: int) -> None:
        self._whole = whole
        self.left = size

    def read(self, size: int) -> bytes:
        """Return at most `size` of the part's next bytes, and none only at its end."""
        wanted = min(size, self.left)
        if not wanted:
            return b""
        part = self._whole.read(wanted)
        if not part:
            raise Truncated(self._whole.offset)
        self.left -= len(part)
        return part

    def drain(self) -> None:
        """Skip the remaining bytes."""
        while self.read(BLOCK):
            pass


class PrefixedReader:
    """A reader of bytes that were already read, followed by the rest."""

    def __init__(self, before: bytes, following: Reader) -> None:
        self._before = memoryview(before)
        self._following = following

    def read(self, size: int) -> bytes:
        """Return at most `size` of the next bytes, and none only at the end."""
        part, self._before = bytes(self._before[:size]), self._before[size:]
        return part or self._following.read(size)
