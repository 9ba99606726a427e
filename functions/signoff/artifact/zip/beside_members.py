"""Zip archives in a tar archive that are none of its members: they lie in its headers, in padding, or across members.

Python's zipfile counts back from the end record to the directory, whatever comes before; other readers, and its newer
versions for zip64, go where the records say, from the first byte on. What lies within one member is judged there.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from signoff.artifact.streams.readers import BLOCK
from signoff.artifact.zip.directory import CENTRAL, END_64, TrailingBytes, ambiguous

if TYPE_CHECKING:
    from collections.abc import Iterator

    from signoff.artifact.streams.readers import Reader

MOST_MARKS = 1_000_000  # a bound on memory: an archive has one for each entry
LATE = TrailingBytes.SIZE // 512 + 2  # members at the end that an end record may lie in: each has a header at least


class ZipBesideMembers:
    """Looks through a tar archive, of which it is told the members, for a zip archive that is none of them."""

    def __init__(self) -> None:
        self._tail = TrailingBytes()
        self._marks: set[int] = set()
        self._members: deque[range] = deque(maxlen=LATE)
        self._held, self._at = b"", 0

    def read(self, content: Reader) -> Iterator[bytes]:
        """Yield all of `content`, in blocks that were looked through."""
        while block := content.read(BLOCK):
            self._tail.add(block)
            data = self._held + block
            for mark in (CENTRAL, END_64):
                self._look(data, mark)
            kept = max(len(data) - len(CENTRAL) + 1, 0)
            self._held, self._at = data[kept:], self._at + kept
            yield block

    def add_member(self, begin: int, size: int) -> None:
        """Take a member's content, which is judged by itself."""
        self._members.append(range(begin, begin + size + 1))

    def check(self) -> None:
        """Judge all that was read. Raises `Refused` (`zip-ambiguous`)."""
        if not self._tail.holds_end():
            return
        found = self._tail.extent()
        if not any(found.begin in member and found.end in member for member in self._members):
            raise ambiguous("Ends like a zip archive too, which is no member of the tar archive: readers disagree")
        if len(self._marks) > MOST_MARKS or not self._marks.isdisjoint(found.stated):
            raise ambiguous("Has a zip archive's directory where the one in its last member says: readers disagree")

    def _look(self, data: bytes, mark: bytes) -> None:
        at = data.find(mark)
        while at >= 0 and len(self._marks) <= MOST_MARKS:
            self._marks.add(self._at + at)
            at = data.find(mark, at + 1)
