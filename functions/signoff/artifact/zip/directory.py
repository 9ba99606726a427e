"""A zip archive's central directory, compared with the entries that were read before it.

The format is PKWARE's APPNOTE.TXT 6.3.10; the sections are named where they matter.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from hashlib import blake2b

from signoff.artifact.context import ScanContext
from signoff.artifact.member_names import shown
from signoff.artifact.streams.readers import PeekableReader
from signoff.artifact.streams.refusal import Refused

LOCAL = b"PK\x03\x04"
CENTRAL = b"PK\x01\x02"
END = b"PK\x05\x06"
END_64 = b"PK\x06\x06"
LOCATOR = b"PK\x06\x07"

MAX_16, MAX_32 = 0xFFFF, 0xFFFFFFFF
ZIP64 = 1  # 4.5.3: the extra field with what does not fit in 32 bits

_CENTRAL = struct.Struct("<4s6H3L5H2L")  # 4.3.12
_END = struct.Struct("<4s4H2LH")  # 4.3.16
_END_64 = struct.Struct("<4sQ2H2L4Q")  # 4.3.14
_LOCATOR = struct.Struct("<4sLQL")  # 4.3.15
UTF_8 = 0x0800  # 4.4.4: the name is UTF-8
COMPARED = 0x0001 | 0x0040 | UTF_8 | 0x2000  # flags that change how a reader interprets an entry


def ambiguous(reason: str) -> Refused:
    """Return the refusal of an archive that other readers would read differently."""
    return Refused("zip-ambiguous", reason)


def decoded(name: bytes, flags: int) -> str:
    """Return an entry's name as text (4.4.4: UTF-8 or code page 437)."""
    return name.decode("utf-8" if flags & UTF_8 else "cp437", "surrogateescape")


@dataclass(frozen=True)
class ZipEntry:
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


def wide(extra: bytes, *values: int) -> list[int]:
    """Return `values`, replacing each 32-bit maximum by the next zip64 extra field (4.5.3)."""
    field_64 = _extra(extra)
    found = []
    for value in values:
        if value == MAX_32 and field_64:
            found.append(int.from_bytes(field_64[:8], "little"))
            field_64 = field_64[8:]
        else:
            found.append(value)
    return found


def _extra(extra: bytes) -> bytes:
    while len(extra) >= 4:
        kind, size = struct.unpack_from("<2H", extra)
        if kind == ZIP64:
            return extra[4 : 4 + size]
        extra = extra[4 + size :]
    return b""


class TrailingBytes:
    """The last bytes of a stream, where readers look for the end of a zip archive regardless of what precedes it."""

    SIZE = _END.size + MAX_16 + 1  # one byte more than the format's maximum: zipfile searches that far

    def __init__(self) -> None:
        self._last = bytearray()

    def add(self, part: bytes) -> None:
        """Keep the last bytes of the stream that `part` continues."""
        if len(part) >= self.SIZE:
            self._last[:] = part[-self.SIZE :]
            return
        self._last += part
        if len(self._last) > 2 * self.SIZE:
            del self._last[: -self.SIZE]

    def holds_end(self) -> bool:
        """Whether a reader would find the end of a zip archive."""
        last = self._last[-self.SIZE :]
        at = last.rfind(END)
        if at < 0 or len(last) - at < _END.size:
            return False
        _, _, _, here, all_, size, _, _ = _END.unpack_from(last, at)
        # An accidental match hardly ever has a directory size that fits its number of entries.
        return bool(here == all_ and (size == MAX_32 or (size >= _CENTRAL.size * all_ > 0)))


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
            self._compare(_central(content))
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


def _central(content: PeekableReader) -> ZipEntry:
    fields = _CENTRAL.unpack(content.exactly(_CENTRAL.size))
    _, _, _, flags, method, _, _, checksum, compressed, expanded, *rest = fields
    name_size, extra_size, comment_size, _disk, _, _, offset = rest
    name, extra = content.exactly(name_size), content.exactly(extra_size)
    content.exactly(comment_size)
    expanded, compressed, offset = wide(extra, expanded, compressed, offset)
    return ZipEntry(offset, name, flags, method, checksum, compressed, expanded)


def _check_end(content: PeekableReader, start: int, count: int) -> None:
    """Refuse an end record that does not point to the directory that was read: readers start there."""
    size, end = content.offset - start, content.offset
    if content.peek(4) == END_64:
        _check_end_64(content, count, size, start)
    if content.peek(4) == LOCATOR:
        _, _, at, disks = _LOCATOR.unpack(content.exactly(_LOCATOR.size))
        if at != end or disks > 1:
            raise ambiguous(f"The zip64 end is declared at byte {at} but is at byte {end}")
    if content.peek(4) != END:
        raise ambiguous(f"At byte {content.offset}, where the archive should end, there is other data")
    _, disk, first, here, all_, *said, comment = _END.unpack(content.exactly(_END.size))
    if disk not in (0, MAX_16) or first not in (0, MAX_16) or here != all_:
        raise ambiguous("Is part of a multi-disk archive")
    if all_ not in (count, MAX_16) or not _agree(said, (size, start)):
        raise ambiguous(f"The end says that {all_} entries are listed at byte {said[1]}; {count} are, at byte {start}")
    content.exactly(comment)
    if content.peek(1):
        raise ambiguous(f"Data follows the end of the archive at byte {content.offset}")


def _agree(said: list[int], read: tuple[int, ...]) -> bool:
    return all(value in (fact, MAX_32) for value, fact in zip(said, read, strict=True))


def _check_end_64(content: PeekableReader, count: int, size: int, start: int) -> None:
    _, length, _, _, disk, first, *said = _END_64.unpack(content.exactly(_END_64.size))
    if length != _END_64.size - 12 or disk or first or said != [count, count, size, start]:
        raise ambiguous(f"The zip64 end does not say that {count} entries are listed at byte {start}")
    if content.peek(4) != LOCATOR:
        raise ambiguous(f"The zip64 end before byte {content.offset} has no locator: not every reader would see it")
