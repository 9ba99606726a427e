"""Zip archives in a tar archive that are none of its members: they lie in its headers, in padding, or across members.

Python's zipfile counts back from the end record to the directory, whatever comes before; other readers, and its newer
versions for zip64, go where the records say, from the first byte on. What lies within one member is judged there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from signoff.artifact.zip.directory import CENTRAL, END_64, TrailingBytes

if TYPE_CHECKING:
    from collections.abc import Collection

MOST_MARKS = 1_000_000  # a bound on memory: an archive has one for each entry


class ZipMarks:
    """Remembers where a tar archive has what begins a record of a zip archive's directory."""

    def __init__(self) -> None:
        self._marks: set[int] = set()
        self._held, self._at = b"", 0

    def feed(self, part: bytes) -> None:
        """Look through the next bytes."""
        data = self._held + part
        for mark in (CENTRAL, END_64):
            self._look(data, mark)
        kept = max(len(data) - len(CENTRAL) + 1, 0)
        self._held, self._at = data[kept:], self._at + kept

    def reason(self, tail: TrailingBytes, members: Collection[range]) -> str | None:
        """Return why the archive with this end is refused, of which each of the last `members` is judged by itself."""
        if not tail.holds_end():
            return None
        found = tail.extent()
        if not any(found.begin in member and found.end in member for member in members):
            return "Ends like a zip archive too, which is no member of the tar archive: readers disagree"
        if len(self._marks) > MOST_MARKS or not self._marks.isdisjoint(found.stated):
            return "Has a zip archive's directory where the one in its last member says: readers disagree"
        return None

    def _look(self, data: bytes, mark: bytes) -> None:
        at = data.find(mark)
        while at >= 0 and len(self._marks) <= MOST_MARKS:
            self._marks.add(self._at + at)
            at = data.find(mark, at + 1)
