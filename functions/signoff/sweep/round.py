"""The round: everything is compared with the ledger, a bounded piece in each run, going on where the last one ended.

What is kept between runs is one row of the submissions table. Of two runs at once, the first to end keeps its place:
what the other has looked at is looked at again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from signoff.aws.submissions_table import SubmissionsTable
from signoff.documents import timestamps
from signoff.sweep.acts import Moves
from signoff.sweep.budget import Budget

_QUARTER = timedelta(minutes=15)
# SageMaker's search follows the registry with a delay that it does not document.
_DELAY, _FIRST = timedelta(hours=1), timedelta(days=1)
Cursor = Any  # what a part goes on from, as plain values; None at its beginning


@dataclass(frozen=True)
class Step:
    """Where a part goes on, and whether it has come to its end."""

    cursor: Cursor
    ended: bool = False


# Looks at one piece from a cursor on; None when the budget allows no more. The time is when the last round began.
Part = Callable[[Cursor, datetime], Step | None]


@dataclass
class Round:
    """The present round: when it and the one before it began, and where each part is; `seen` is the row's token."""

    began: datetime
    previous: datetime
    cursors: dict[str, Cursor]
    ended: list[str]
    seen: str | None

    @classmethod
    def of(cls, row: Mapping[str, Any], now: datetime) -> Round:
        """Return the round that is kept in a row, or the first one."""
        began = timestamps.parse(row["began"]) if row.get("began") else now
        previous = timestamps.parse(row["previous"]) if row.get("previous") else now - _QUARTER
        return cls(began, previous, dict(row.get("cursors", {})), list(row.get("ended", [])), row.get("token"))

    def go_on(self, parts: Mapping[str, Part], moves: Moves, budget: Budget) -> None:
        """Take each part as far as the budget goes. A part that fails is tried again from there by the next run."""
        for name, part in parts.items():
            with moves.reported(name):
                while name not in self.ended and budget.allows():
                    step = part(self.cursors.get(name), self.previous)
                    if step is None:
                        break
                    self.cursors[name] = step.cursor
                    if step.ended:
                        self.ended.append(name)

    def age(self, now: datetime) -> float:
        """Return since how many seconds the round has been going on."""
        return (now - self.began).total_seconds()

    def keep(self, submissions: SubmissionsTable, parts: Mapping[str, Part], recent: str | None) -> bool:
        """Keep what the next run goes on from, unless another run did: the next round, where this one has closed."""
        row: dict[str, Any] = {"began": timestamps.text(self.began), "previous": timestamps.text(self.previous)}
        row |= {"cursors": self.cursors, "ended": self.ended}
        if set(self.ended) >= set(parts):
            row = {"previous": timestamps.text(self.began)}  # the next one begins with the next run
        return submissions.keep_round({**row, "recent": recent}, self.seen)


def recent_since(row: Mapping[str, Any], now: datetime) -> datetime:
    """Return the time from which a run looks at what was changed in the registry, by what the last one has kept."""
    return min(timestamps.parse(row["recent"]), now - _DELAY) if row.get("recent") else now - _FIRST
