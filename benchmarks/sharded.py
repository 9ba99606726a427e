"""An artifact of any size that lies on the disk once and is read many times."""

from __future__ import annotations

import gzip
import os
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LEVEL = 6  # gzip's own
END = bytes(2 * tarfile.BLOCKSIZE)


@dataclass(frozen=True)
class Shard:
    """A file's content, compressed on the disk; `expanded_size` in bytes."""

    path: Path
    expanded_size: int

    @classmethod
    def write(cls, path: Path, content: bytes) -> Shard:
        """Compress a content to `path`."""
        padding = bytes(-len(content) % tarfile.BLOCKSIZE)
        path.write_bytes(gzip.compress(content + padding, LEVEL))
        return cls(path, len(content))


class ShardedArtifact:
    """A model.tar.gz of `number` files, all with the content of one shard.

    It is a gzip stream of several members: each file's header, and each file's content.
    """

    def __init__(self, shard: Shard, number: int) -> None:
        self._shard = shard
        self._shard_size = shard.path.stat().st_size
        self._file = os.open(shard.path, os.O_RDONLY)
        self._parts = list(self._places(number))
        start, last = self._parts[-1]
        self.size = start + len(last or b"")

    def fetch(self, first: int, last: int) -> bytes:
        """Return a range of it, from the first position to the last, as S3 does."""
        return b"".join(self._overlap(start, part, first, last + 1) for start, part in self._parts)

    def _places(self, number: int) -> Iterator[tuple[int, bytes | None]]:
        """Yield where each part begins, and the part, None for the shard."""
        at = 0
        for index in range(number):
            header = _gzipped(self._header(index))
            yield at, header
            yield at + len(header), None
            at += len(header) + self._shard_size
        yield at, _gzipped(END)

    def _header(self, index: int) -> bytes:
        member = tarfile.TarInfo(f"model-{index:05}.safetensors")
        member.size = self._shard.expanded_size
        return member.tobuf()

    def _overlap(self, start: int, part: bytes | None, first: int, end: int) -> bytes:
        size = self._shard_size if part is None else len(part)
        first, end = max(first - start, 0), min(end - start, size)
        if first >= end:
            return b""
        return os.pread(self._file, end - first, first) if part is None else part[first:end]


def _gzipped(data: bytes) -> bytes:
    deflater = zlib.compressobj(LEVEL, wbits=31)
    return deflater.compress(data) + deflater.flush()
