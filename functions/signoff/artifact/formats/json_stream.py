"""JSON as a stream of tokens: only the open brackets and one string or small object are held in memory.

Whatever `json.loads` accepts yields the same values here. Some of what it would refuse is accepted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from signoff.artifact.streams.readers import BLOCK
from signoff.documents.patterns import compiled_on_use

if TYPE_CHECKING:
    from signoff.artifact.streams.readers import PeekableReader

MOST_DEEP = 5000  # objects in objects
MOST_PARTS = 20_000_000  # a bound on time: most parts of real files are small objects, one part each
LONGEST = 1024  # bytes of a string that is returned
LARGEST_LEAF = 64 * 1024  # bytes of an object without another in it that is read at once

# An object that holds no other and no list. Possessive, so that no bytes are tried twice.
_LEAF = compiled_on_use(rb'\{(?:[^{}\[\]"]++|"(?:[^"\\]++|\\.)*+")*+\}', re.DOTALL)
_STRING = compiled_on_use(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_REST = compiled_on_use(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)
_BLANKS = compiled_on_use(rb"[ \t\r\n]*")
_OTHER = compiled_on_use(rb"[-+.\w]+")

Token = tuple[str, Any, int]


class MalformedJson(Exception):
    """Raised where the JSON cannot be followed further, with the byte: Python's own reader would refuse it too."""


class JsonTooLarge(MalformedJson):
    """Raised where the JSON exceeds a limit, though Python's own reader might accept it."""


class JsonStream:
    """The tokens of one JSON text, read in blocks of `block` bytes."""

    def __init__(self, content: PeekableReader, block: int = BLOCK) -> None:
        self._content = content
        self._size = block
        self._base = content.offset
        self._block = b""
        self._at = 0
        self._ended = False
        self._open: list[bytes] = []
        self._parts = 0

    def tokens(self) -> Iterator[Token]:
        """Yield the kind, value and byte offset of each part. Raises `MalformedJson`, and what the reader raises.

        The kinds are `{`, `[`, `}`, `]`, `key` (its text), `text` (a string, or None for one that is long, a number or
        a constant), and `leaf`: an object that holds no other, as its keys and values.
        """
        while self._blanks():
            self._count()
            first, offset = self._block[self._at : self._at + 1], self._base + self._at
            if first == b"{" and (leaf := self._leaf()) is not None:
                yield "leaf", leaf, offset
            elif first in b"{[":
                self._begin(first)
                yield first.decode(), None, offset
            elif first in b"}]":
                self._end(first)
                yield first.decode(), None, offset
            elif first == b'"':
                text = self._string()
                yield ("key" if self._is_key() else "text"), text, offset
            elif first in b",:":
                self._at += 1
            else:
                self._number_or_constant()
                yield "text", None, offset
        if self._open:
            raise self._malformed("it ends too early")

    def _malformed(self, reason: str) -> MalformedJson:
        return MalformedJson(f"{reason}, at byte {self._base + self._at}")

    def _count(self) -> None:
        self._parts += 1
        if self._parts > MOST_PARTS or len(self._open) > MOST_DEEP:
            reason = f"it has more than {MOST_PARTS} parts, or nests more than {MOST_DEEP} deep"
            raise JsonTooLarge(f"{reason}, at byte {self._base + self._at}")

    def _begin(self, bracket: bytes) -> None:
        self._open.append(b"}" if bracket == b"{" else b"]")
        self._at += 1

    def _end(self, bracket: bytes) -> None:
        if not self._open or self._open.pop() != bracket:
            raise self._malformed("it closes a bracket that it did not open")
        self._at += 1

    def _more(self) -> bool:
        """Read more, and keep what has not been consumed."""
        parts = [self._block[self._at :]]
        wanted = self._size
        while wanted and (part := self._content.read(wanted)):
            parts.append(part)
            wanted -= len(part)
        self._ended = wanted > 0
        self._base += self._at
        self._block, self._at = b"".join(parts), 0
        return len(parts) > 1

    def _blanks(self) -> bool:
        """Pass over blanks; return whether something follows."""
        while True:
            self._at = _BLANKS.match(self._block, self._at).end()  # type: ignore[union-attr]  # it always matches
            if self._at < len(self._block):
                return True
            if not self._more():
                return False

    def _held(self, size: int) -> None:
        while len(self._block) - self._at < size and self._more():
            pass

    def _leaf(self) -> list[tuple[str, Any]] | None:
        found = _LEAF.match(self._block, self._at, self._at + LARGEST_LEAF)
        if not found and len(self._block) - self._at < LARGEST_LEAF and not self._ended:
            self._held(LARGEST_LEAF)
            found = _LEAF.match(self._block, self._at, self._at + LARGEST_LEAF)
        if not found:
            return None
        try:
            pairs: list[tuple[str, Any]] = json.loads(found[0], object_pairs_hook=list, parse_int=len)
        except ValueError:
            raise self._malformed("it has an object that cannot be read") from None
        self._at = found.end()
        return pairs

    def _string(self) -> str | None:
        self._held(LONGEST)
        found = _STRING.match(self._block, self._at, self._at + LONGEST)
        if not found:
            self._pass_string()
            return None
        self._at = found.end()
        try:
            return _decoded(found[0])
        except ValueError:
            raise self._malformed("it has a string that cannot be read") from None

    def _pass_string(self) -> None:
        self._at += 1
        while True:
            self._at = _REST.match(self._block, self._at).end()  # type: ignore[union-attr]  # it always matches
            if self._block[self._at : self._at + 1] == b'"':
                self._at += 1
                return
            if not self._more():
                raise self._malformed("it ends within a string")

    def _is_key(self) -> bool:
        return self._blanks() and self._block[self._at : self._at + 1] == b":"

    def _number_or_constant(self) -> None:
        self._held(LONGEST)
        found = _OTHER.match(self._block, self._at)
        if not found:
            raise self._malformed("it has something that is not JSON")
        self._at = found.end()


def _decoded(string: bytes) -> str:
    if b"\\" not in string and string.isascii() and string[1:-1].decode().isprintable():
        return string[1:-1].decode()  # most are, and this is faster
    text: str = json.loads(string)
    return text
