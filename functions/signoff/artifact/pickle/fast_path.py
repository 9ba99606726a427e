"""A fast loop for runs of texts and numbers, as a vocabulary is written.

Anything else is left to the machine's main loop; both have the same effect.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from signoff.artifact.pickle.stream import LONGEST_KEPT

if TYPE_CHECKING:
    from signoff.artifact.pickle.memo import Memo
    from signoff.artifact.pickle.stream import PickleStream

SHORT_TEXT, TEXT, MEMOIZE = 0x8C, ord("X"), 0x94
NUMBERS = {ord("K"): 1, ord("M"): 2, ord("J"): 4}  # bytes of the argument
OTHERS = {ord("G"): 8, ord("N"): 0, 0x88: 0, 0x89: 0}
BEGINNINGS = frozenset((SHORT_TEXT, TEXT, *NUMBERS, *OTHERS))
LONGEST = 9 + 5 + LONGEST_KEPT + 1 + 1  # bytes: a value, a text with its length, MEMOIZE, and the opcode that follows


class Walker(Protocol):
    """What is walked with: where it is in the pickle, and what it remembers of what it has seen."""

    stream: PickleStream
    opcodes: int
    memo: Memo

    def push(self, value: object) -> None:
        """Put a value on the stack."""

    def push_number(self, number: int) -> None:
        """Put a number on the stack."""


def walk_run(machine: Walker) -> None:
    """Walk a run of memoized texts, each with at most one plain value before it."""
    stream = machine.stream
    block, end = stream.block, len(stream.block) - LONGEST
    while stream.at < end and block[stream.at] in BEGINNINGS:
        _value(machine, block)
        if not _text(machine, block):
            return


def _value(machine: Walker, block: bytes) -> None:
    stream = machine.stream
    start = stream.at + 1
    code = block[stream.at]
    if code in NUMBERS:
        stream.at = start + NUMBERS[code]
        machine.push_number(int.from_bytes(block[start : stream.at], "little", signed=code == ord("J")))
    elif code in OTHERS:
        stream.at = start + OTHERS[code]
        machine.push(None)
    else:
        return
    machine.opcodes += 1


def _text(machine: Walker, block: bytes) -> bool:
    """Walk a text and its MEMOIZE together; return whether it did."""
    stream = machine.stream
    start, size = stream.at + 2, block[stream.at + 1]
    if block[stream.at] == TEXT:
        start, size = start + 3, int.from_bytes(block[stream.at + 1 : start + 3], "little")
    elif block[stream.at] != SHORT_TEXT:
        return False
    if size > LONGEST_KEPT or block[start + size] != MEMOIZE:
        return False
    try:
        text = block[start : start + size].decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    machine.push(text)
    machine.memo.add(text)
    machine.opcodes += 2
    stream.at = start + size + 1
    return True
