"""Protobuf's wire format as a stream: numbers, and bytes of a given length, with at most a block of them in memory."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from signoff.artifact.streams.readers import BLOCK

if TYPE_CHECKING:
    from signoff.artifact.streams.readers import PeekableReader


MAX_DEPTH = 100  # protobuf's own limit for messages in messages
MAX_TEXT = 64 * 1024  # bytes of a name that is read; protobuf itself would take 2 GB
MAX_FIELDS = 10_000_000  # fields of parsed messages: a bound on time
MAX_TAG = 0xFFFFFFFF  # some parsers drop the bits above these, and so read another field

Fields = Mapping[str, Mapping[int, str]]
"""By a message's name and a field's number: the name of the message in it, or of the text."""

_Read = Callable[[str, int, int, dict[str, str]], None]
"""Reads a field: takes what it is called, the byte that it ends at, how deep it lies, and the texts of its message."""

Note = Callable[[str, dict[str, str], int], None]
"""Takes a message's name, its texts by their names, and the byte that it begins at. May raise `MalformedMessage`."""


class MessageReader:
    """Reads messages of a schema and calls `note` at the end of each.

    A text may have `MAX_TEXT` bytes, or as many as `longest` says by its name. Of a text that a message has twice, the
    last counts, as it does for every parser (https://protobuf.dev/programming-guides/encoding/#last-one-wins); of a
    field in `each`, which is repeated, every text is noted under its own name. Messages that come twice are all read. A
    message of a kind in `marks` whose pattern matches nothing in it is passed over. Groups, which no schema here has,
    and tags of more than 32 bits are refused; with `lenient`, groups are passed over as unknown fields are, and tags
    cut off as C++ does.
    """

    def __init__(
        self,
        wire: WireReader,
        messages: Fields,
        texts: Fields,
        note: Note,
        each: Fields = MappingProxyType({}),
        longest: Mapping[str, int] = MappingProxyType({}),
        marks: Mapping[str, re.Pattern[bytes]] = MappingProxyType({}),
        *,
        lenient: bool = False,
    ) -> None:
        self._wire = wire
        self._note = note
        self._longest = longest
        self._marks = marks
        self._lenient = lenient
        self._fields = 0
        self._known: dict[str, dict[int, tuple[_Read, str]]] = {}
        for fields, read in ((each, self._noted), (texts, self._text), (messages, self._inner)):
            for kind, names in fields.items():
                self._known.setdefault(kind, {}).update((number, (read, name)) for number, name in names.items())

    def read(self, kind: str, end: int | None = None, depth: int = 1) -> None:
        """Read a message that ends at `end`, or with the content. Raises `MalformedMessage`."""
        if depth > MAX_DEPTH:
            raise MalformedMessage(f"has messages more than {MAX_DEPTH} deep")
        begin, known = self._wire.offset, self._known.get(kind, {})
        texts: dict[str, str] = {}
        while not self._wire.ended(end):
            self._fields += 1
            if self._fields > MAX_FIELDS:
                raise MessageTooLarge(f"has more than {MAX_FIELDS} fields")
            number, wire = self._tag(end)
            if wire == BYTES:
                until = self._wire.length(end)
                if number in known:
                    read, name = known[number]
                    read(name, until, depth, texts)
                else:
                    self._wire.skip(until)
            elif wire == GROUP and self._lenient:
                self._wire.skip_group(number, end, depth + 1)
            else:
                self._wire.skip_number(wire, end)
        self._note(kind, texts, begin)

    def _tag(self, end: int | None) -> tuple[int, int]:
        """Return the number and the wire type of the next field."""
        tag = self._wire.number(end)
        if self._lenient:
            tag &= MAX_TAG
        if not tag >> 3 or tag > MAX_TAG:
            raise MalformedMessage(f"has a field of number {tag >> 3}")
        return tag >> 3, tag & 7

    def _inner(self, kind: str, until: int, depth: int, _texts: dict[str, str]) -> None:
        mark, held = self._marks.get(kind), self._wire.held(until)
        if mark and held is not None and not mark.search(held):
            self._wire.skip(until)
        else:
            self.read(kind, until, depth + 1)

    def _text(self, name: str, until: int, _depth: int, texts: dict[str, str]) -> None:
        texts[name] = self._taken(until, self._longest.get(name, MAX_TEXT))

    def _noted(self, name: str, until: int, _depth: int, _texts: dict[str, str]) -> None:
        self._note(name, {name: self._taken(until, MAX_TEXT)}, self._wire.offset)

    def _taken(self, until: int, most: int) -> str:
        size = until - self._wire.offset
        if size > most:
            raise MessageTooLarge(f"has a name of {size} bytes; at most {most} are read")
        return self._wire.taken(until).decode("utf-8", "surrogateescape")


VARINT, FIXED64, BYTES, GROUP, END_OF_GROUP, FIXED32 = range(6)
MAX_VARINT = 10  # bytes: 64 bits, seven to a byte


class MalformedMessage(Exception):
    """Raised when content is not valid protobuf; the message continues a sentence after "it"."""


class MessageTooLarge(MalformedMessage):
    """Raised when content exceeds a limit, and may be valid protobuf."""


class WireReader:
    """Reads protobuf fields; each `end` is the offset where their message ends, None for the end of the content."""

    def __init__(self, content: PeekableReader) -> None:
        self._content = content
        self._block = b""
        self._at = 0
        self._passed = 0

    @property
    def offset(self) -> int:
        """How many bytes have been read."""
        return self._passed + self._at

    def ended(self, end: int | None) -> bool:
        """Whether a message is at its end."""
        if end is not None:
            return self._passed + self._at >= end
        return self._at == len(self._block) and not self._fill()

    def number(self, end: int | None) -> int:
        """Return the next varint. Raises `MalformedMessage`."""
        at = self._at
        if at < len(self._block) and (end is None or self._passed + at < end) and self._block[at] < 0x80:
            self._at += 1
            return self._block[at]  # most have one byte, and this is faster
        value = 0
        for shift in range(0, 7 * MAX_VARINT, 7):
            byte = self._byte(end)
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise MalformedMessage("has a number of more than 64 bits")

    def length(self, end: int | None) -> int:
        """Return the offset that the field which begins here ends at. Raises `MalformedMessage`."""
        size = self.number(end)
        until = self._passed + self._at + size
        if end is not None and until > end:
            raise MalformedMessage("has a field that is longer than the message it is in")
        return until

    def taken(self, until: int) -> bytes:
        """Return the bytes up to an offset; keep them few. Raises `MalformedMessage`."""
        parts = []
        while (left := until - self.offset) > 0:
            if self._at == len(self._block) and not self._fill():
                raise MalformedMessage("ends inside a field")
            part = self._block[self._at : self._at + left]
            self._at += len(part)
            parts.append(part)
        return b"".join(parts)

    def held(self, until: int) -> bytes | None:
        """Return the bytes up to an offset without passing over them, or None when they are not all held."""
        return self._block[self._at : until - self._passed] if until - self._passed <= len(self._block) else None

    def skip(self, until: int) -> None:
        """Pass over the bytes up to an offset. Raises `MalformedMessage`."""
        if self._at <= until - self._passed <= len(self._block):
            self._at = until - self._passed  # most end in what is held, and this is faster
            return
        while (left := until - self.offset) > 0:
            if self._at == len(self._block) and not self._fill():
                raise MalformedMessage("ends inside a field")
            self._at += min(left, len(self._block) - self._at)

    def skip_number(self, wire: int, end: int | None) -> None:
        """Pass over a field that is no bytes. Raises `MalformedMessage`."""
        if wire == VARINT:
            self.number(end)
            return
        if wire not in (FIXED64, FIXED32):
            raise MalformedMessage(f"has a field of wire type {wire}")
        until = self.offset + (8 if wire == FIXED64 else 4)
        if end is not None and until > end:
            raise MalformedMessage("has a field that is longer than the message it is in")
        self.skip(until)

    def skip_group(self, number: int, end: int | None, depth: int) -> None:
        """Pass over a group to the end that has its number. Raises `MalformedMessage`."""
        if depth > MAX_DEPTH:
            raise MalformedMessage(f"has messages more than {MAX_DEPTH} deep")
        while (tag := self.number(end) & MAX_TAG) != (number << 3 | END_OF_GROUP):
            wire = tag & 7
            if wire == GROUP:
                self.skip_group(tag >> 3, end, depth + 1)
            elif wire == BYTES:
                self.skip(self.length(end))
            else:
                self.skip_number(wire, end)

    def _byte(self, end: int | None) -> int:
        if self.ended(end) or (self._at == len(self._block) and not self._fill()):
            raise MalformedMessage("ends inside a field")
        byte = self._block[self._at]
        self._at += 1
        return byte

    def _fill(self) -> bool:
        self._passed += len(self._block)
        self._block, self._at = self._content.read(BLOCK), 0
        return bool(self._block)


def number_in(data: bytes, at: int) -> tuple[int, int]:
    """Return the varint of `data` at `at` and where it ends; -1 and the data's end when it does not."""
    value = 0
    for index, byte in enumerate(data[at : at + MAX_VARINT]):
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value, at + index + 1
    return -1, len(data)
