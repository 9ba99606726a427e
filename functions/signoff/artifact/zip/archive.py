"""Zip archives (.npz, .keras, .skops, PyTorch's .pt), read forward: each entry is scanned as it is read.

Other zip readers use the directory at the end with its names and offsets. So it must describe exactly the entries that
were read: otherwise another reader would see something other than what was scanned. The
format is PKWARE's APPNOTE.TXT 6.3.10; the sections are named where they matter.
"""

from __future__ import annotations

import struct
from typing import Protocol

from zlib_ng import zlib_ng

from signoff.artifact.context import Scan, ScanContext
from signoff.artifact.member_names import faults, shown
from signoff.artifact.streams.gzip import InflateError
from signoff.artifact.streams.limits import Budget
from signoff.artifact.streams.readers import BLOCK, PEEK, BoundedReader, PeekableReader
from signoff.artifact.streams.refusal import Refused, Truncated
from signoff.artifact.zip.directory import (
    CENTRAL,
    END,
    END_64,
    LOCAL,
    CentralDirectory,
    ZipEntry,
    ambiguous,
    decoded,
    renamed,
    wide,
)
from signoff.artifact.zip.entry_names import EntryNames, programs

STORED, DEFLATED = 0, 8
METHODS = {9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "zstandard", 95: "xz", 99: "AES encryption"}
ENCRYPTED = 0x0001 | 0x0040 | 0x2000  # 4.4.4: the data, strongly, or the header itself
DESCRIBED = 0x0008  # 4.4.4: the checksum and the sizes follow the data
DESCRIPTOR = b"PK\x07\x08"
# 4.3.9: with the signature or without, with sizes of 32 bits or of 64.
DESCRIPTORS = tuple(struct.Struct(form) for form in ("<4s3L", "<4sL2Q", "<3L", "<L2Q"))
LARGEST_DESCRIPTOR = 24

_LOCAL = struct.Struct("<4s5H3L2H")  # 4.3.7


def is_zip(head: bytes) -> bool:
    """Whether a zip archive begins here, be it empty."""
    return head.startswith((LOCAL, END, END_64, CENTRAL, DESCRIPTOR + LOCAL))


def zip_archive(content: PeekableReader, context: ScanContext, scan: Scan) -> None:
    """Scan each entry of a zip archive, then compare the directory at its end with them."""
    directory, names = CentralDirectory(context), EntryNames()
    while content.peek(4) == LOCAL:
        context.budget.spend_member()
        names.add(_entry(content, context, scan, directory))
    context.summary.kind = names.kind
    if content.peek(4) not in (CENTRAL, END, END_64):
        raise ambiguous(f"At byte {content.offset}, there is neither an entry nor the directory")
    directory.read(content)


class _EntryData(Protocol):
    """A reader of an entry's data; checksum and size are known at its end."""

    checksum: int
    size: int

    def read(self, size: int) -> bytes:
        """Return at most `size` of the next bytes, and none only at the end."""


def _entry(content: PeekableReader, context: ScanContext, scan: Scan, directory: CentralDirectory) -> bytes:
    entry = _header(content)
    name = decoded(entry.name, entry.flags)
    inner = context.inner(name)
    for rule, reason in (*faults(name), *programs(name)):
        inner.report(rule, reason)
    start, known = content.offset, not entry.flags & DESCRIBED or entry.compressed > 0
    if why := _unscannable(entry):
        inner.report("unscannable-compression", why)
        _pass_over(content, entry, known)
        directory.add(entry)
        return entry.name
    inside = PeekableReader(BoundedReader(content, entry.compressed)) if known else content
    data = _data(inside, entry, context.budget, known)
    scan(data, inner)
    _finish(data)
    if known and (hidden := inside.drain()):
        raise ambiguous(f"{hidden} bytes before byte {content.offset} belong to no entry")
    read = entry._replace(checksum=data.checksum, compressed=content.offset - start, expanded=data.size)
    _check(content, entry, read, known)
    directory.add(read)
    return entry.name


def _header(content: PeekableReader) -> ZipEntry:
    offset = content.offset
    fields = _LOCAL.unpack(content.exactly(_LOCAL.size))
    _, _, flags, method, _, _, checksum, compressed, expanded, name_size, extra_size = fields
    name, extra = content.exactly(name_size), content.exactly(extra_size)
    expanded, compressed = wide(extra, expanded, compressed)
    if other := renamed(extra, decoded(name, flags)):
        raise ambiguous(f"The entry at byte {offset} is called {shown(other)} for some readers (extra field)")
    return ZipEntry(offset, name, flags, method, checksum, compressed, expanded)


def _unscannable(entry: ZipEntry) -> str | None:
    if entry.flags & ENCRYPTED:
        return "Is encrypted, so its content cannot be inspected"
    if entry.method not in (STORED, DEFLATED):
        return f"Is compressed with {METHODS.get(entry.method, f'method {entry.method}')}, which cannot be inspected"
    return None


def _pass_over(content: PeekableReader, entry: ZipEntry, known: bool) -> None:
    if not known:
        raise Refused("unscannable-zip", f"Where the entry at byte {entry.offset} ends cannot be determined")
    BoundedReader(content, entry.compressed).drain()
    if entry.flags & DESCRIBED:
        _pass_descriptor(content, entry)


def _data(content: PeekableReader, entry: ZipEntry, budget: Budget, ends: bool) -> _EntryData:
    if entry.method == DEFLATED:
        return _InflatedData(content, budget)
    return _StoredData(content) if ends else _UndelimitedData(content, entry.offset)


def _finish(data: _EntryData) -> None:
    while data.read(BLOCK):
        pass


def _check(content: PeekableReader, said: ZipEntry, read: ZipEntry, known: bool) -> None:
    """Compare what was read with what the entry declares, before or after its data."""
    if said.flags & DESCRIBED:
        _pass_descriptor(content, read)
    if not known:
        return
    sizes = (said.compressed, said.expanded) == (read.compressed, read.expanded)
    if said.flags & DESCRIBED and sizes and said.checksum == 0:
        return
    if not sizes:
        raise ambiguous(f"The entry at byte {said.offset} has a different size than it declares")
    if said.checksum != read.checksum:
        raise Refused("corrupt-zip", f"The checksum of the entry at byte {said.offset} does not match its data")


def _pass_descriptor(content: PeekableReader, read: ZipEntry) -> None:
    size = _descriptor(content, (read.checksum, read.compressed, read.expanded))
    if not size:
        raise Refused("corrupt-zip", f"What follows the data of the entry at byte {read.offset} does not describe it")
    content.skip(size)


def _descriptor(content: PeekableReader, facts: tuple[int, int, int]) -> int:
    """Return the size of the data descriptor with these `facts` that follows in the content, or 0."""
    ahead = content.peek(LARGEST_DESCRIPTOR + 2)
    for form in DESCRIPTORS:
        if len(ahead) < form.size + 2 or ahead[form.size : form.size + 2] != b"PK":
            continue
        signature, *said = (DESCRIPTOR, *form.unpack_from(ahead))[-4:]
        if signature == DESCRIPTOR and tuple(said) == facts:
            return form.size
    return 0


class _StoredData:
    """Uncompressed data, to the end of its reader."""

    def __init__(self, content: PeekableReader) -> None:
        self._content = content
        self.checksum = 0
        self.size = 0

    def read(self, size: int) -> bytes:
        part = self._part(size)
        self.checksum = zlib_ng.crc32(part, self.checksum)
        self.size += len(part)
        return part

    def _part(self, size: int) -> bytes:
        return self._content.read(size)


class _UndelimitedData(_StoredData):
    """Uncompressed data whose size only follows it, as PyTorch writes it: up to its data descriptor.

    An accidental match fails the checksum; a deliberate one contradicts the directory.
    """

    def __init__(self, content: PeekableReader, offset: int) -> None:
        super().__init__(content)
        self._offset = offset
        self._ended = False

    def _part(self, size: int) -> bytes:
        if self._ended:
            return b""
        ahead = self._content.peek(PEEK)
        at = ahead.find(DESCRIPTOR)
        if at == 0 and self._described(ahead) and _descriptor(self._content, (self.checksum, self.size, self.size)):
            self._ended = True
            return b""
        if at < 0 and len(ahead) < PEEK:
            raise Refused("unscannable-zip", f"Where the entry at byte {self._offset} ends cannot be determined")
        safe = at if at > 0 else 1 if at == 0 else len(ahead) - len(DESCRIPTOR) + 1
        return self._content.read(min(size, safe))

    def _described(self, ahead: bytes) -> bool:
        return ahead[4:8] == self.checksum.to_bytes(4, "little")


class _InflatedData(_StoredData):
    """Deflated data, to the end of its stream and no further."""

    def __init__(self, content: PeekableReader, budget: Budget) -> None:
        super().__init__(content)
        self._budget = budget
        self._inflater = zlib_ng.decompressobj(-zlib_ng.MAX_WBITS)

    def _part(self, size: int) -> bytes:
        while not self._inflater.eof:
            given = self._content.peek(PEEK)
            block = self._decompress(given, size)
            # At the end of the stream, zlib may keep an unconsumed tail of before.
            unused = self._inflater.unused_data if self._inflater.eof else self._inflater.unconsumed_tail
            self._content.skip(len(given) - len(unused))
            if block:
                self._budget.spend(len(block))
                return block
            if not given and not self._inflater.eof:
                raise Truncated(self._content.offset)
        return b""

    def _decompress(self, given: bytes, size: int) -> bytes:
        try:
            return self._inflater.decompress(given, size)
        except InflateError as error:
            reason = f"An entry before byte {self._content.offset} is damaged ({error})"
            raise Refused("corrupt-zip", reason) from None
