"""A zip archive's central directory, compared with the entries that were read before it.

The format is PKWARE's APPNOTE.TXT 6.3.10; the sections are named where they matter.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple

from signoff.artifact.context import ScanContext
from signoff.artifact.member_names import shown
from signoff.artifact.streams.readers import PeekableReader
from signoff.artifact.streams.refusal import Refused

LOCAL = b"PK\x03\x04"
CENTRAL = b"PK\x01\x02"
END = b"PK\x05\x06"
END_64 = b"PK\x06\x06"
LOCATOR = b"PK\x06\x07"

ENDS = (END, END_64, LOCATOR)

MAX_16, MAX_32 = 0xFFFF, 0xFFFFFFFF
ZIP64 = 1  # 4.5.3: the extra field with what does not fit in 32 bits
UNICODE_PATH = 0x7075  # 4.6.9: the extra field with another name, which newer readers use instead

_CENTRAL = struct.Struct("<4s6H3L5H2L")  # 4.3.12
_END = struct.Struct("<4s4H2LH")  # 4.3.16
_END_64 = struct.Struct("<4sQ2H2L4Q")  # 4.3.14
_LOCATOR = struct.Struct("<4sLQL")  # 4.3.15
FOLDER = 0x10  # 4.4.15: among the attributes that MS-DOS knows
UTF_8 = 0x0800  # 4.4.4: the name is UTF-8
COMPARED = 0x0001 | 0x0040 | UTF_8 | 0x2000  # flags that change how a reader interprets an entry


def ambiguous(reason: str) -> Refused:
    """Return the refusal of an archive that other readers would read differently."""
    return Refused("zip-ambiguous", reason)


def decoded(name: bytes, flags: int) -> str:
    """Return an entry's name as text (4.4.4: UTF-8 or code page 437)."""
    return name.decode("utf-8" if flags & UTF_8 else "cp437", "surrogateescape")


class ZipEntry(NamedTuple):
    """An entry as it was read, or as the directory describes it; `compressed` and `expanded` in bytes."""

    offset: int
    name: bytes
    flags: int
    method: int
    checksum: int
    compressed: int
    expanded: int

    def digest(self) -> bytes:
        """Return a digest of everything that readers must agree on."""
        facts = (self.flags & COMPARED, self.method, self.checksum, self.compressed, self.expanded, self.name)
        return blake2b(repr(facts).encode(), digest_size=16).digest()


class ListedEntry(NamedTuple):
    """An entry as the directory describes it, with its extra fields, its comment, and its attributes for unpacking."""

    entry: ZipEntry
    extra: bytes
    comment: bytes
    attributes: int


def wide(extra: bytes, *values: int) -> list[int]:
    """Return `values`, replacing each 32-bit maximum by the next zip64 extra field (4.5.3)."""
    field_64 = next((value for kind, value in _extras(extra) if kind == ZIP64), b"")
    found = []
    for value in values:
        if value == MAX_32 and field_64:
            found.append(int.from_bytes(field_64[:8], "little"))
            field_64 = field_64[8:]
        else:
            found.append(value)
    return found


def renamed(extra: bytes, name: str) -> str | None:
    """Return the name that an extra field gives an entry instead of `name`, or None where none does."""
    others = (value[5:].decode("utf-8", "surrogateescape") for kind, value in _extras(extra) if kind == UNICODE_PATH)
    return next((other for other in others if other != name), None)


def _extras(extra: bytes) -> Iterator[tuple[int, bytes]]:
    while len(extra) >= 4:
        kind, size = struct.unpack_from("<2H", extra)
        yield kind, extra[4 : 4 + size]
        extra = extra[4 + size :]


class Extent(NamedTuple):
    """Where a zip archive's directory begins, counted back from the end record, and where that ends.

    `stated` is where the records say that they and the directory begin, counted from the first byte.
    """

    begin: int
    end: int
    stated: tuple[int, ...]


class TrailingBytes:
    """The last bytes of a stream, where readers look for the end of a zip archive regardless of what precedes it."""

    SIZE = _END.size + MAX_16 + 1  # one byte more than the format's maximum: zipfile searches that far

    def __init__(self) -> None:
        self._last = bytearray()
        self._size = 0

    def add(self, part: bytes) -> None:
        """Keep the last bytes of the stream that `part` continues."""
        self._size += len(part)
        if len(part) >= self.SIZE:
            self._last[:] = part[-self.SIZE :]
            return
        self._last += part
        if len(self._last) > 2 * self.SIZE:
            del self._last[: -self.SIZE]

    def _find(self) -> tuple[bytes, int]:
        """Return the last bytes, and where the last end record is in them; negative where none is."""
        last = bytes(self._last[-self.SIZE :])
        return last, last.rfind(END, 0, max(len(last) - _END.size + len(END), 0))

    def extent(self) -> Extent:
        """Return what zipfile would take the end of an archive for, which was found (`holds_end`).

        It begins at -1 where a locator does not follow the zip64 record immediately: readers search that in other ways.
        """
        last, at = self._find()
        end = self._size - len(last) + at
        *_, size, offset, _ = _END.unpack_from(last, at)
        if not last.startswith(LOCATOR, max(at - _LOCATOR.size, 0)):
            return Extent(end - size, end + _END.size, (offset,))
        record = at - _LOCATOR.size - _END_64.size
        if record < 0 or not last.startswith(END_64, record):
            return Extent(-1, end + _END.size, ())
        *_, size, offset_64 = _END_64.unpack_from(last, record)
        _, _, stated, _ = _LOCATOR.unpack_from(last, record + _END_64.size)
        return Extent(self._size - len(last) + record - size, end + _END.size, (offset, offset_64, stated))

    def holds_end(self) -> bool:
        """Whether a reader would find the end of a zip archive, of which zipfile believes no number of entries."""
        last, at = self._find()
        if at < 0:
            return False
        if last.startswith(LOCATOR, max(at - _LOCATOR.size, 0)):
            return True
        *_, size, offset, _ = _END.unpack_from(last, at)
        # An accidental match hardly ever leads to a directory: before the end, or where it says.
        before = len(last) - at
        starts = (before + size, self._size - offset)
        return size >= _CENTRAL.size and any(_may_begin_directory(last, self._size, start, before) for start in starts)


def _may_begin_directory(last: bytes, whole: int, start: int, end: int) -> bool:
    """Whether the directory may begin `start` bytes before the end of a stream, of which the `last` ones are known."""
    if not end + _CENTRAL.size <= start <= whole:
        return False
    return start > len(last) or last.startswith(CENTRAL, len(last) - start)


@dataclass
class CentralDirectory:
    """The entries read so far by their offset; only a digest of each, because there may be many."""

    context: ScanContext
    entries: dict[int, bytes] = field(default_factory=dict)
    _names: set[bytes] = field(default_factory=set)

    def add(self, entry: ZipEntry) -> None:
        """Record an entry that was read. Reports a duplicate name."""
        self.entries[entry.offset] = entry.digest()
        name = blake2b(entry.name, digest_size=16).digest()
        if name in self._names:
            self.context.report("zip-ambiguous", f"Has two entries named {_shown(entry)}")
        self._names.add(name)

    def read(self, content: PeekableReader) -> None:
        """Read the directory and what ends the archive. Raises `Refused` (`zip-ambiguous`), or reports it."""
        start, count = content.offset, 0
        while content.peek(4) == CENTRAL:
            listed = _central(content)
            self._compare(listed.entry)
            for reason in _misleading(listed):
                self.context.report("zip-ambiguous", reason)
            count += 1
        if self.entries:
            at = min(self.entries)
            reason = f"{len(self.entries)} entries, the first at byte {at}, are not in the archive's directory"
            self.context.report("zip-ambiguous", reason)
        _check_end(content, start, count)

    def _compare(self, entry: ZipEntry) -> None:
        read = self.entries.pop(entry.offset, None)
        if read is None:
            reason = f"The directory names {_shown(entry)} at byte {entry.offset}, where no entry was read"
        elif read != entry.digest():
            reason = f"The directory describes {_shown(entry)} differently from the entry at byte {entry.offset}"
        else:
            return
        self.context.report("zip-ambiguous", reason)


def _shown(entry: ZipEntry) -> str:
    return shown(decoded(entry.name, entry.flags))


def _central(content: PeekableReader) -> ListedEntry:
    fields = _CENTRAL.unpack(content.exactly(_CENTRAL.size))
    _, _, _, flags, method, _, _, checksum, compressed, expanded, *rest = fields
    name_size, extra_size, comment_size, _disk, _, attributes, offset = rest
    name, extra = content.exactly(name_size), content.exactly(extra_size)
    comment = content.exactly(comment_size)
    expanded, compressed, offset = wide(extra, expanded, compressed, offset)
    entry = ZipEntry(offset, name, flags, method, checksum, compressed, expanded)
    return ListedEntry(entry, extra, comment, attributes)


def _misleading(listed: ListedEntry) -> Iterator[str]:
    """Yield what only some readers see in an entry of the directory."""
    entry = listed.entry
    if other := renamed(listed.extra, decoded(entry.name, entry.flags)):
        yield f"{_shown(entry)} is called {shown(other)} for some readers (extra field)"
    # A reader searches the end backwards, and takes what stands before it for its zip64 records.
    if _holds_end(entry.name + listed.extra + listed.comment):
        yield f"The directory's entry {_shown(entry)} holds an end of the archive"
    # PyTorch's reader hands over whatever is in memory instead of a folder's data.
    if entry.expanded and (listed.attributes & FOLDER or entry.name.endswith(b"/")):
        yield f"{_shown(entry)} is a folder for some readers, and holds data"


def _check_end(content: PeekableReader, start: int, count: int) -> None:
    """Refuse an end record that does not point to the directory that was read: readers start there."""
    size = content.offset - start
    if content.peek(4) == END_64:
        _check_end_64(content, count, size, start)
    if content.peek(4) != END:
        raise ambiguous(f"At byte {content.offset}, where the archive should end, there is other data")
    _, disk, first, here, all_, *said, comment_size = _END.unpack(record := content.exactly(_END.size))
    if disk not in (0, MAX_16) or first not in (0, MAX_16) or here != all_:
        raise ambiguous("Is part of a multi-disk archive")
    if all_ not in (count, MAX_16) or not _agree(said, (size, start)):
        raise ambiguous(f"The end says that {all_} entries are listed at byte {said[1]}; {count} are, at byte {start}")
    # Readers search the last end, whatever comes before it: also in what another reader takes for the comment.
    if _holds_end(record[1:] + content.exactly(comment_size)):
        raise ambiguous(f"The end at byte {start + size} is followed by another one, in its comment")
    if content.peek(1):
        raise ambiguous(f"Data follows the end of the archive at byte {content.offset}")


def _holds_end(part: bytes) -> bool:
    return any(mark in part for mark in ENDS)


def _agree(said: list[int], read: tuple[int, ...]) -> bool:
    return all(value in (fact, MAX_32) for value, fact in zip(said, read, strict=True))


def _check_end_64(content: PeekableReader, count: int, size: int, start: int) -> None:
    end = content.offset
    _, length, _, _, disk, first, *said = _END_64.unpack(content.exactly(_END_64.size))
    if length != _END_64.size - 12 or disk or first or said != [count, count, size, start]:
        raise ambiguous(f"The zip64 end does not say that {count} entries are listed at byte {start}")
    if content.peek(4) != LOCATOR:
        raise ambiguous(f"The zip64 end before byte {content.offset} has no locator: not every reader would see it")
    _, _, at, disks = _LOCATOR.unpack(content.exactly(_LOCATOR.size))
    if at != end or disks > 1:
        raise ambiguous(f"The zip64 end is declared at byte {at} but is at byte {end}")
