"""Compressed streams (gzip, zlib, bzip2, xz, lzma), which joblib uses for pickles; their content is scanned.

The formats are RFC 1952, RFC 1950, and those of bzip2 and XZ Utils. Formats that the standard library cannot read are
refused by name.
"""

from __future__ import annotations

import bz2
import lzma
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, Protocol

from zlib_ng import zlib_ng

from signoff.artifact.context import Scan, ScanContext
from signoff.artifact.streams.gzip import InflateError
from signoff.artifact.streams.limits import GIB
from signoff.artifact.streams.readers import BLOCK, PEEK, PeekableReader
from signoff.artifact.streams.refusal import Refused

LZMA_MEMORY = 72 * 1024 * 1024  # `xz -9` needs 65 MiB; each level within has half as much, so all together are bounded
TELLING = 64  # bytes; fewer of text may expand to something by chance, so that only what they expand to is judged
PROBED = 1024  # bytes of what a stream expands to; readers ask for 8 KiB or more, and hand over what precedes damage
RATIO = 1000  # of expanded to compressed bytes, from `RATIO_FROM` expanded bytes on, as for the artifact itself
RATIO_FROM = GIB
MOST_EXTRA = 64  # bytes in the header of a gzip stream that nobody reads: a zip archive takes more
FIRST_WINDOW = 4096  # grows: a decompressor copies unused input, and there may be many tiny streams

FEXTRA, EXTRA_FROM = 4, 12  # the flag, and where the field begins
ZFILE, ZFILE_HEADER = b"ZF", 21  # with the length that `hex` gives the largest number of 64 bits

UNREADABLE = (
    (b"\x04\x22\x4d\x18", "lz4"),
    *((bytes([version]) + b"\xb5\x2f\xfd", "zstandard") for version in (*range(0x22, 0x29), 0x1E)),
    *((bytes([number]) + b"\x2a\x4d\x18", "zstandard or lz4") for number in range(0x50, 0x60)),
    (b"LZIP", "lzip"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    (b"Rar!\x1a\x07", "RAR"),
    # With the bits of a code and the mode that `uncompress` knows: two bytes alone begin many a thing.
    *((b"\x1f\x9d" + bytes([mode | bits]), "compress (.Z)") for mode in (0, 0x80) for bits in range(9, 17)),
    (b"\x02\x21\x4c\x18", "legacy lz4"),
    (b"\xff\x06\x00\x00sNaPpY", "snappy"),
)


class Decompressor(Protocol):
    """The interface of `bz2.BZ2Decompressor`."""

    @property
    def eof(self) -> bool:
        """Whether the end of the stream has been reached."""

    @property
    def needs_input(self) -> bool:
        """Whether more must be given before more can come out."""

    @property
    def unused_data(self) -> bytes:
        """What was given beyond the end of the stream."""

    def decompress(self, data: bytes | memoryview, max_length: int) -> bytes:
        """Return at most `max_length` more bytes of what the stream expands to."""


class ZlibDecompressor:
    """zlib's decompressor with the interface of bz2's and lzma's: it buffers unused input."""

    def __init__(self, wbits: int) -> None:
        self._inflater = zlib_ng.decompressobj(wbits)

    @property
    def eof(self) -> bool:
        """Whether the end of the stream has been reached."""
        return self._inflater.eof

    @property
    def needs_input(self) -> bool:
        """Whether more must be given before more can come out."""
        return not self._inflater.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        """What was given beyond the end of the stream."""
        return self._inflater.unused_data

    def decompress(self, data: bytes | memoryview, max_length: int) -> bytes:
        """Return at most `max_length` more bytes of what the stream expands to."""
        return self._inflater.decompress(data or self._inflater.unconsumed_tail, max_length)


class CompressionFormat(NamedTuple):
    """A compressed format: its name, whether a stream begins so, and how one is read with a bound on memory."""

    name: str
    begins: Callable[[bytes], bool]
    decompressor: Callable[[int], Decompressor]


def _begins_gzip(head: bytes) -> bool:
    """Whether a gzip stream begins here, with the one method there is; of its flags each reader refuses others."""
    return head.startswith(b"\x1f\x8b\x08")


def _begins_bzip2(head: bytes) -> bool:
    return head.startswith(b"BZh") and head[3:4] in b"123456789" and head[4:10] in (b"1AY&SY", b"\x17rE8P\x90")


def _begins_xz(head: bytes) -> bool:
    return head.startswith(b"\xfd7zXZ\0")


def _begins_zlib(head: bytes) -> bool:
    """Whether a zlib stream begins here; two bytes say little, so what follows must expand to something."""
    method, flags = head[0] if head else 0, head[1] if len(head) > 1 else 0
    valid = method & 0x8F == 8 and not flags & 0x20 and (method << 8 | flags) % 31 == 0
    return valid and _expands(ZlibDecompressor(15), head)


def _begins_lzma(head: bytes) -> bool:
    """Whether a legacy .lzma stream begins here that a reader hands over something of, or of what follows it.

    Numbers with zeros between them often are one, and expand to zeros: `formats.hidden_lzma` follows these.
    joblib knows one by its most usual properties, and reads on behind one that is empty.
    """
    if not is_lzma_header(head):
        return False
    usual = head.startswith(b"\x5d\0")
    decompressor = lzma.LZMADecompressor(lzma.FORMAT_ALONE, LZMA_MEMORY)
    return _expands(decompressor, head, None if usual else b"\0") or (usual and bool(_behind(decompressor)))


def is_lzma_header(head: bytes) -> bool:
    """Whether it begins with what liblzma takes for the properties and sizes of an .lzma stream (lzma_auto_decoder)."""
    if head[13:14] != b"\0":
        return False
    dictionary, size = int.from_bytes(head[1:5], "little"), head[5:13]
    usual = dictionary & (dictionary - 1) == 0 or (dictionary % 3 == 0 and (dictionary // 3).bit_count() == 1)
    plausible = size == b"\xff" * 8 or size[5:] == b"\0\0\0"
    return head[0] <= 224 and plausible and (usual or dictionary == 0xFFFFFFFF)


def _behind(decompressor: Decompressor) -> bytes:
    """Return what follows the end of a stream, or nothing where it was not reached."""
    return decompressor.unused_data if decompressor.eof else b""


def _expands(decompressor: Decompressor, head: bytes, except_to: bytes | None = None) -> bool:
    """Whether a reader would hand over anything, be the stream damaged later or without its end."""
    try:
        first = decompressor.decompress(head, PROBED)
    except (InflateError, lzma.LZMAError) as error:
        return needs_memory(error)
    return first[:1] != except_to if first else len(head) >= PEEK and not decompressor.eof


def needs_memory(error: Exception) -> bool:
    """Whether a stream was not read because that would take more memory than is allowed."""
    return "emory" in str(error)  # lzma has no type of its own for its limit on memory


GZIP = CompressionFormat("gzip", _begins_gzip, lambda _memory: ZlibDecompressor(31))
ZLIB = CompressionFormat("zlib", _begins_zlib, lambda _memory: ZlibDecompressor(15))
BZIP2 = CompressionFormat("bzip2", _begins_bzip2, lambda _memory: bz2.BZ2Decompressor())
XZ = CompressionFormat("xz", _begins_xz, lambda memory: lzma.LZMADecompressor(lzma.FORMAT_XZ, memory))
LZMA = CompressionFormat("lzma", _begins_lzma, lambda memory: lzma.LZMADecompressor(lzma.FORMAT_ALONE, memory))
FORMS = (GZIP, BZIP2, XZ, ZLIB, LZMA)


class DecompressedReader:
    """The expanded content of consecutive streams of one format. `read` raises `Refused` where they are damaged."""

    def __init__(self, content: PeekableReader, form: CompressionFormat, context: ScanContext) -> None:
        self._content = content
        self._form = form
        self._check_extra(content.peek(EXTRA_FROM))
        self._budget = context.budget
        self._memory = LZMA_MEMORY >> context.depth
        self._decoder = form.decompressor(self._memory)
        self._given = memoryview(b"")
        self._at = 0
        self._window = FIRST_WINDOW
        self._size = 0

    def read(self, size: int) -> bytes:
        """Return at most `size` of the next bytes, and none only at the end."""
        while not self._decoder.eof or self._another():
            asked = self._decoder.needs_input
            given = self._some() if asked else b""
            block = self._decompress(given, size)
            if block:
                return block
            if asked and not given and not self._decoder.eof:
                return self._without_end()
        return b""

    def _without_end(self) -> bytes:
        if self._form is ZLIB and self._content.offset < TELLING:
            return b""
        raise Refused("corrupt-compressed", f"The {self._form.name} data ends before its end marker")

    def _decompress(self, given: bytes | memoryview, size: int) -> bytes:
        try:
            block = self._decoder.decompress(given, size)
        except (InflateError, lzma.LZMAError, OSError, ValueError, EOFError) as error:
            raise self._unreadable(error) from None
        if self._decoder.eof and (unused := self._decoder.unused_data):
            self._at -= len(unused)  # all of it is of what was given last
        self._count(len(block))
        return block

    def _unreadable(self, error: Exception) -> Refused:
        if self._form in (XZ, LZMA) and needs_memory(error):
            reason = f"Reading the {self._form.name} data takes more than {self._memory} bytes of memory"
            return Refused("unscannable-compression", reason)
        return Refused("corrupt-compressed", f"The {self._form.name} data is damaged ({error})")

    def _count(self, size: int) -> None:
        self._budget.spend(size)
        self._size += size
        if self._size > RATIO_FROM and self._size > RATIO * self._content.offset:
            raise Refused("expansion-ratio", f"The {self._form.name} data expands to more than {RATIO} times its size")

    def _some(self) -> memoryview:
        if self._at == len(self._given):
            self._given, self._at = memoryview(self._content.read(BLOCK)), 0
        some = self._given[self._at : self._at + self._window]
        self._at += len(some)
        self._window = min(self._window * 2, BLOCK)
        return some

    def _another(self) -> bool:
        """Whether one more stream follows; zeros between two and at the end are padding. Raises `Refused`."""
        head = self._next()
        if not head:
            return False
        if not self._form.begins(head):
            offset = self._content.offset - len(self._given) + self._at
            raise Refused("trailing-data", f"Other data follows the {self._form.name} data at byte {offset}")
        self._check_extra(head)
        self._decoder, self._window = self._form.decompressor(self._memory), FIRST_WINDOW
        return True

    def _check_extra(self, head: bytes) -> None:
        """Refuse a gzip stream in whose extra field another format may lie (RFC 1952, 2.3.1)."""
        size = int.from_bytes(head[10:EXTRA_FROM], "little")
        if self._form is GZIP and head[3] & FEXTRA and size > MOST_EXTRA:
            raise Refused(
                "ambiguous-content", f"Has {size} bytes in an extra field of gzip, which may be another format"
            )

    def _next(self) -> bytes:
        """Pass over zeros and return the next bytes: enough to identify a format, unless fewer are left."""
        while True:
            self._pass_zeros()
            left = self._given[self._at :]
            if len(left) >= FIRST_WINDOW or not (more := self._content.read(BLOCK)):
                return bytes(left[:FIRST_WINDOW])
            self._given, self._at = memoryview(bytes(left) + more), 0

    def _pass_zeros(self) -> None:
        if self._at < len(self._given) and self._given[self._at] == 0:
            left = bytes(self._given[self._at :])
            self._at += len(left) - len(left.lstrip(b"\0"))


def _scanner(form: CompressionFormat) -> Callable[[PeekableReader, ScanContext, Scan], None]:
    def compressed(content: PeekableReader, context: ScanContext, scan: Scan) -> None:
        scan(DecompressedReader(content, form, context), context.expanded(form.name))

    return compressed


def unreadable(content: PeekableReader, _where: ScanContext, _scan: Scan) -> None:
    """Refuse a format that cannot be inspected, by its name."""
    head = content.peek(FIRST_WINDOW)
    name = next(name for magic, name in UNREADABLE if head.startswith(magic))
    raise Refused("unscannable-compression", f"Is {name} data, which cannot be inspected: use gzip, bzip2 or xz")


_UNREADABLE = tuple(magic for magic, _ in UNREADABLE)


def _is_unreadable(head: bytes) -> bool:
    return head.startswith(_UNREADABLE)


def _begins_zfile(head: bytes) -> bool:
    """Whether this is joblib's format of before 0.10: a length in hexadecimal, and a zlib stream (read_zfile)."""
    try:
        return head.startswith(ZFILE) and len(head) > ZFILE_HEADER and int(head[len(ZFILE) : ZFILE_HEADER], 16) >= 0
    except ValueError:
        return False


def _zfile(content: PeekableReader, context: ScanContext, scan: Scan) -> None:
    content.skip(ZFILE_HEADER + (content.peek(ZFILE_HEADER + 1)[ZFILE_HEADER:] == b" "))
    _scanner(ZLIB)(content, context, scan)


Kind = tuple[Callable[[bytes], bool], Callable[[PeekableReader, ScanContext, Scan], None]]
NAMES: Mapping[Kind, str] = {
    **{(form.begins, _scanner(form)): form.name for form in FORMS},
    (_begins_zfile, _zfile): ZLIB.name,
}
"""The names of what can be read."""
KINDS: Iterable[Kind] = (*NAMES, (_is_unreadable, unreadable))
"""Each with a test of the first bytes and a scanner."""
