"""How far an archive may expand, and how much it may hold, before it is read no further."""

from __future__ import annotations

from dataclasses import dataclass

GIB = 1024**3  # bytes


@dataclass(frozen=True)
class Limits:
    """How far an archive may expand (bytes), and how many members it may hold, before reading stops.

    The ratio of expanded to compressed bytes counts only once more than `ratio_from` bytes have come out: a small
    file of zeros is no bomb. `nested` is how many levels deep archives may lie in archives.
    """

    expanded_size: int = 200 * GIB
    ratio: int = 1000
    ratio_from: int = GIB
    members: int = 100_000
    nested: int = 5
