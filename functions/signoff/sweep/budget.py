"""How much one run of the sweep may look at: calls to AWS, and seconds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass
class Budget:
    """The calls that are left to one run, and the time by which it ends."""

    calls: int
    now: Callable[[], datetime]
    ends: datetime

    @classmethod
    def of(cls, calls: int, span: timedelta, now: Callable[[], datetime]) -> Budget:
        """Return what allows so many calls, for as long as `span` from now."""
        return cls(calls, now, now() + span)

    def spend(self, calls: int = 1) -> None:
        """Note that calls are being made."""
        self.calls -= calls

    def allows(self, calls: int = 1) -> bool:
        """Return whether there is time left, and as many calls."""
        return self.calls >= calls and self.now() < self.ends
