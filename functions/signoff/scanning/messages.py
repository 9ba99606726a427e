"""Protobuf messages as a stream: the texts that are asked for, in the messages that are named; all else is skipped."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from signoff.scanning.wire import BYTES, Malformed, Wire

MAX_DEPTH = 100  # protobuf's own limit for messages in messages
MAX_TEXT = 64 * 1024  # bytes of a name that is read; protobuf itself would take 2 GB
MAX_FIELDS = 10_000_000  # of messages that are looked into: a bound on time

Fields = Mapping[str, Mapping[int, str]]
"""By a message's name and a field's number: the name of the message in it, or of the text."""

Note = Callable[[str, dict[str, str], int], None]
"""Takes a message's name, its texts by their names, and the byte that it begins at. May raise `Malformed`."""


class Messages:
    """Reads messages of a schema and calls `note` at the end of each."""

    def __init__(self, wire: Wire, messages: Fields, texts: Fields, note: Note) -> None:
        self._wire = wire
        self._messages = messages
        self._texts = texts
        self._note = note
        self._fields = 0

    def read(self, kind: str, end: int | None = None, depth: int = 1) -> None:
        """Read a message that ends at `end`, or with the content. Raises `Malformed`."""
        if depth > MAX_DEPTH:
            raise Malformed(f"has messages more than {MAX_DEPTH} deep")
        begin = self._wire.offset
        texts: dict[str, str] = {}
        while not self._wire.ended(end):
            self._field(kind, end, depth, texts)
        self._note(kind, texts, begin)

    def _field(self, kind: str, end: int | None, depth: int, texts: dict[str, str]) -> None:
        self._fields += 1
        if self._fields > MAX_FIELDS:
            raise Malformed(f"has more than {MAX_FIELDS} fields")
        tag = self._wire.number(end)
        number, wire = tag >> 3, tag & 7
        if not number:
            raise Malformed("has a field of number 0")
        if wire != BYTES:
            self._wire.skip_number(wire, end)
            return
        until = self._wire.length(end)
        if inner := self._messages.get(kind, {}).get(number):
            self.read(inner, until, depth + 1)
        elif name := self._texts.get(kind, {}).get(number):
            texts[name] = self._text(until)
        else:
            self._wire.skip(until)

    def _text(self, until: int) -> str:
        size = until - self._wire.offset
        if size > MAX_TEXT:
            raise Malformed(f"has a name of {size} bytes; at most {MAX_TEXT} are read")
        return self._wire.taken(until).decode("utf-8", "surrogateescape")
