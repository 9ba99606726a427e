"""Submissions that lack their next step: open ones by their table, others by a bounded look at the bucket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from signoff.aws.s3 import Bucket
from signoff.aws.submissions_table import SubmissionsTable
from signoff.documents import timestamps
from signoff.submission.layout import REPORT, Submission
from signoff.sweep.acts import Acts, Moves
from signoff.sweep.budget import Budget
from signoff.sweep.round import Cursor, Step

_PAGE = 1000  # objects
_MOST = 500  # open submissions that a run looks at; those that have waited longest come first
_LOOKED_UP = 100  # rows with a call
# One that has waited for longer has no object any more: it would have been refused after an hour.
_OPEN = timedelta(days=7)


@dataclass(frozen=True)
class LostSubmissions:
    """Has submissions handled again of which nobody has heard."""

    submissions: SubmissionsTable
    inbox: Bucket
    acts: Acts

    def open(self, before: datetime, now: datetime, moves: Moves) -> None:
        """Look at the submissions that wait, or whose registration has died."""
        since, until = timestamps.text(now - _OPEN), timestamps.text(now)
        for known in self.submissions.open(since, until, _MOST):
            with moves.reported("submission"):
                listed = list(self.inbox.names(f"{known['submission']}/"))
                self._move_on(listed, {known["submission"]: known}, before, now, moves)

    def inbox_page(self, cursor: Cursor, before: datetime, moves: Moves, budget: Budget) -> Step | None:
        """Look at the next objects of the bucket. A submission that ends beyond them is left to the next page."""
        budget.spend()
        listed = self.inbox.page(cursor or "", _PAGE)
        if not listed:
            return Step(None, ended=True)
        prefixes = list(dict.fromkeys(Submission.of(key) for key, _ in listed))
        if not budget.allows(1):
            return None
        fitting = set(prefixes[: budget.calls * _LOOKED_UP])
        if len(prefixes) > 1 and len(listed) == _PAGE:
            fitting.discard(prefixes[-1])
        kept = [each for each in listed if Submission.of(each[0]) in fitting]
        known = self._known([each.prefix for each in fitting if each], budget)
        self._move_on(kept, known, before, budget.now(), moves)
        return Step(kept[-1][0])

    def _known(self, prefixes: list[str], budget: Budget) -> dict[str, dict[str, Any]]:
        known: dict[str, dict[str, Any]] = {}
        for start in range(0, len(prefixes), _LOOKED_UP):
            budget.spend()
            known |= self.submissions.get_all(prefixes[start : start + _LOOKED_UP])
        return known

    def _move_on(
        self,
        listed: list[tuple[str, datetime]],
        rows: Mapping[str, Mapping[str, Any]],
        before: datetime,
        now: datetime,
        moves: Moves,
    ) -> None:
        # S3 lists in the order of the keys, so that a submission's objects come together.
        for submission, objects in groupby(listed, lambda each: Submission.of(each[0])):
            uploads = ((changed, key) for key, changed in objects if not key.endswith(f"/{REPORT}"))
            changed, key = max(uploads, default=(None, ""))
            known = rows.get(submission.prefix) if submission else None
            if submission and changed and changed <= before and _unfinished(known, changed, now):
                self.acts.upload(moves, "submission", self.inbox.name, key)


def _unfinished(known: Mapping[str, Any] | None, changed: datetime, now: datetime) -> bool:
    if known is None or known["state"] == "waiting":
        return True
    if known["state"] == "registering":
        return str(known["until"]) < timestamps.text(now)
    return bool(known["state"] == "refused") and timestamps.text(changed) > known["since"]
