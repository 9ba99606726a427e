"""Pickles in HDF5: PyTables, and so pandas, loads a text in an attribute that is one, and each object of a VLArray.

It does so in any HDF5 file, whoever wrote it (`tables.attributeset`, `tables.atom.ObjectAtom`). A text of fixed size is
in its attribute's message, "IV.A.2.m", other texts and objects are in global heaps, "III.E", of
https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html. Both are found by their own bytes, wherever they
lie. What names nothing runs nothing: texts without the opcode or the lines that do so are passed over.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from signoff.artifact.context import FindingCollector
from signoff.artifact.formats.hdf5_references import every
from signoff.artifact.pickle.ambiguity import FedMachine
from signoff.artifact.pickle.fed_stream import FedStream, Starved
from signoff.artifact.pickle.opcodes import TABLE
from signoff.artifact.pickle.scanner import PickleFindings
from signoff.artifact.pickle.stream import InvalidPickle, UnreadablePickle
from signoff.artifact.streams.readers import BLOCK
from signoff.artifact.streams.refusal import Refused
from signoff.documents.patterns import compiled_on_use

if TYPE_CHECKING:
    from collections.abc import Callable

    from signoff.artifact.context import ScanContext

# A version, flags, three sizes, an encoding in version 3; then the first of a name's characters, up to its zero.
_MESSAGE = rb"[\1-\3](?=[\0-\xff]{7}[\0\1]?[^\0-\x1f\x7f]++\0)"
_ATTRIBUTE = compiled_on_use(_MESSAGE)
# In an object's header of version 1, "IV.A.1.a", a message is behind its type, its size, flags, and what is reserved.
_IN_OLD_HEADER = compiled_on_use(rb"\x0c\0(?=[\0-\xff]{6}(?:%s))" % _MESSAGE)
_OLD_HEADER = 8  # bytes of these
_NEW_HEADERS = (b"OHDR", b"OCHK", b"FHDB")  # before all other messages; nobody but their readers looks for them
# "III.G": a heap that has objects elsewhere, as an attribute may be then; the address of their index is not all ones.
_APART = compiled_on_use(rb"FRHP[\0-\xff]{18}(?!\xff{8})[\0-\xff]{8}")
_ATTRIBUTE_HEAD = struct.Struct("<2B3H")
_SHARED = 1  # a flag: the type is kept elsewhere
_STRING, _STRING_SIZE = 3, struct.Struct("<4xL")  # a type's class, and where its size is
_ANY_SIZE = 1 << 40  # bytes
_HEAP = b"GCOL\1"
_HEAP_HEAD = struct.Struct("<8xQ")
_OBJECT = struct.Struct("<H6xQ")
_NAMES_FROM_STACK = b"\x93"  # what names something has this opcode, or its names in two lines
_FARTHEST = 3 * (1 << 16) + 32  # bytes from where an attribute begins to its value
_AT_ONCE = 4 * BLOCK  # bytes: what follows them is looked through twice
MOST = 10_000  # of what is followed at once: a bound on memory and time


class _Span(NamedTuple):
    """Where something is in the file."""

    begin: int
    end: int


class _Followed:
    """A value that is loaded if it is a pickle, followed as it is read."""

    def __init__(self, span: _Span, findings: FindingCollector) -> None:
        self.span = span
        self.ended = False
        self._collected = findings
        self._findings = PickleFindings(findings)
        self._stream = FedStream(span.begin)
        trusted = findings.context.trusted.names
        self._machine = FedMachine(self._stream, self._findings.report, TABLE, trusted=trusted)

    def feed(self, data: bytes) -> None:
        """Follow the bytes that come next."""
        self._stream.feed(data)
        self._run(self._machine.run)

    def end(self) -> None:
        """Take it that nothing more comes."""
        if not self.ended:
            self._run(self._stream.end)
        if not self.ended:
            self._run(self._machine.run)

    def _run(self, step: Callable[[], object]) -> None:
        """Go a step on; report what is forbidden, once it is a pickle or has run something before it fails."""
        try:
            step()
        except Starved:
            return
        except InvalidPickle:
            self.ended = True
        except UnreadablePickle as error:
            self.ended = True
            self._collected.report(error.rule, str(error))
        self.ended = self.ended or self._machine.stopped
        if self.ended:
            if not (self._machine.acts or self._machine.stopped):
                self._findings.drop()
            self._findings.end()


class Pickles:
    """Looks through a file for values that are pickles, and reports what is forbidden in them."""

    def __init__(self, context: ScanContext) -> None:
        self._findings = FindingCollector(context)
        self._held, self._at = b"", 0
        self._heaps: list[_Span] = []
        self._followed: list[_Followed] = []
        self._is_new = False

    def look(self, part: bytes) -> None:
        """Look through the next bytes. Raises `Refused` (`unreadable-pickle`) for more than are followed."""
        self._held += part
        if len(self._held) >= _FARTHEST + _AT_ONCE:
            self._pass(len(self._held) - _FARTHEST)

    def conclude(self) -> None:
        """Look through what is left, at the end of the file. Raises `Refused` (`unreadable-pickle`)."""
        self._pass(len(self._held))
        for followed in self._followed:
            followed.end()

    def _pass(self, size: int) -> None:
        """Judge all that begins in the first bytes that are held, and let go of these."""
        if any(_APART.match(self._held, at) for at in every(self._held, b"FRHP")):
            raise Refused("unreadable-pickle", "Has a heap with objects elsewhere, where attributes are not found")
        self._is_new = self._is_new or any(mark in self._held for mark in _NEW_HEADERS)
        pattern, before = (_ATTRIBUTE, 0) if self._is_new else (_IN_OLD_HEADER, _OLD_HEADER)
        for found in pattern.finditer(self._held):
            if found.start() >= size:
                break
            if span := self._value(found.start() + before):
                self._judge(span)
        for at in every(self._held, _HEAP):
            if at < size:
                self._add_heap(self._at + at)
        self._heaps = [heap for heap in map(self._judge_objects, self._heaps) if heap]
        self._follow(size)
        self._held, self._at = self._held[size:], self._at + size

    def _value(self, begin: int) -> _Span | None:
        """Return where the value is of the attribute that may begin there, None where it is no text."""
        version, flags, name, type_, space = _ATTRIBUTE_HEAD.unpack_from(self._held, begin)
        unit = 8 if version == 1 else 1  # bytes: each part is filled up to a multiple
        at = begin + _ATTRIBUTE_HEAD.size + (version == 3)
        type_at = at + name + -name % unit
        value_at = type_at + type_ + -type_ % unit + space + -space % unit
        if not name or self._held[at + name - 1 : at + name] != b"\0" or len(self._held) <= value_at:
            return None
        if version > 1 and flags & _SHARED:
            return _Span(self._at + value_at, self._at + value_at + _ANY_SIZE)
        if self._held[type_at] & 0x0F != _STRING:
            return None
        (size,) = _STRING_SIZE.unpack_from(self._held, type_at)
        return _Span(self._at + value_at, self._at + value_at + size)

    def _add_heap(self, begin: int) -> None:
        if len(self._held) >= begin - self._at + _HEAP_HEAD.size:
            (size,) = _HEAP_HEAD.unpack_from(self._held, begin - self._at)
            self._heaps.append(_Span(begin + _HEAP_HEAD.size, begin + size))
        self._bound(self._heaps)

    def _judge_objects(self, heap: _Span) -> _Span | None:
        """Judge the objects whose heads are held; return where the others are of the heap, None where none are."""
        at, end = heap
        while at + _OBJECT.size <= min(end, self._at + len(self._held)):
            number, size = _OBJECT.unpack_from(self._held, at - self._at)
            if number:
                self._judge(_Span(at + _OBJECT.size, at + _OBJECT.size + size))
            elif size < _OBJECT.size:
                return None
            at += _OBJECT.size + size + -size % 8 if number else size
        return _Span(at, end) if at + _OBJECT.size <= end else None

    def _judge(self, span: _Span) -> None:
        """Judge a value, now or as soon as it is read."""
        value = self._held[span.begin - self._at : span.end - self._at] if span.begin >= self._at else b""
        whole = len(value) == span.end - span.begin
        if whole and _NAMES_FROM_STACK not in value and value.count(b"\n") < 2:
            return
        followed = _Followed(span, self._findings)
        if whole:
            followed.feed(value)
            followed.end()
        else:
            self._followed.append(followed)
            self._bound(self._followed)

    def _follow(self, size: int) -> None:
        """Let what is followed take its part of the first bytes that are held."""
        for followed in self._followed:
            begin, end = followed.span
            if part := self._held[max(begin - self._at, 0) : max(min(end - self._at, size), 0)]:
                followed.feed(part)
            if end <= self._at + size:
                followed.end()
        self._followed = [followed for followed in self._followed if not followed.ended]

    def _bound(self, several: list[_Span] | list[_Followed]) -> None:
        if len(several) > MOST:
            raise Refused("unreadable-pickle", f"Has more than {MOST} values that may be pickles, or heaps with such")
