"""Whether content of another format would act if it were loaded as a pickle, which makes it ambiguous.

Some formats begin with an arbitrary number, whose bytes may also be opcodes. Loading such a file as a pickle fails
soon, at an invalid opcode or an empty stack, or returns some text. As long as nothing is named before that, nothing
is executed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from signoff.artifact.pickle.machine import PickleMachine
from signoff.artifact.pickle.opcodes import TABLE
from signoff.artifact.pickle.stream import LONGEST_LINE, InvalidPickle, PickleStream, UnreadablePickle

if TYPE_CHECKING:
    from signoff.artifact.streams.readers import PeekableReader

MOST_PICKLES = 1000  # pickles in a row, each read separately: a bound on time


class _ActsOnLoad(Exception):
    """Raised when loading would name an object, which may already run code."""


class _LineStream(PickleStream):
    def line(self) -> bytes:
        """Return the next line; of a very long one only the beginning, which shows that it is not a number or name."""
        self.ahead(LONGEST_LINE + 1)
        begin = self.block[self.at : self.at + LONGEST_LINE + 1]
        if b"\n" in begin or len(begin) <= LONGEST_LINE:
            return super().line()
        self.text_line()
        return begin


class _AmbiguityMachine(PickleMachine):
    def name(self, module: object, _name: object) -> None:
        # No file system has such a module, and no import finds it.
        if isinstance(module, str) and ("\0" in module or len(module) > LONGEST_LINE):
            raise self.broken("Names a module that cannot exist")
        raise _ActsOnLoad

    def persist(self, _identity: object) -> None:
        # Python's own unpickler and PyTorch's fail here. Another may know what the text stands for, and go on.
        self.push(None)

    def extension(self, code: int) -> None:
        # Python has no extensions, and a file cannot bring any.
        raise self.broken(f"Loads extension {code}, which does not exist")


def _act(*_: object) -> None:
    raise _ActsOnLoad


def may_act(content: PeekableReader) -> bool:
    """Whether loading `content` as one or more pickles would act; it is read only as far as needed.

    False is certain: every unpickler fails or ends before it names anything. Raises what the reader raises.
    """
    stream = _LineStream(content)
    try:
        for _ in range(MOST_PICKLES):
            _AmbiguityMachine(stream, _act, TABLE).run()
    except InvalidPickle:
        return False
    except (UnreadablePickle, _ActsOnLoad):
        return True
    return True
