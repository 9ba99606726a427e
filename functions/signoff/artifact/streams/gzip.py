"""A gzip stream that is read forward once, and hashed while it is read.

`inspection.inspect` reads a tar through it. Nothing here keeps more than one block of the artifact in memory, and
nothing touches a disk.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from zlib_ng import zlib_ng

from signoff.artifact.streams.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


HEAD = 512  # bytes that identify a file; the length of a tar header
INFLATE_IN = 256 * 1024
INFLATE_OUT = 1024 * 1024
AHEAD = 8  # blocks read ahead
WORTH_A_THREAD = 64 * 1024  # bytes; handing over fewer costs more than it gains
GZIP = b"\x1f\x8b"

InflateError: type[Exception] = zlib_ng.error  # type: ignore[assignment]  # its stub says that it is an instance

SIGNATURES = (
    (b"PK", "a zip archive"),
    (GZIP, "gzip data"),
    (b"BZh", "a bzip2 file"),
    (b"\xfd7zXZ", "an xz file"),
    (b"\x28\xb5\x2f\xfd", "a zstandard file"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"\x04\x22\x4d\x18", "an lz4 file"),
    (b"\x1f\x9d", "a file made by compress"),
    (b"Rar!", "a RAR archive"),
    (b"07070", "a cpio archive"),
    (b"!<arch>", "an ar archive"),
    (b"\x89HDF", "an HDF5 file"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"GGUF", "a GGUF file"),
    (b"\x80", "a pickle"),
    (b"\x7fELF", "a compiled program"),
    (b"MZ", "a Windows program"),
    (b"#!", "a script"),
    (b"%PDF", "a PDF document"),
    (b"<", "an HTML or XML page"),
    (b"{", "a JSON document"),
)


def looks_like(head: bytes) -> str:
    """Return in words what a file that begins with `head` seems to be."""
    if not head:
        return "empty"
    if head[257:262] == b"ustar":
        return "a tar archive that is not compressed"
    if not head.strip(b"\0"):
        return "zeros"
    if head[8:10] == b'{"' and head[4:8] == bytes(4):
        return "a safetensors file"
    start = head.lstrip() or head
    return next((name for magic, name in SIGNATURES if start.startswith(magic)), "data of an unknown format")


class HashedSource:
    """The artifact's bytes in chunks, counted and hashed (SHA-256) as they are read.

    A chunk is hashed in a thread while it is used. Only one thread may take chunks at a time.
    """

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._hash = hashlib.sha256()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="hash")
        self._hashing: Future[None] | None = None
        self.size = 0

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        chunk = next(self._chunks)
        self._count(chunk)
        return chunk

    def _count(self, chunk: bytes) -> None:
        self._hashed()
        if len(chunk) < WORTH_A_THREAD:
            self._hash.update(chunk)
        else:
            self._hashing = self._pool.submit(self._hash.update, chunk)
        self.size += len(chunk)

    def _hashed(self) -> None:
        if self._hashing:
            self._hashing.result()
            self._hashing = None

    def drain(self) -> str:
        """Read what is left and return the SHA-256 of all of it, in hexadecimal."""
        for _ in self:
            pass
        self._hashed()
        self._pool.shutdown(wait=False)
        return self._hash.hexdigest()


def gathered(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Join small blocks, because handing each to another thread is costly; blocks before an error are kept."""
    parts: list[bytes] = []
    length = 0
    try:
        for block in blocks:
            parts.append(block)
            length += len(block)
            if length >= WORTH_A_THREAD:
                yield b"".join(parts)
                parts, length = [], 0
    except Refused:
        yield b"".join(parts)
        raise
    yield b"".join(parts)


def gunzip(source: Iterable[bytes]) -> Iterator[bytes]:
    """Yield what a gzip stream of one or several members expands to, in blocks of at most `INFLATE_OUT` bytes.

    Raises `Refused` (`not-gzip`, `corrupt-gzip`, `truncated-gzip`, `trailing-data`). RFC 1952 describes the format.
    """
    unread = _InputBuffer(source)
    head = unread.peek(HEAD)
    if not head.startswith(GZIP):
        raise Refused("not-gzip", f"Not a gzip file: it is {looks_like(head)}")
    while head:
        if not head.startswith(GZIP):
            raise Refused("trailing-data", f"The gzip stream is followed by {looks_like(head)}")
        yield from _gunzip_member(unread)
        head = unread.peek(HEAD)


def _gunzip_member(unread: _InputBuffer) -> Iterator[bytes]:
    inflater = zlib_ng.decompressobj(
        wbits=31
    )  # 31: with gzip's header and trailer, whose checksum and length it compares
    window = 4096  # grows: zlib copies what it is given and does not use, and members may be tiny and many
    while not inflater.eof:
        given = unread.window(window)
        try:
            block = inflater.decompress(given, INFLATE_OUT)
        except InflateError as error:
            raise Refused("corrupt-gzip", f"The gzip data is damaged ({error})") from None
        # At the end of a member, zlib may repeat in the unconsumed tail what it says is unused.
        unused = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
        unread.advance(len(given) - len(unused))
        if block:
            yield block
        elif not given:
            raise Refused("truncated-gzip", "The gzip data ends before its end marker: the upload is incomplete")
        window = min(window * 2, INFLATE_IN)


class _InputBuffer:
    """Compressed bytes not inflated yet, handed out without copying the rest."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._view = memoryview(b"")

    def peek(self, size: int) -> bytes:
        """Return the next `size` bytes, fewer at the end, without consuming them."""
        while len(self._view) < size and (piece := next(self._pieces, None)) is not None:
            self._view = memoryview(bytes(self._view) + piece)
        return bytes(self._view[:size])

    def window(self, size: int) -> memoryview:
        """Return some of the next bytes, at most `size`; none only at the end."""
        while not self._view and (piece := next(self._pieces, None)) is not None:
            self._view = memoryview(piece)
        return self._view[:size]

    def advance(self, size: int) -> None:
        """Pass over `size` bytes."""
        self._view = self._view[size:]
