"""Scanning bytes made in memory, and what was found in them."""

from __future__ import annotations

from signoff.artifact import scan
from signoff.artifact.context import ScanContext
from signoff.artifact.streams.limits import Budget
from signoff.artifact.streams.readers import BLOCK, Reader

Found = list[tuple[str, str]]


class BoundedChunks:
    """Bytes read in pieces of at most `chunk`; asking for more at once than may be held in memory fails."""

    def __init__(self, data: bytes, chunk: int = 1 << 20) -> None:
        self.data = memoryview(data)
        self.at = 0
        self.chunk = chunk

    def read(self, size: int) -> bytes:
        assert 0 < size <= BLOCK, f"{size} bytes asked for at once"
        part = bytes(self.data[self.at : self.at + min(size, self.chunk)])
        self.at += len(part)
        return part


def scanned(data: bytes | Reader, budget: Budget | None = None, chunk: int = 1 << 20) -> list[tuple[str, str, str]]:
    """Return (member, rule, reason) for all that is found in a member `m` of this content."""
    found = []
    where = ScanContext("m", lambda member, rule, reason, _: found.append((member, rule, reason)), budget or Budget())
    reader = BoundedChunks(data, chunk) if isinstance(data, bytes) else data
    scan.scan(reader, where)
    if isinstance(reader, BoundedChunks):
        assert reader.at == len(reader.data), "not read to its end"
    return found


def faults(data: bytes, budget: Budget | None = None, chunk: int = 1 << 20) -> Found:
    """Return (member, rule) for all that is found in a member `m` of this content."""
    return [(member, rule) for member, rule, _ in scanned(data, budget, chunk)]
