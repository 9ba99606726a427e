"""Follows content of another format as a protobuf message, which may begin with any field and passes over unknown ones.

So a file of another format may be a model of ONNX as well: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from signoff.artifact.formats.onnx import GRAPH, GRAPH_FIELDS
from signoff.artifact.formats.protobuf import BYTES, FIXED32, FIXED64, VARINT

GROUPS = (3, 4)  # begin and end of what is passed over, one field after the other
MOST_FIELDS = 5_000_000  # a bound on time: a model has few at its top
MOST_BITS = 70  # of a number
_KEY, _VALUE, _LENGTH = range(3)


class MessageWatch:
    """Whether content is, to its end, a message with what may be a graph of ONNX."""

    def __init__(self) -> None:
        self.possible = True
        self._graph = False
        self._expected = _KEY
        self._number = self._bits = self._fields = 0
        self._field = 0
        self._skip = 0
        self._begins_graph = False

    @property
    def holds_graph(self) -> bool:
        """Whether all that was fed is such a message, or has more fields than are followed."""
        ended = not self._skip and self._expected == _KEY and not self._bits
        return self.possible and (self._fields > MOST_FIELDS or (self._graph and ended))

    def feed(self, part: bytes) -> None:
        """Follow the next bytes."""
        at = 0
        while at < len(part) and self.possible and self._fields <= MOST_FIELDS:
            if self._skip:
                self._look(part[at])
                passed = min(self._skip, len(part) - at)
                self._skip -= passed
                at += passed
            else:
                self._take(part[at])
                at += 1

    def _look(self, first: int) -> None:
        """Look at the first byte of what may be a graph: the key of a field that one has."""
        if self._begins_graph:
            self._graph |= first >= 0x80 or (first & 7 == BYTES and first >> 3 in GRAPH_FIELDS)
            self._begins_graph = False

    def _take(self, byte: int) -> None:
        """Take the next byte of a number."""
        self._number |= (byte & 0x7F) << self._bits
        self._bits += 7
        self.possible = self._bits <= MOST_BITS
        if byte < 0x80:
            number, self._number, self._bits = self._number, 0, 0
            self._end(number)

    def _end(self, number: int) -> None:
        """Decide what follows a number that has ended."""
        if self._expected == _KEY:
            self._begin_field(number >> 3, number & 7)
            return
        if self._expected == _LENGTH:
            self._skip, self._begins_graph = number, self._field == GRAPH
        self._expected = _KEY

    def _begin_field(self, field: int, wire: int) -> None:
        self._fields += 1
        self._field = field
        self.possible = field > 0 and wire in (VARINT, FIXED64, BYTES, FIXED32, *GROUPS)
        self._skip = {FIXED64: 8, FIXED32: 4}.get(wire, 0)
        self._expected = {VARINT: _VALUE, BYTES: _LENGTH}.get(wire, _KEY)
