"""SentencePiece's vocabularies (`tokenizer.model`, `spiece.model`): pieces of words, and how texts are changed.

A protobuf message `ModelProto`
(https://github.com/google/sentencepiece/blob/master/src/sentencepiece_model.proto): pieces with a score and a type, and
descriptions of the training. Protobuf has no magic number, and other readers would pass over what they do not know; so
what begins as such a vocabulary has no field that it does not have, or is refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from signoff.artifact.formats.protobuf import BYTES, FIXED32, MAX_TAG, VARINT, MalformedMessage, WireReader
from signoff.artifact.streams.refusal import Refused
from signoff.documents.patterns import compiled_on_use

if TYPE_CHECKING:
    from signoff.artifact.context import Scan, ScanContext
    from signoff.artifact.streams.readers import PeekableReader

PIECE, LAST, EXTENSIONS = 1, 5, 200
PARTS = {1: BYTES, 2: FIXED32, 3: VARINT}  # of a piece: its text, its score, its type
LONGEST = 64 * 1024  # bytes of a piece
_BEGINNING = compiled_on_use(rb"\n.\n.[^\0-\x1f]{1,100}\x15.{4}(?:\x18.)?\n.\n", re.DOTALL)


def is_sentencepiece(head: bytes) -> bool:
    """Whether content that begins with `head` begins with two pieces of a vocabulary, the first of printable text."""
    return _BEGINNING.match(head) is not None


def sentencepiece(content: PeekableReader, _context: ScanContext, _scan: Scan) -> None:
    """Read a vocabulary to its end. Raises `Refused` (`unreadable-tokenizer`) where it has what none has."""
    wire = WireReader(content)
    try:
        while not wire.ended(None):
            _read_field(wire)
    except MalformedMessage as error:
        reason = f"Begins as a vocabulary of SentencePiece and cannot be read as one: it {error}, at byte {wire.offset}"
        raise Refused("unreadable-tokenizer", reason) from None


def _read_field(wire: WireReader) -> None:
    number, kind = _tag(wire, None)
    if kind != BYTES or LAST < number < EXTENSIONS:
        raise MalformedMessage(f"has a field {number} of wire type {kind}")
    until = wire.length(None)
    if number == PIECE:
        _read_piece(wire, until)
    else:
        wire.skip(until)


def _read_piece(wire: WireReader, end: int) -> None:
    if end - wire.offset > LONGEST:
        raise MalformedMessage(f"has a piece of more than {LONGEST} bytes")
    while not wire.ended(end):
        number, kind = _tag(wire, end)
        if PARTS.get(number) != kind:
            raise MalformedMessage(f"has a piece with a field {number} of wire type {kind}")
        if kind == BYTES:
            wire.skip(wire.length(end))
        else:
            wire.skip_number(kind, end)


def _tag(wire: WireReader, end: int | None) -> tuple[int, int]:
    tag = wire.number(end)
    if not tag >> 3 > 0 or tag > MAX_TAG:
        raise MalformedMessage(f"has a field of number {tag >> 3}")
    return tag >> 3, tag & 7
