"""The stack of a pickle's opcodes, with its marks; memory is bounded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signoff.artifact.pickle.stream import InvalidPickle, PickleStream, UnreadablePickle
from signoff.artifact.pickle.values import HOLE

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_MARKS = 100_000  # a real pickler would exceed Python's recursion limit long before
MOST_HELD = 300_000  # values on all stacks together
LONGEST_STACK = 100_000  # values of one stack
LONG_STACK = 1000  # values of one stack, which only a mark's opcode takes together
LATEST = 16  # values of a long stack that stay known


class OpcodeStack:
    """The values that one pickle's opcodes have put on the stack, the latest of them known."""

    def __init__(self, stream: PickleStream) -> None:
        self.stream = stream
        self.start = 0  # the offset of the opcode that is walked
        self.stack: list[object] = []
        self._marks: list[list[object]] = []
        self._held = 0

    @property
    def open_marks(self) -> bool:
        """Whether a mark is still open."""
        return bool(self._marks)

    def take_stack(self, other: OpcodeStack) -> None:
        """Take a copy of another's values and marks."""
        self.stack, self._marks = list(other.stack), [list(each) for each in other._marks]
        self._held = other._held

    def unreadable(self, reason: str) -> UnreadablePickle:
        """Return the error that the pickle cannot be followed from here."""
        return UnreadablePickle(reason, self.start)

    def broken(self, reason: str) -> InvalidPickle:
        """Return the error that Python could not follow the pickle from here either."""
        return InvalidPickle(reason, self.start)

    def pop(self) -> object:
        """Take the last value. Raises `UnreadablePickle` when there is none since the last mark."""
        self.top()
        return self.stack.pop()

    def top(self) -> object:
        """Return the last value and leave it."""
        if not self.stack:
            raise self.broken("Pops from an empty stack")
        if self.stack[-1] is HOLE:
            raise self.unreadable("Pops more from its stack than any legitimate pickle")
        return self.stack[-1]

    def last(self, size: int) -> list[object]:
        """Take the last values, in their order."""
        if len(self.stack) <= size:
            return [self.pop() for _ in range(size)][::-1]
        taken = self.stack[-size:]
        del self.stack[-size:]
        return taken

    def mark(self) -> None:
        """Begin a stack of its own, until `items` takes all of it."""
        if len(self.stack) > LONG_STACK:
            self.stack[:-LATEST] = [HOLE]
        self._held += len(self.stack)
        self._marks.append(self.stack)
        self.stack = []
        if len(self._marks) > MOST_MARKS or self._held > MOST_HELD:
            raise self.unreadable("Nests deeper than any legitimate pickle")

    def items(self) -> list[object]:
        """Take all since the last mark."""
        if not self._marks:
            raise self.broken("Closes a mark that it did not open")
        taken, self.stack = self.stack, self._marks.pop()
        self._held -= len(self.stack)
        return taken

    def push(self, value: object) -> None:
        """Push a value, and forget all but the latest of a stack that has become very long."""
        self.stack.append(value)
        if len(self.stack) > LONGEST_STACK:
            self.stack[:-LATEST] = [HOLE]

    def push_many(self, count: int, latest: Sequence[object]) -> None:
        """Push `count` values, of which only the `latest` are known."""
        self.stack += [None] * (count - len(latest))
        self.stack += latest
        if len(self.stack) > LONGEST_STACK:
            self.stack[:-LATEST] = [HOLE]
