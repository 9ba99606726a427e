"""Compressed streams as one reader or another takes them: headers, several streams, and ends that are missing.

gzip is RFC 1952, zlib RFC 1950; the rest is what XZ Utils, bzip2 and joblib read.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable, Mapping

Wrap = Callable[[bytes], bytes]

JUNK = b"junk behind the end"
FTEXT, FHCRC, FEXTRA, FNAME, FCOMMENT = 1, 2, 4, 8, 16


def _deflated(data: bytes, level: int = 6) -> bytes:
    deflater = zlib.compressobj(level, wbits=-15)
    return deflater.compress(data) + deflater.flush()


def _gzip(data: bytes, flags: int = 0, fields: bytes = b"", method: int = 8, checksum: int = 0) -> bytes:
    head = b"\x1f\x8b" + bytes([method, flags]) + bytes(6) + fields
    if flags & FHCRC:
        head += ((zlib.crc32(head) ^ checksum) & 0xFFFF).to_bytes(2, "little")
    size = (len(data) & 0xFFFFFFFF).to_bytes(4, "little")
    return head + _deflated(data) + zlib.crc32(data).to_bytes(4, "little") + size


def _halves(data: bytes, by: Wrap) -> bytes:
    return by(data[:1]) + by(data[1:])


_GZIP: Mapping[str, Wrap] = {
    "gzip": _gzip,
    "gzip-stored": lambda data: gzip.compress(data, 0, mtime=0),
    "gzip-text": lambda data: _gzip(data, FTEXT),
    "gzip-checked": lambda data: _gzip(data, FHCRC),
    "gzip-checked-wrong": lambda data: _gzip(data, FHCRC, checksum=1),
    "gzip-extra": lambda data: _gzip(data, FEXTRA, b"\x05\0extra"),
    "gzip-name": lambda data: _gzip(data, FNAME, b"model.pkl\0"),
    "gzip-name-long": lambda data: _gzip(data, FNAME, b"n" * 100_000 + b"\0"),
    "gzip-comment": lambda data: _gzip(data, FCOMMENT, b"comment\0"),
    "gzip-all": lambda data: _gzip(data, 31, b"\2\0xxname\0comment\0"),
    **{f"gzip-reserved-{bit:02x}": lambda data, bit=bit: _gzip(data, bit) for bit in (0x20, 0x40, 0x80)},  # type: ignore[misc]
    "gzip-method": lambda data: _gzip(data, method=7),
    "gzip-members": lambda data: _halves(data, _gzip),
    "gzip-empty-first": lambda data: _gzip(b"") + _gzip(data),
    "gzip-reserved-second": lambda data: _gzip(data[:1]) + _gzip(data[1:], 0x20),
    "gzip-zeros-between": lambda data: _gzip(data[:1]) + bytes(9) + _gzip(data[1:]),
    "gzip-zeros-after": lambda data: _gzip(data) + bytes(5000),
    "gzip-junk-after": lambda data: _gzip(data) + JUNK,
    "gzip-no-trailer": lambda data: _gzip(data)[:-8],
    "gzip-checksum-wrong": lambda data: _gzip(data)[:-8] + bytes(8),
    "gzip-cut": lambda data: gzip.compress(data + bytes(100_000), 0)[:-9_000],
}

_BZIP2: Mapping[str, Wrap] = {
    "bzip2": bz2.compress,
    "bzip2-1": lambda data: bz2.compress(data, 1),
    "bzip2-streams": lambda data: _halves(data, bz2.compress),
    "bzip2-empty-first": lambda data: bz2.compress(b"") + bz2.compress(data),
    "bzip2-junk-after": lambda data: bz2.compress(data) + JUNK,
    "bzip2-cut": lambda data: bz2.compress(data + bytes(2_000_000), 1)[:-6],
}


def _xz(data: bytes, check: int = lzma.CHECK_CRC64, filters: list[dict[str, int]] | None = None) -> bytes:
    return lzma.compress(data, lzma.FORMAT_XZ, check, filters=filters)


def _alone(data: bytes, dictionary: int = 1 << 16, lc: int = 3, lp: int = 0, pb: int = 2) -> bytes:
    how = {"id": lzma.FILTER_LZMA1, "dict_size": dictionary, "lc": lc, "lp": lp, "pb": pb}
    return lzma.compress(data, lzma.FORMAT_ALONE, filters=[how])


def _sized(data: bytes, size: int) -> bytes:
    """A stream that declares how much it holds; LZMA's own end marker follows all the same."""
    stream = _alone(data)
    return stream[:5] + size.to_bytes(8, "little") + stream[13:]


_LZMA2 = {"id": lzma.FILTER_LZMA2, "preset": 1}
_XZ: Mapping[str, Wrap] = {
    "xz": _xz,
    "xz-unchecked": lambda data: _xz(data, lzma.CHECK_NONE),
    "xz-sha256": lambda data: _xz(data, lzma.CHECK_SHA256),
    "xz-delta": lambda data: _xz(data, filters=[{"id": lzma.FILTER_DELTA, "dist": 4}, _LZMA2]),
    "xz-x86": lambda data: _xz(data, filters=[{"id": lzma.FILTER_X86}, _LZMA2]),
    "xz-streams": lambda data: _halves(data, _xz),
    "xz-padded": lambda data: _xz(data[:1]) + bytes(8) + _xz(data[1:]) + bytes(4),
    "xz-junk-after": lambda data: _xz(data) + JUNK,
    "xz-cut": lambda data: _xz(data)[:-20],
    "xz-then-lzma": lambda data: _xz(data[:1]) + _alone(data[1:]),
    "lzma": _alone,
    "lzma-dictionary": lambda data: _alone(data, 100_000),
    "lzma-dictionary-odd": lambda data: _alone(data)[:1] + b"\1\2\3\0" + _alone(data)[5:],
    "lzma-dictionary-large": lambda data: _alone(data)[:1] + b"\0\0\0\x08" + _alone(data)[5:],
    "lzma-dictionary-zero": lambda data: _alone(data)[:1] + bytes(4) + _alone(data)[5:],
    "lzma-properties": lambda data: _alone(data, lc=0, lp=2, pb=0),
    "lzma-properties-usual": lambda data: _alone(data, lc=4),
    "lzma-size": lambda data: _sized(data, len(data)),
    "lzma-size-more": lambda data: _sized(data, len(data) + 9),
    "lzma-size-huge": lambda data: _sized(data, 1 << 37),
    "lzma-cut": lambda data: _alone(data + bytes(100_000))[:-6],
    "lzma-junk-after": lambda data: _alone(data) + JUNK,
    "lzma-empty-first": lambda data: _alone(b"") + _alone(data),
    "lzma-empty-then-xz": lambda data: _alone(b"") + _xz(data),
    "lzma-then-xz": lambda data: _alone(data[:1]) + _xz(data[1:]),
}


def _zlib(data: bytes, method: int = 0x78, level: int = 2, dictionary: bool = False) -> bytes:
    flags = level << 6 | dictionary << 5
    flags += 31 - (method << 8 | flags) % 31
    stream = bytes([method, flags]) + _deflated(data, 9)
    return stream + zlib.adler32(data).to_bytes(4, "big")


def _flushed(data: bytes) -> bytes:
    """Empty blocks for longer than anybody looks ahead, then the data."""
    deflater = zlib.compressobj()
    empty = b"".join(deflater.compress(b"") + deflater.flush(zlib.Z_FULL_FLUSH) for _ in range(2_000))
    return empty + deflater.compress(data) + deflater.flush()


def _zfile(data: bytes, size: int | None = None, width: int = 19) -> bytes:
    """joblib's own format before 0.10 (joblib/numpy_pickle_compat.py, `read_zfile`)."""
    said = hex(len(data) if size is None else size).encode()
    return b"ZF" + said.ljust(width) + zlib.compress(data)


_ZLIB: Mapping[str, Wrap] = {
    "zlib": zlib.compress,
    **{f"zlib-level-{level}": lambda data, level=level: _zlib(data, level=level) for level in range(4)},  # type: ignore[misc]
    **{
        f"zlib-window-{method:02x}": lambda data, method=method: _zlib(data, method)  # type: ignore[misc]
        for method in (0x08, 0x18, 0x38, 0x58, 0x68)
    },
    "zlib-flushed": _flushed,
    "zlib-no-checksum": lambda data: zlib.compress(data)[:-4],
    "zlib-checksum-wrong": lambda data: zlib.compress(data)[:-4] + bytes(4),
    "zlib-junk-after": lambda data: zlib.compress(data) + JUNK,
    "zlib-cut": lambda data: zlib.compress(data + bytes(100_000), 0)[:-9_000],
    "zf": _zfile,
    "zf-cut": lambda data: _zfile(data)[:-4],
    "zf-narrow": lambda data: _zfile(data, width=18),
    "zf-size-wrong": lambda data: _zfile(data, len(data) + 1),
}

COMPRESSION: Mapping[str, Wrap] = {**_GZIP, **_BZIP2, **_XZ, **_ZLIB}
"""Each way of compressing, by its name."""
