"""Whether content of another format would do anything if it were loaded as a pickle: then nobody can say what it is.

Some formats begin with a number of any value, and so at times with what are opcodes too. Whoever loads such a file as a
pickle fails soon, at a byte that is no opcode or where the stack is empty, or gets some text. As long as nothing is
named before that, nothing is done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from signoff.artifact.pickle.machine import Machine
from signoff.artifact.pickle.opcodes import TABLE
from signoff.artifact.pickle.stream import LONGEST_LINE, Broken, Stream, Unreadable

if TYPE_CHECKING:
    from signoff.artifact.streams.readers import Peekable

MOST_PICKLES = 1000  # one behind the other, of which each is read anew: a bound on time


class _Acts(Exception):
    """Raised when loading would name something, which may run anything already."""


class _Lines(Stream):
    def line(self) -> bytes:
        """Return the next line, and of a very long one the beginning, which shows that it is no number and no name."""
        self.ahead(LONGEST_LINE + 1)
        begin = self.block[self.at : self.at + LONGEST_LINE + 1]
        if b"\n" in begin or len(begin) <= LONGEST_LINE:
            return super().line()
        self.text_line()
        return begin


class _Doubt(Machine):
    def name(self, module: object, _name: object) -> None:
        # No file system has such a module, and no import finds it.
        if isinstance(module, str) and ("\0" in module or len(module) > LONGEST_LINE):
            raise self.broken("Names a module that cannot exist")
        raise _Acts

    def persist(self, _identity: object) -> None:
        # Python's own unpickler and PyTorch's fail here. Another may know what the text stands for, and go on.
        self.push(None)

    def extension(self, code: int) -> None:
        # Python has no extensions, and a file cannot bring any.
        raise self.broken(f"Loads extension {code}, which does not exist")


def _act(*_: object) -> None:
    raise _Acts


def may_act(content: Peekable) -> bool:
    """Whether loading `content` as one pickle, or several, would do anything; it is read as far as is needed.

    False is certain: every unpickler fails, or ends, before it has named anything. Raises what reading does.
    """
    stream = _Lines(content)
    try:
        for _ in range(MOST_PICKLES):
            _Doubt(stream, _act, TABLE).run()
    except Broken:
        return False
    except (Unreadable, _Acts):
        return True
    return True
