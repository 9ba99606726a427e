"""HDF5 that keeps its data in other files: whoever loads it reads what the file names, wherever that lies on a server.

There are three ways: a dataset in external files, a virtual dataset, and a link to an object of another file. Keras
followed all of them until 3.12.1 (CVE-2026-1669), tf_keras for longer, and h5py does. No model that Keras writes has
any. Each is a message, "IV.A.2" of https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html, and is found by
the bytes that the library looks at; where weights may read so by chance, by the heap too whose address it has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from signoff.artifact.streams.refusal import Refused
from signoff.documents.patterns import compiled_on_use

_GAPS = (3, 5, 7)  # bytes of a message's header behind its type: of version 1, or of 2 with or without an order


def _message(kind: bytes, body: bytes) -> re.Pattern[bytes]:
    """Return a pattern that finds each message of that type, also where another one seems to begin before its end."""
    return compiled_on_use(b"%s(?=%s)" % (kind, b"|".join(b".{%d}%s" % (gap, body) for gap in _GAPS)), re.DOTALL)


# Version 1, slots and how many are used; then the address of a heap with the files' names, below 2^40.
_EXTERNAL, _EXTERNAL_ADDRESS = _message(rb"\x07", rb"\x01.{3}(?:(?!\0\0)..){2}.{5}\0{3}"), 8
# A layout's version, 3 for a virtual one; then the address of such a heap, and a number below 2^16.
_VIRTUAL, _VIRTUAL_ADDRESS = _message(rb"\x08", rb"[\x04-\x06]\x03.{5}\0{3}..\0{2}"), 2
_HEAPS = (b"HEAP", b"GCOL")
# Version 1, flags that say that a type follows, and that type: 64.
_LINK = compiled_on_use(rb"\x01[\x08-\x0f\x18-\x1f]\x40")
_ORDERED, _ENCODED, _SIZE = 0x04, 0x10, 0x03  # a link's flags
_LINK_TYPE = 6
_WORDS = compiled_on_use(rb"[^\0-\x1f]+")  # few files and objects have other names
MOST_HEAPS = 1_000_000  # a bound on memory: a group has one, a model some thousands
_LONGEST_NAME = 0xFFFF  # a message has no more bytes
_OVERLAP = 64  # bytes: more than a message's that is looked for
_BEFORE = 8  # bytes of a header


class References:
    """Looks through a file for what keeps its data in others; its addresses are from byte `base` on."""

    def __init__(self, base: int) -> None:
        self._base = base
        self._held, self._at = b"", 0
        self._addresses: set[int] = set()
        self._heaps: set[int] = set()

    def look(self, part: bytes) -> None:
        """Look through the next bytes. Raises `Refused` (`hdf5-external-data`)."""
        data = self._held + part
        for pattern, at in ((_EXTERNAL, _EXTERNAL_ADDRESS), (_VIRTUAL, _VIRTUAL_ADDRESS)):
            for found in pattern.finditer(data):
                begins = (found.end() + gap + at for gap in _GAPS)
                self._addresses.update(int.from_bytes(data[begin : begin + 8], "little") for begin in begins)
        for heap in _HEAPS:
            self._heaps.update(self._at + at - self._base for at in every(data, heap))
        if len(self._addresses) + len(self._heaps) > MOST_HEAPS:
            raise _outside(f"more than {MOST_HEAPS} heaps, or what may be datasets whose data is in other files")
        kept = max(len(data) - _OVERLAP, 0)
        for found in _LINK.finditer(data):
            is_link = _is_external_link(data, found.start())
            if is_link:
                raise _outside("a link into another file")
            if is_link is None:  # its end is still to come
                kept = min(kept, max(found.start() - _BEFORE, 0))
        self._held, self._at = data[kept:], self._at + kept

    def conclude(self) -> None:
        """Judge all that was found, at the end of the file. Raises `Refused` (`hdf5-external-data`)."""
        if self._addresses & self._heaps:
            raise _outside("a dataset whose data is in other files")


def every(data: bytes, wanted: bytes) -> Iterator[int]:
    """Yield where `wanted` begins in `data`."""
    at = data.find(wanted)
    while at >= 0:
        yield at
        at = data.find(wanted, at + 1)


def check_addresses(superblock: bytes) -> None:
    """Refuse what has addresses of other than 8 bytes, as HDF5 writes them unless it is told otherwise."""
    version = superblock[8:9]
    sizes = superblock[13:15] if version in (b"\0", b"\1") else superblock[9:11]
    if version > b"\3" or sizes != b"\x08\x08":
        raise Refused("hdf5-external-data", "Has addresses of other than 8 bytes: no references are found in it")


def _outside(what: str) -> Refused:
    return Refused("hdf5-external-data", f"Holds {what}, which a server would read where it loads the model")


def _is_external_link(data: bytes, begin: int) -> bool | None:
    """Whether a link to another file begins here; None when too little is there to tell."""
    flags = data[begin + 1]
    at = begin + 3 + 8 * bool(flags & _ORDERED) + bool(flags & _ENCODED)
    size = 1 << (flags & _SIZE)
    length = int.from_bytes(data[at : at + size], "little")
    name = data[at + size : at + size + length]
    at += size + length
    told = int.from_bytes(data[at : at + 2], "little")
    body = data[at + 2 : at + 2 + told]
    if length > _LONGEST_NAME:
        return False
    if len(data) < at + 2 + told:
        return None
    file, path = [*body[1:].split(b"\0", 2), b""][:2]
    if body[:1] != b"\0" or not file:
        return False
    exact = told == len(file) + len(path) + 3
    if not _WORDS.fullmatch(file) or not _WORDS.fullmatch(path):  # of nothing that there is, but it is looked for
        return exact
    headed = _LINK_TYPE in [data[begin - back] for back in (4, 6, 8) if back <= begin]
    return exact or headed or _WORDS.fullmatch(name) is not None
