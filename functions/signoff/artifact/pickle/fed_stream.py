"""A pickle's stream that is fed with what another reader passes over, and waits where there is no more yet."""

from __future__ import annotations

from signoff.artifact.pickle.stream import PickleStream, TruncatedPickle
from signoff.artifact.streams.readers import PeekableReader


class Starved(Exception):
    """Raised where the bytes end that were fed so far."""


class _Nothing:
    def read(self, _size: int) -> bytes:
        return b""


class FedStream(PickleStream):
    """Holds at most a line of `LONGEST_LINE` bytes and what was fed last."""

    def __init__(self, base: int = 0) -> None:
        super().__init__(PeekableReader(_Nothing()))
        self.base = base
        self._ended = False
        self._owed = 0  # bytes that are to be passed over when they come
        self._in_line = False  # whether all is to be passed over to the next end of a line

    def feed(self, data: bytes) -> None:
        """Take the bytes that follow."""
        needed = self._needed(data)
        self.base += self.at + len(data) - len(needed)
        self.block, self.at = self.block[self.at :] + needed, 0

    def end(self) -> None:
        """Take it that nothing follows. Raises `TruncatedPickle` when it ends in the middle of an argument."""
        self._ended = True
        if self._owed or self._in_line:
            raise TruncatedPickle("Ends in the middle of an argument", self.position)

    def ahead(self, size: int) -> int:
        """Return how many bytes are held from `at` on. Raises `Starved` when they are fewer than `size`."""
        held = len(self.block) - self.at
        if held < size and not self._ended:
            raise Starved
        return held

    def skip(self, size: int) -> None:
        """Pass over `size` bytes, also of those to come."""
        held = min(size, len(self.block) - self.at)
        self.at += held
        self._owed = size - held
        if self._ended:
            self.end()

    def _needed(self, data: bytes) -> bytes:
        if self._in_line:
            end = data.find(b"\n")
            self._in_line = end < 0
            data = b"" if end < 0 else data[end + 1 :]
        passed = min(self._owed, len(data))
        self._owed -= passed
        return data[passed:]

    def _pass_line(self) -> None:
        end = self.block.find(b"\n", self.at)
        self._in_line = end < 0
        self.at = len(self.block) if end < 0 else end + 1
