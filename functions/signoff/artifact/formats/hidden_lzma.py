"""Numbers that are also an .lzma stream, which expands to zeros: what such a stream holds behind them.

Nothing that is loaded begins with a zero, but zip archives and HDF5 are found behind whatever precedes them.
"""

from __future__ import annotations

import lzma
from collections.abc import Iterator
from typing import TYPE_CHECKING

from signoff.artifact.formats.compressed import LZMA_MEMORY, is_lzma_header, needs_memory
from signoff.artifact.formats.hdf5 import LateSignature
from signoff.artifact.streams.readers import BLOCK
from signoff.artifact.streams.refusal import Refused
from signoff.artifact.zip.directory import TrailingBytes

if TYPE_CHECKING:
    from signoff.artifact.context import Scan, ScanContext
    from signoff.artifact.streams.readers import PeekableReader

WINDOW = 4096  # bytes that are given at once: what follows a stream is copied
MOST_STREAMS = 100_000  # a bound on time: zeros are many empty streams


def hides_lzma(head: bytes) -> bool:
    """Whether a reader of .lzma streams would read something from what begins so, that is of no other format."""
    try:
        return is_lzma_header(head) and bool(_decompressor(0).decompress(head, 1))
    except lzma.LZMAError:
        return False


def hidden_lzma(content: PeekableReader, context: ScanContext, _scan: Scan) -> None:
    """Report what a loader finds from the end, or at some offsets, of what the streams hold up to where they break.

    Raises `Refused` (`unscannable-compression`, `expansion-limit`).
    """
    tail, hdf5 = TrailingBytes(), LateSignature()
    for part in _expanded(content, context):
        tail.add(part)
        hdf5.add(part)
    if tail.holds_end() or hdf5.found:
        context.report("ambiguous-content", "Is LZMA data too, with a zip archive or HDF5 behind zeros in it")


def _expanded(content: PeekableReader, context: ScanContext) -> Iterator[bytes]:
    """Yield what Python's `lzma.open` reads: one stream after the other, until something else follows, or a mistake."""
    given = b""
    for _ in range(MOST_STREAMS):
        decompressor = _decompressor(context.depth)
        while not decompressor.eof:
            if decompressor.needs_input and not (given := given or content.read(WINDOW)):
                return
            try:
                part = decompressor.decompress(given, BLOCK)
            except lzma.LZMAError as error:
                if needs_memory(error):
                    raise Refused("unscannable-compression", "Reading it as LZMA data takes too much memory") from None
                return
            given = b""
            context.budget.spend(len(part))
            yield part
        given = decompressor.unused_data
    context.report("ambiguous-content", f"May be LZMA data too, in more than {MOST_STREAMS} streams")


def _decompressor(depth: int) -> lzma.LZMADecompressor:
    return lzma.LZMADecompressor(lzma.FORMAT_AUTO, LZMA_MEMORY >> depth)
