"""A clock that stands still until a test moves it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 2, 9, 15, 20, tzinfo=UTC)


@dataclass
class Clock:
    """Called, it says what time it is."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> None:
        """Move on by a `timedelta` given by its parts, as in `forward(minutes=20)`."""
        self.now += timedelta(**span)
