"""Universal Binary JSON, in which XGBoost writes models (https://ubjson.org/): read to its end, nothing kept.

A file that was cut off is no model. XGBoost reads draft 12 with typed arrays (`src/common/json.cc`, `UBJReader`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from signoff.artifact.streams.refusal import Refused

if TYPE_CHECKING:
    from signoff.artifact.context import Scan, ScanContext
    from signoff.artifact.streams.readers import PeekableReader

MOST_DEEP = 1000
MOST_VALUES = 20_000_000  # a bound on time: arrays of numbers count as one
_SIZES = {**dict.fromkeys(b"ZNTF", 0), **dict.fromkeys(b"iUC", 1), ord("I"): 2, **dict.fromkeys(b"ld", 4)}
_SIZES |= dict.fromkeys(b"LD", 8)
_OBJECT, _ARRAY = b"{", b"["
_CLOSING = {_OBJECT: b"}", _ARRAY: b"]"}


def ubjson(content: PeekableReader, _context: ScanContext, _scan: Scan) -> None:
    """Read one value to its end. Raises `Refused` (`unreadable-ubjson`) where it is cut off or damaged."""
    reader = _Reader(content)
    reader.value()
    if content.peek(1):
        raise reader.damaged("something follows its end")


class _Reader:
    def __init__(self, content: PeekableReader) -> None:
        self._content = content
        self._values = 0
        self._open: list[tuple[bytes, int | None]] = []  # what is open, and how many values are still to come

    def damaged(self, reason: str) -> Refused:
        return Refused(
            "unreadable-ubjson", f"Is UBJSON that is cut off or damaged: {reason}, at byte {self._content.offset}"
        )

    def value(self) -> None:
        """Pass over one value with all that it holds, without recursion."""
        self._begin(self._marker())
        while self._open:
            kind, left = self._open.pop()
            if left == 0 or (left is None and self._content.peek(1) == _CLOSING[kind]):
                if left is None:
                    self._exactly(1)
                continue
            self._open.append((kind, None if left is None else left - 1))
            if kind == _OBJECT:
                self._skip(self._length())
            self._begin(self._marker())

    def _begin(self, marker: bytes) -> None:
        self._values += 1
        if self._values > MOST_VALUES or len(self._open) > MOST_DEEP:
            raise self.damaged(f"it has more than {MOST_VALUES} values, or nests more than {MOST_DEEP} deep")
        if marker in _CLOSING:
            self._container(marker)
        elif marker in (b"S", b"H"):
            self._skip(self._length())
        elif marker and marker[0] in _SIZES:
            self._skip(_SIZES[marker[0]])
        else:
            raise self.damaged(f"{marker!r} is no value")

    def _container(self, marker: bytes) -> None:
        kind = self._marker_if(b"$") and self._exactly(1)
        count = self._length() if self._marker_if(b"#") else None
        if kind and count is None:
            raise self.damaged("an array has a type and no size")
        if not kind:
            self._open.append((marker, count))
        elif marker == _ARRAY and kind[0] in _SIZES:
            self._skip(_SIZES[kind[0]] * (count or 0))
        else:
            raise self.damaged("an object, or an array of other than numbers, has a type")

    def _marker(self) -> bytes:
        while (marker := self._exactly(1)) == b"N":
            pass  # no-op
        return marker

    def _marker_if(self, marker: bytes) -> bool:
        return self._content.peek(1) == marker and bool(self._exactly(1))

    def _length(self) -> int:
        marker = self._exactly(1)
        if marker not in (b"i", b"U", b"I", b"l", b"L"):
            raise self.damaged(f"{marker!r} is no size")
        length = int.from_bytes(self._exactly(_SIZES[marker[0]]), "big", signed=marker != b"U")
        if length < 0:
            raise self.damaged("a size is negative")
        return length

    def _exactly(self, size: int) -> bytes:
        part = self._content.read(size)
        while len(part) < size and (more := self._content.read(size - len(part))):
            part += more
        if len(part) < size:
            raise self.damaged("it ends too early")
        return part

    def _skip(self, size: int) -> None:
        if self._content.skip(size) < size:
            raise self.damaged("it ends too early")
