"""A fast path for runs of texts and numbers, as a vocabulary is written: one match finds many opcodes.

Anything else is left to the machine's main loop; both have the same effect.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, Protocol

from signoff.artifact.pickle.stack import LATEST
from signoff.documents.patterns import compiled_on_use

if TYPE_CHECKING:
    from collections.abc import Sequence

    from signoff.artifact.pickle.memo import Memo
    from signoff.artifact.pickle.stream import PickleStream

FEWEST = 4  # items that are matched at once; fewer are walked sooner one by one
MOST = 256  # where one is found to be invalid, the main loop walks all of them again
LONGEST = 64  # bytes of a text; each length is an alternative of its own in the pattern
VALUES = b"KMJGN\x88\x89"
VALUE = rb"(?:K.|M..|J.{4}|G.{8}|[N\x88\x89])?+"
SIGNED = ord("J")
INTEGERS = b"KMJ"


class Walker(Protocol):
    """What is walked with: where it is in the pickle, and what it remembers of what it has seen."""

    stream: PickleStream
    opcodes: int
    first_number: int | None
    memo: Memo

    def push_many(self, count: int, latest: Sequence[object]) -> None:
        """Put `count` values on the stack, of which the `latest` are known."""


class Form(NamedTuple):
    """How a pickler writes an item, a text that it remembers after at most one plain value, and so a run of them.

    `item` has a group for the value, one for the text behind its opcode and its length, which are `header` bytes, and
    one for the opcode that remembers it.
    """

    begins: bytes
    run: re.Pattern[bytes]
    item: re.Pattern[bytes]
    header: int


def _form(opcode: bytes, more: bytes, remember: bytes) -> Form:
    """Return the form of texts with a byte for their length, then `more`."""
    counted = b"|".join(re.escape(bytes([size])) + more + b".{%d}" % size for size in range(LONGEST + 1))
    item = rb"(%s)(%s(?:%s))(%s)" % (VALUE, opcode, counted, remember)
    run = rb"(?:%s%s(?:%s)(?:%s)){%d,%d}+" % (VALUE, opcode, counted, remember, FEWEST, MOST)
    header = len(opcode) + 1 + len(more)
    return Form(VALUES + opcode, compiled_on_use(run, re.DOTALL), compiled_on_use(item, re.DOTALL), header)


MEMOIZED = _form(b"\x8c", b"", rb"\x94")
"""From protocol 4 on."""
NUMBERED = _form(b"X", b"\0\0\0", rb"q.|r.{4}")
"""Of protocols 1 to 3."""


def walk_run(machine: Walker, form: Form) -> None:
    """Walk the run of items that follows, if one does."""
    stream, begin = machine.stream, form.header
    while found := form.run.match(stream.block, stream.at):
        values, counted, puts = zip(*form.item.findall(stream.block, stream.at, found.end()), strict=True)
        try:
            texts = [text[begin:].decode("utf-8", "surrogatepass") for text in counted]
        except UnicodeDecodeError:
            return  # the main loop knows where
        stream.at = found.end()
        if form is MEMOIZED:
            machine.memo.add_texts(texts)
        else:
            machine.memo.put_texts([int.from_bytes(put[1:], "little") for put in puts], texts)
        _push(machine, values, texts)


def _push(machine: Walker, values: Sequence[bytes], texts: Sequence[str]) -> None:
    if machine.first_number is None:
        machine.first_number = next((_number(value) for value in values if value and value[0] in INTEGERS), None)
    latest: list[object] = []
    for value, text in zip(values[-LATEST:], texts[-LATEST:], strict=True):
        latest += (_number(value), text) if value else (text,)
    count = 2 * len(texts) - values.count(b"")
    machine.push_many(count, latest)
    machine.opcodes += count + len(texts)


def _number(value: bytes) -> int | None:
    """Return the number that an opcode with its argument pushes, None for any other value."""
    return int.from_bytes(value[1:], "little", signed=value[0] == SIGNED) if value[0] in INTEGERS else None
