"""What content is, told by its own bytes and never by a file's name, and what scans each kind of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from signoff.inflate import Refused
from signoff.scanning import compressed
from signoff.scanning.contents import PEEK, Peekable, Reader, Scan, Where

Kind = tuple[Callable[[bytes], bool], Callable[[Peekable, Where, Scan], None]]

KINDS: Sequence[Kind] = (*compressed.KINDS,)
"""Whether content begins as one of a kind, and what scans it then; the first that fits is taken."""

ENDING = ("expansion-limit", "too-many-members")  # what lies within is bounded all together, so nothing more is read


class _Source:
    """A reader that remembers whether it broke: then that is no fault of what is read from it."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.broken: Refused | None = None

    def read(self, size: int) -> bytes:
        try:
            return self._reader.read(size)
        except Refused as refusal:
            self.broken = refusal
            raise


def scan(reader: Reader, where: Where) -> None:
    """Report all that is found in what `reader` gives, and read it to its end.

    Raises `Refused` when the reader does, or when all that lies within an artifact comes to too much together.
    """
    source = _Source(reader)
    content = Peekable(source)
    try:
        _look_into(content, where)
    except Refused as refusal:
        if refusal is source.broken or refusal.rule in ENDING:
            raise
        where.report(refusal.rule, str(refusal))
    content.drain()


def _look_into(content: Peekable, where: Where) -> None:
    head = content.peek(PEEK)
    for begins, scanner in KINDS:
        if begins(head):
            scanner(content, where, scan)
            return
