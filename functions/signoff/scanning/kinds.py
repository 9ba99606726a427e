"""What content is, told by its own bytes and never by a file's name, and what scans each kind of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from signoff.inflate import Refused
from signoff.scanning import compressed, pickles, tars, tensors, zips
from signoff.scanning.contents import PEEK, Peekable, Reader, Scan, Where
from signoff.scanning.zip_directory import Tail

Kind = tuple[Callable[[bytes], bool], Callable[[Peekable, Where, Scan], None]]

TAR: Kind = (tars.is_tar, tars.tar_archive)
PICKLE: Kind = (pickles.is_pickle, pickles.pickle)
CONTAINERS: Sequence[Kind] = ((zips.is_zip, zips.zip_archive), TAR, *compressed.KINDS)
"""Kinds in which something of any kind may lie, be it a zip archive at the very end."""

KINDS: Sequence[Kind] = (*CONTAINERS, PICKLE, *tensors.KINDS)
"""Whether content begins as one of a kind, and what scans it then; the first that fits is taken."""

ENDING = ("expansion-limit", "too-many-members")  # what lies within is bounded all together, so nothing more is read


class _Source:
    """A reader that remembers whether it broke: then that is no fault of what is read from it."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.broken: Refused | None = None
        self.tail = Tail()

    def read(self, size: int) -> bytes:
        try:
            part = self._reader.read(size)
        except Refused as refusal:
            self.broken = refusal
            raise
        self.tail.add(part)
        return part


def scan(reader: Reader, where: Where) -> None:
    """Report all that is found in what `reader` gives, and read it to its end.

    Raises `Refused` when the reader does, or when all that lies within an artifact comes to too much together.
    """
    source = _Source(reader)
    content = Peekable(source)
    head = content.peek(PEEK)
    kind = _kind(head)
    if kind is TAR and PICKLE[0](head):
        where.report("ambiguous-content", "Is a tar archive, and begins as a pickle too: readers disagree")
    try:
        if kind:
            kind[1](content, where, scan)
    except Refused as refusal:
        if refusal is source.broken or refusal.rule in ENDING:
            raise
        where.report(refusal.rule, str(refusal))
    content.drain()
    if kind not in CONTAINERS and source.tail.holds_end():
        where.report("zip-ambiguous", "Ends as a zip archive does, and does not begin as one: readers disagree")


def _kind(head: bytes) -> Kind | None:
    return next((kind for kind in KINDS if kind[0](head)), None)
