"""A pickle's opcodes and arguments as a stream: long arguments are skipped and never held in memory."""

from __future__ import annotations

import pickletools
from typing import TYPE_CHECKING, Protocol

from signoff.artifact.streams.readers import BLOCK
from signoff.artifact.streams.refusal import Refused

if TYPE_CHECKING:
    from signoff.artifact.streams.readers import PeekableReader

LONGEST_LINE = 64 * 1024  # bytes of an argument that ends with its line
LONGEST_KEPT = 128  # bytes of a counted argument that is kept; no legitimate name is as long
NEEDED = 9  # bytes of the longest opcode with an argument of fixed size

LINE, TWO_LINES, TEXT_LINE = -1, -10, -11
COUNTED = {pickletools.TAKEN_FROM_ARGUMENT1: 1, pickletools.TAKEN_FROM_ARGUMENT4: 4}
COUNTED |= {pickletools.TAKEN_FROM_ARGUMENT4U: 4, pickletools.TAKEN_FROM_ARGUMENT8U: 8}


class Follower(Protocol):
    """Reads the same bytes in another way."""

    def feed(self, data: bytes) -> object:
        """Take the bytes that come next."""

    def end(self) -> object:
        """Take it that nothing more comes."""


class UnreadablePickle(Refused):
    """Raised when a pickle cannot be followed further."""

    def __init__(self, reason: str, at: int) -> None:
        super().__init__("unreadable-pickle", f"{reason} (byte {at})")


class InvalidPickle(UnreadablePickle):
    """Raised where Python's own unpickler would fail too, so that nothing after it matters."""


class TruncatedPickle(InvalidPickle):
    """Raised when a pickle ends before its STOP."""


def size_of_argument(opcode: pickletools.OpcodeInfo) -> int:
    """Return how many bytes an opcode's argument has; negative: see `Stream.argument`."""
    if opcode.arg is None:
        return 0
    special = {"GLOBAL": TWO_LINES, "INST": TWO_LINES, "STRING": TEXT_LINE, "UNICODE": TEXT_LINE}
    return special.get(opcode.name, opcode.arg.n)


class PickleStream:
    """The bytes of one content with a position in it, some of them held.

    `block`, `at` and `base` (the block's offset) are public for the opcode loop, which takes most of the time.
    """

    def __init__(self, content: PeekableReader) -> None:
        self._content = content
        self.base = content.offset
        self.block = b""
        self.at = 0
        self._beside: list[Follower] = []

    @property
    def position(self) -> int:
        """The offset of the next byte in the content."""
        return self.base + self.at

    def ahead(self, size: int) -> int:
        """Buffer `size` bytes from `at` on; return how many there are, fewer at the end."""
        while len(self.block) - self.at < size:
            more = self._read(BLOCK)
            if not more:
                break
            self.base += self.at
            self.block, self.at = self.block[self.at :] + more, 0
        return len(self.block) - self.at

    def let_follow(self, other: Follower) -> None:
        """Feed `other` with all from the next byte on, as it is read."""
        self._beside.append(other)
        other.feed(self.block[self.at :])

    def _read(self, size: int) -> bytes:
        part = self._content.read(size)
        for other in self._beside:
            if part:
                other.feed(part)
            else:
                other.end()
        return part

    def _pass(self, size: int) -> int:
        if not self._beside:
            return self._content.skip(size)
        left = size
        while left and (part := self._read(min(left, BLOCK))):
            left -= len(part)
        return size - left

    def exactly(self, size: int) -> bytes:
        """Return the next `size` bytes; ask for few. Raises `UnreadablePickle` when there are fewer."""
        if self.ahead(size) < size:
            raise TruncatedPickle("Ends in the middle of an opcode's argument", self.position)
        self.at += size
        return self.block[self.at - size : self.at]

    def skip(self, size: int) -> None:
        """Pass over `size` bytes. Raises `UnreadablePickle` when there are fewer."""
        held = min(size, len(self.block) - self.at)
        self.at += held
        if held < size:
            passed = self._pass(size - held)
            self.base += passed
            if held + passed < size:
                raise TruncatedPickle(f"Ends before the {size} bytes that it declares", self.position)

    def line(self, most: int = LONGEST_LINE) -> bytes:
        """Return the next line without its end; of one longer than `most` bytes only its first `most` + 1.

        A line that does not end lacks its last byte, as in Python's unpickler in Python (`pickle._Unpickler`), which
        joblib uses; the one in C fails there.
        """
        if (end := self._end_of_line(most)) < 0:
            held = self.ahead(most + 1)
            end = self._end_of_line(most)
            if end < 0 and held <= most:
                return self.exactly(held)[:-1]
        if end < 0:
            begin = self.block[self.at : self.at + most + 1]
            self._pass_line()
            return begin
        text, self.at = self.block[self.at : end], end + 1
        return text

    def _end_of_line(self, most: int) -> int:
        return self.block.find(b"\n", self.at, self.at + most + 1)

    def _pass_line(self) -> None:
        while (end := self.block.find(b"\n", self.at)) < 0:
            self.at = len(self.block)
            if not self.ahead(1):
                raise TruncatedPickle("Ends in the middle of a line", self.position)
        self.at = end + 1

    def argument(self, size: int) -> bytes | None:
        """Return an argument: of a line that is too long its beginning, None of what is counted and too long."""
        if size == pickletools.TAKEN_FROM_ARGUMENT1 and self.at + 1 + 0xFF < len(self.block):
            count = self.block[self.at]  # by far the most frequent, so first and without a further call
            self.at += 1 + count
            return self.block[self.at - count : self.at] if count <= LONGEST_KEPT else None
        if size == LINE:
            return self.line()
        if size == TEXT_LINE:
            return self.line(LONGEST_KEPT)
        if size == TWO_LINES:
            return self.line() + b"\n" + self.line()
        count = int.from_bytes(self.exactly(COUNTED[size]), "little", signed=size == pickletools.TAKEN_FROM_ARGUMENT4)
        if count < 0:
            raise InvalidPickle("Has an argument of negative size", self.position)
        if count <= LONGEST_KEPT:
            return self.exactly(count)
        self.skip(count)
        return None
