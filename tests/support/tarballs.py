"""Gzips whose bytes are the same everywhere: each Python, and each zlib, compresses in its own way."""

from __future__ import annotations

import zlib

_HEADER = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
_BLOCK = 0xFFFF


def stored_gzip(data: bytes) -> bytes:
    """Return a gzip of `data` that compresses nothing: stored blocks, without a time or a name."""
    pieces = [data[at : at + _BLOCK] for at in range(0, len(data), _BLOCK)] or [b""]
    blocks = [_stored(piece, last=piece is pieces[-1]) for piece in pieces]
    return b"".join([_HEADER, *blocks, zlib.crc32(data).to_bytes(4, "little"), len(data).to_bytes(4, "little")])


def _stored(piece: bytes, *, last: bool) -> bytes:
    size = len(piece)
    return bytes([last]) + size.to_bytes(2, "little") + (size ^ _BLOCK).to_bytes(2, "little") + piece
