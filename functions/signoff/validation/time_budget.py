"""Whether an artifact can be read completely in the time that is left."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator

from signoff.errors import TakesTooLong

# Seconds kept for the chunk that is being read, and for handing the artifact over.
_RESERVE = 90.0
# Seconds of reading after which the rest can be estimated, though it may be faster.
_FORECAST = 60.0
_MARGIN = 2


class TimeBudget:
    """The time for reading one artifact. `left` returns how many seconds are left."""

    def __init__(self, left: Callable[[], float]) -> None:
        self._left = left
        self._began = left()
        self._size = self._read = 0

    def expect(self, size: int) -> None:
        """Start reading an artifact of `size` bytes."""
        self._began, self._size, self._read = self._left(), size, 0

    def keep(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield `chunks` as long as there is time. Raises `TakesTooLong` when there is not enough for the rest."""
        for chunk in chunks:
            self.check()
            yield chunk
            self._read += len(chunk)

    def check(self) -> None:
        """Raise `TakesTooLong` when the time is nearly up, or clearly too short for the remaining bytes."""
        left = self._left()
        spent = self._began - left
        behind = self._size - self._read
        if left < _RESERVE or (spent > _FORECAST and spent * behind > _MARGIN * left * self._read):
            raise TakesTooLong(f"{self._read} of {self._size} bytes in {spent:.0f} s, and {left:.0f} s are left")


def unlimited() -> TimeBudget:
    """Return a budget without a limit."""
    return TimeBudget(lambda: math.inf)  # of which nothing is ever spent: infinity less infinity is not over any number
