"""HDF5: Keras' format before .keras, still used for weights.

Keras keeps a model in attributes, as JSON texts (`model_config`, `training_config`). No HDF5 reader can stream, so all
bytes are searched for what reads as a JSON object, and each is checked as a .keras archive's config.json is. HDF5
stores the text of an attribute in one piece, in UTF-8 or ASCII, unless it keeps attributes in a heap that is
compressed: such a heap is refused. What this cannot see is text in compressed or chunked datasets, which Keras does not
read a model from.
https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from signoff.artifact.context import FindingCollector
from signoff.artifact.formats.hdf5_pickles import Pickles
from signoff.artifact.formats.hdf5_references import References, check_addresses
from signoff.artifact.formats.keras import MAX_CONFIG, decoder, too_large, unreadable
from signoff.artifact.streams.readers import BLOCK, PEEK
from signoff.documents.patterns import compiled_on_use

if TYPE_CHECKING:
    from signoff.artifact.context import Scan, ScanContext
    from signoff.artifact.streams.readers import PeekableReader

MAGIC = b"\x89HDF\r\n\x1a\n"
OFFSETS = (0, 512, 1024, 2048)  # a file may begin with a user block
MAX_TEXTS = 100_000  # that read like JSON: a bound on time
FIRST_LOOK = 16 * 1024  # bytes that are tried first, and four times as many where the text goes on

# Numbers hold these first two bytes often, and the whole hardly ever. It ends where the text does that was looked at.
_BRACE = compiled_on_use(rb'\{[ \t\r\n"]')
_OBJECT = compiled_on_use(rb'\{[ \t\r\n]*+(?:\Z|"(?:[^"\\\x00-\x1f]++|\\.)*+(?:\\?\Z|"[ \t\r\n]*+(?:\Z|:)))', re.DOTALL)
# "III.G. Disk Format: Level 1G - Fractal Heap": a version, 0, the length of an id, and that of the filters.
_FILTERED_HEAP = compiled_on_use(rb"FRHP\x00[\x00-\xff]{2}(?!\x00\x00)[\x00-\xff]{2}[\x00-\x03]")
_OVERLAP = 16


def is_hdf5(head: bytes) -> bool:
    """Whether content that begins with `head` is HDF5, with or without a user block before it."""
    return any(head.startswith(MAGIC, offset) for offset in OFFSETS)


def hdf5(content: PeekableReader, context: ScanContext, _scan: Scan) -> None:
    """Check all objects of Keras that JSON texts anywhere in the file describe.

    Reports what `keras_config` does, and what pickles in it would run; raises `Refused` (`keras-config-too-large`,
    `unreadable-keras-config`, `hdf5-external-data`, `unreadable-pickle`).
    """
    head = content.peek(PEEK)
    base = next(offset for offset in OFFSETS if head.startswith(MAGIC, offset))
    check_addresses(head[base:])
    _Search(content, decoder(FindingCollector(context)), References(base), Pickles(context)).run()


class LateSignature:
    """Looks for HDF5 behind something else, whatever that is: its readers look on, at each doubled offset."""

    def __init__(self) -> None:
        self.found: list[int] = []
        self._next = OFFSETS[1]
        self._at = 0
        self._held = b""

    def add(self, part: bytes) -> None:
        """Look through the next bytes; `found` are the offsets of the signatures that lie where one may."""
        kept = 1 - len(MAGIC)  # what a signature may begin in that ends in the next bytes
        if self._next + len(MAGIC) <= self._at + len(part):  # seldom: otherwise nothing is copied
            self._look(self._held + part, self._at - len(self._held))
        self._at += len(part)
        self._held = (self._held + part[kept:])[kept:]

    def _look(self, data: bytes, begin: int) -> None:
        while self._next + len(MAGIC) <= begin + len(data):
            if data.startswith(MAGIC, self._next - begin):
                self.found.append(self._next)
            self._next *= 2


class _Search:
    """A search through content, of which a block is held, or as much as the text has that is being read."""

    def __init__(
        self, content: PeekableReader, reader: json.JSONDecoder, references: References, pickles: Pickles
    ) -> None:
        self._content = content
        self._reader = reader
        self._held = b""
        self._at = 0
        self._last = b""
        self._texts = 0
        self._references = references
        self._pickles = pickles

    def run(self) -> None:
        """Read to the end. Raises `Refused`."""
        while self._more(BLOCK):
            while found := _BRACE.search(self._held, self._at):
                self._at = found.start()
                passed = self._object()  # which may move what is held
                self._at += passed
            self._at = max(self._at, len(self._held) - 1)
        self._references.conclude()
        self._pickles.conclude()

    def _more(self, size: int) -> bool:
        """Let go of what has been looked at, and hold so many bytes more; return whether there were any."""
        parts = [self._held[self._at :]]
        while size > 0 and (part := self._content.read(min(size, BLOCK))):
            if _FILTERED_HEAP.search(self._last + part):
                raise unreadable("it may lie in attributes that are compressed")
            self._last = (self._last + part)[-_OVERLAP:]
            self._references.look(part)
            self._pickles.look(part)
            parts.append(part)
            size -= len(part)
        self._held, self._at = b"".join(parts), 0
        return len(parts) > 1

    def _object(self) -> int:
        """Read the JSON object that may begin here; return how many bytes need not be looked at again."""
        size = FIRST_LOOK
        while size <= MAX_CONFIG:
            ended = len(self._held) - self._at < size and not self._more(size)
            window = self._held[self._at : self._at + size]
            if not _OBJECT.match(window):
                return 1
            text = window.decode("utf-8", "surrogateescape")
            try:
                _, end = self._reader.raw_decode(text)
            except json.JSONDecodeError as error:
                if ended or not _is_cut(error, text):
                    self._count()
                    return 1
            except RecursionError:
                raise unreadable("it is nested too deep") from None
            else:
                self._count()
                return len(text[:end].encode("utf-8", "surrogateescape"))
            self._count()
            size *= 4
        raise too_large()

    def _count(self) -> None:
        self._texts += 1
        if self._texts > MAX_TEXTS:
            raise unreadable(f"it may be any of more than {MAX_TEXTS} texts")


def _is_cut(error: json.JSONDecodeError, text: str) -> bool:
    """Whether it ends where the text does that was looked at, and may go on after it."""
    return error.msg.startswith("Unterminated") or error.pos >= len(text) - _OVERLAP
