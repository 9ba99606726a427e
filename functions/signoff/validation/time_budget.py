"""Whether what is being read will be read to its end in the time that there is."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator

from signoff.errors import TakesTooLong

# What stays of a function's time for the chunk that is under way, and for handing over what it does not finish.
_RESERVE = 90.0
# After so many seconds of reading it can be told how many it will take, though what is behind may go faster.
_FORECAST = 60.0
_PLAINLY = 2


class TimeBudget:
    """Watches over the reading of one artifact. `left` says how many seconds there are from now on."""

    def __init__(self, left: Callable[[], float]) -> None:
        self._left = left
        self._began = left()
        self._size = self._read = 0

    def expect(self, size: int) -> None:
        """Begin to read what has `size` bytes in all."""
        self._began, self._size, self._read = self._left(), size, 0

    def keep(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield `chunks` as long as there is time. Raises `TakesTooLong` when the rest will not be read in it."""
        for chunk in chunks:
            self.check()
            yield chunk
            self._read += len(chunk)

    def check(self) -> None:
        """Raise `TakesTooLong` when the time is nearly up, or plainly too short for the bytes that are left."""
        left = self._left()
        spent = self._began - left
        behind = self._size - self._read
        if left < _RESERVE or (spent > _FORECAST and spent * behind > _PLAINLY * left * self._read):
            raise TakesTooLong(f"{self._read} of {self._size} bytes in {spent:.0f} s, and {left:.0f} s are left")


def unlimited() -> TimeBudget:
    """Return the pace of who has all the time that it takes."""
    return TimeBudget(lambda: math.inf)  # of which nothing is ever spent: infinity less infinity is not over any number
