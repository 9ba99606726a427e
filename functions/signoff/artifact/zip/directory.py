"""A zip archive's directory, held against the entries that were read before it.

The format is PKWARE's APPNOTE.TXT 6.3.10; the sections are named where they matter.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from hashlib import blake2b

from signoff.artifact.context import Where
from signoff.artifact.member_names import shown
from signoff.artifact.streams.readers import Peekable
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
COMPARED = 0x0001 | 0x0040 | UTF_8 | 0x2000  # flags that change what a reader makes of an entry


def ambiguous(reason: str) -> Refused:
    """Return the refusal of an archive that another reader would read otherwise."""
    return Refused("zip-ambiguous", reason)


def decoded(name: bytes, flags: int) -> str:
    """Return an entry's name as text (4.4.4: UTF-8 or code page 437)."""
    return name.decode("utf-8" if flags & UTF_8 else "cp437", "surrogateescape")


@dataclass(frozen=True)
class Entry:
    """What was read of an entry, or what the directory says of one; `compressed` and `expanded` in bytes."""

    offset: int
    name: bytes
    flags: int
    method: int
    checksum: int
    compressed: int
    expanded: int

    def digest(self) -> bytes:
        """Return a digest of all that readers must agree about."""
        facts = (self.flags & COMPARED, self.method, self.checksum, self.compressed, self.expanded, self.name)
        return blake2b(repr(facts).encode(), digest_size=16).digest()


def wide(extra: bytes, *values: int) -> list[int]:
    """Return `values`, with those that say so taken from the zip64 extra field, in this order (4.5.3)."""
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


class Tail:
    """The last bytes of what passes, where readers look for a zip archive's end whatever lies before it."""

    SIZE = _END.size + MAX_16 + 1  # one more than the format has: so far zipfile looks

    def __init__(self) -> None:
        self._last = bytearray()

    def add(self, part: bytes) -> None:
        """Remember the last bytes of `part`, and of what came before it."""
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
        # An end found by accident hardly ever has a directory of just the size that so many entries need.
        return bool(here == all_ and (size == MAX_32 or (size >= _CENTRAL.size * all_ > 0)))


@dataclass
class Directory:
    """The entries read so far, by where they begin; a digest of each, for there may be many."""

    where: Where
    entries: dict[int, bytes] = field(default_factory=dict)
    _names: set[bytes] = field(default_factory=set)

    def add(self, entry: Entry) -> None:
        """Remember an entry that was read. Reports a name that came before."""
        self.entries[entry.offset] = entry.digest()
        name = blake2b(entry.name, digest_size=16).digest()
        if name in self._names:
            self.where.report("zip-ambiguous", f"Has two entries of the name {_shown(entry)}")
        self._names.add(name)

    def read(self, content: Peekable) -> None:
        """Read the directory and what ends the archive. Raises `Refused` (`zip-ambiguous`), or reports it."""
        start, count = content.offset, 0
        while content.peek(4) == CENTRAL:
            self._compare(_central(content))
            count += 1
        if self.entries:
            at = min(self.entries)
            reason = f"{len(self.entries)} entries, the first at byte {at}, are not in the archive's directory"
            self.where.report("zip-ambiguous", reason)
        _check_end(content, start, count)

    def _compare(self, entry: Entry) -> None:
        read = self.entries.pop(entry.offset, None)
        if read is None:
            reason = f"The directory names {_shown(entry)} at byte {entry.offset}, where no entry was read"
        elif read != entry.digest():
            reason = f"The directory says of {_shown(entry)} something else than the entry at byte {entry.offset}"
        else:
            return
        self.where.report("zip-ambiguous", reason)


def _shown(entry: Entry) -> str:
    return shown(decoded(entry.name, entry.flags))


def _central(content: Peekable) -> Entry:
    fields = _CENTRAL.unpack(content.exactly(_CENTRAL.size))
    _, _, _, flags, method, _, _, checksum, compressed, expanded, *rest = fields
    name_size, extra_size, comment_size, _disk, _, _, offset = rest
    name, extra = content.exactly(name_size), content.exactly(extra_size)
    content.exactly(comment_size)
    expanded, compressed, offset = wide(extra, expanded, compressed, offset)
    return Entry(offset, name, flags, method, checksum, compressed, expanded)


def _check_end(content: Peekable, start: int, count: int) -> None:
    """Refuse an end that points elsewhere than to the directory that was read: readers begin there."""
    size, end = content.offset - start, content.offset
    if content.peek(4) == END_64:
        _check_end_64(content, count, size, start)
    if content.peek(4) == LOCATOR:
        _, _, at, disks = _LOCATOR.unpack(content.exactly(_LOCATOR.size))
        if at != end or disks > 1:
            raise ambiguous(f"The zip64 end is said to be at byte {at}, and is at byte {end}")
    if content.peek(4) != END:
        raise ambiguous(f"At byte {content.offset}, where the archive should end, lies something else")
    _, disk, first, here, all_, *said, comment = _END.unpack(content.exactly(_END.size))
    if disk not in (0, MAX_16) or first not in (0, MAX_16) or here != all_:
        raise ambiguous("Is a part of an archive on several disks")
    if all_ not in (count, MAX_16) or not _agree(said, (size, start)):
        raise ambiguous(f"The end says that {all_} entries are listed at byte {said[1]}; {count} are, at byte {start}")
    content.exactly(comment)
    if content.peek(1):
        raise ambiguous(f"Data follows the end of the archive at byte {content.offset}")


def _agree(said: list[int], read: tuple[int, ...]) -> bool:
    return all(value in (fact, MAX_32) for value, fact in zip(said, read, strict=True))


def _check_end_64(content: Peekable, count: int, size: int, start: int) -> None:
    _, length, _, _, disk, first, *said = _END_64.unpack(content.exactly(_END_64.size))
    if length != _END_64.size - 12 or disk or first or said != [count, count, size, start]:
        raise ambiguous(f"The zip64 end does not say that {count} entries are listed at byte {start}")
    if content.peek(4) != LOCATOR:
        raise ambiguous(f"The zip64 end before byte {content.offset} has no locator: not every reader would see it")
