"""What is an .lzma stream of zeros too, as numbers often are: what such a stream holds behind them.

Nothing that is loaded begins with a zero, but zip archives and HDF5 are found behind whatever precedes them, and all
that reads such streams goes on behind one that is empty.
"""

from __future__ import annotations

import lzma
from typing import TYPE_CHECKING

from signoff.artifact.formats.compressed import LZMA_MEMORY, is_lzma_header, needs_memory
from signoff.artifact.formats.hdf5 import LateSignature
from signoff.artifact.pickle.ambiguity import PickleWatch
from signoff.artifact.streams.readers import BLOCK
from signoff.artifact.zip.directory import TrailingBytes

if TYPE_CHECKING:
    from signoff.artifact.streams.limits import Budget

WINDOW = 4096  # bytes that are given at once: what follows a stream is copied
MOST_STREAMS = 100_000  # a bound on time: zeros are many empty streams


def hides_lzma(head: bytes) -> bool:
    """Whether a reader of .lzma streams would read something from what begins so."""
    try:
        while is_lzma_header(head) or head.startswith(b"\xfd7zXZ\0"):
            decompressor = lzma.LZMADecompressor(memlimit=LZMA_MEMORY)
            if decompressor.decompress(head, 1):
                return True
            head = decompressor.unused_data
    except lzma.LZMAError:
        pass
    return False


class LzmaWatch:
    """Follows content as Python's `lzma.open` reads it: one stream after the other, until something else follows.

    `reason` says why it is refused; what holds nothing that a loader finds has none. What `budget` bounds raises.
    """

    def __init__(self, budget: Budget, depth: int) -> None:
        self._budget = budget
        self._memory = LZMA_MEMORY >> depth
        self._streams = 0
        self._decompressor: lzma.LZMADecompressor | None = self._next()
        self._tail, self._hdf5, self._pickle = TrailingBytes(), LateSignature(), PickleWatch()
        self._stopped = ""

    @property
    def reason(self) -> str:
        """Why the content is refused, of which all was fed; nothing where it is not."""
        if self._tail.holds_end() or self._hdf5.found:
            return "Is LZMA data too, with a zip archive or HDF5 behind zeros in it"
        if self._pickle.end():
            return "Is LZMA data too, with a pickle behind an empty stream"
        return self._stopped

    def feed(self, part: bytes) -> None:
        """Follow the next bytes."""
        for at in range(0, len(part), WINDOW):
            given = part[at : at + WINDOW]
            while self._decompressor and (given or not self._decompressor.needs_input):
                given = self._follow(self._decompressor, given)

    def _follow(self, decompressor: lzma.LZMADecompressor, given: bytes) -> bytes:
        """Look at what comes out, and return what is to be given next."""
        try:
            expanded = decompressor.decompress(given, BLOCK)
        except lzma.LZMAError as error:
            self._decompressor = None
            self._stopped = "May be LZMA data too, which takes too much memory" if needs_memory(error) else ""
            return b""
        self._budget.spend(len(expanded))
        self._tail.add(expanded)
        self._hdf5.add(expanded)
        self._pickle.feed(expanded)
        if not decompressor.eof:
            return b""
        self._decompressor = self._next()
        return decompressor.unused_data

    def _next(self) -> lzma.LZMADecompressor | None:
        self._streams += 1
        if self._streams <= MOST_STREAMS:
            return lzma.LZMADecompressor(memlimit=self._memory)
        self._stopped = f"May be LZMA data too, in more than {MOST_STREAMS} streams"
        return None
