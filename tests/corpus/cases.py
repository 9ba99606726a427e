"""Tar blocks written by hand: headers that no tar program writes, under a checksum that is right."""

from __future__ import annotations

import gzip
import tarfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from signoff.artifact.streams.limits import Limits

BLOCK = tarfile.BLOCKSIZE
END = bytes(2 * BLOCK)
FIELDS = {
    "name": (0, 100),
    "mode": (100, 8),
    "size": (124, 12),
    "type": (156, 1),
    "link": (157, 100),
    "magic": (257, 8),
    "prefix": (345, 155),
    "sparse": (386, 96),
    "extended": (482, 1),
    "real_size": (483, 12),
}


@dataclass(frozen=True)
class ArchiveCase:
    """An archive by its name: its bytes, the rule that must be among its findings (None: a valid one), and limits."""

    name: str
    data: bytes
    rule: str | None = None
    limits: Limits | None = None


def header(name: bytes = b"file", size: int | bytes = 0, kind: bytes = b"0", **fields: bytes) -> bytes:
    """Return a ustar header; `fields` are written over it as they are, by the names of `FIELDS`."""
    written = size if isinstance(size, bytes) else b"%011o\0" % size
    values = {"name": name, "mode": b"0000644\0", "magic": b"ustar\x0000", "size": written, "type": kind} | fields
    block = bytearray(BLOCK)
    for field, value in values.items():
        at, length = FIELDS[field]
        block[at : at + length] = value[:length].ljust(length, b"\0")
    return checked(block)


def checked(block: bytes | bytearray, *, signed: bool = False) -> bytes:
    """Return a header with its checksum, of its bytes as unsigned numbers or as old tars add them."""
    block = bytearray(block)
    block[148:156] = b" " * 8
    total = sum(byte - 256 if signed and byte > 127 else byte for byte in block)
    block[148:156] = b"%06o\0 " % total
    return bytes(block)


def padded(content: bytes) -> bytes:
    """Return contents in whole blocks."""
    return content + bytes(-len(content) % BLOCK)


def file(name: bytes = b"file", content: bytes = b"x", **fields: bytes) -> bytes:
    """Return a file with its header."""
    return header(name, len(content), **fields) + padded(content)


def record(keyword: bytes, value: bytes) -> bytes:
    """Return a pax record, its own length in front."""
    length = len(keyword) + len(value) + 3
    while len(b"%d" % length) + len(keyword) + len(value) + 3 != length:
        length = len(b"%d" % length) + len(keyword) + len(value) + 3
    return b"%d %s=%s\n" % (length, keyword, value)


def pax(*pairs: tuple[bytes, bytes], kind: bytes = b"x") -> bytes:
    """Return a pax header of those attributes."""
    body = b"".join(record(*pair) for pair in pairs)
    return header(b"PaxHeaders/file", len(body), kind) + padded(body)


def said(attributes: Mapping[str, str], kind: bytes = b"x") -> bytes:
    """Return a pax header of attributes as text."""
    return pax(*((key.encode(), value.encode()) for key, value in attributes.items()), kind=kind)


def long(value: bytes, kind: bytes = b"L") -> bytes:
    """Return a GNU record of a long name (`L`) or link target (`K`)."""
    return header(b"././@LongLink", len(value) + 1, kind, magic=b"ustar  \0") + padded(value + b"\0")


def zipped(*parts: bytes, end: bytes = END) -> bytes:
    """Return those blocks, and the end marker, as a tar.gz."""
    return gzip.compress(b"".join(parts) + end, mtime=0)


def gzip_with(data: bytes, *, flags: int, fields: bytes, checked_header: bool | None = None) -> bytes:
    """Return a gzip of `data` with optional header fields; `checked_header`: with a right or wrong header checksum."""
    head = b"\x1f\x8b\x08" + bytes([flags | (2 if checked_header is not None else 0)]) + bytes(5) + b"\x03" + fields
    if checked_header is not None:
        head += ((zlib.crc32(head) & 0xFFFF) ^ (not checked_header)).to_bytes(2, "little")
    deflater = zlib.compressobj(wbits=-15)
    body = deflater.compress(data) + deflater.flush()
    return head + body + zlib.crc32(data).to_bytes(4, "little") + (len(data) & 0xFFFFFFFF).to_bytes(4, "little")
