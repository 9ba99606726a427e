"""Succession: records in the ledgers of a group's packages when they are superseded or reinstated as champion."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from signoff.aws.ledger_items import package_row
from signoff.aws.ledger_table import LedgerTable
from signoff.deployment.champions import Champions
from signoff.governance.champions import Look, ranked
from signoff.ledger.entries import Draft, Kind, Status
from signoff.ledger.history import History

_ATTEMPTS = 4
_FOLLOWED = 10  # packages that may have superseded one another and are not deployed any more
Row = Mapping[str, Any]


class Succession:
    """Marks the approved and deployed packages of a group that are not (or are again) its champion.

    The index has those first that are not: where nothing changed, this costs one query.
    """

    def __init__(self, ledger: LedgerTable, champions: Champions) -> None:
        self._ledger = ledger
        self._champions = champions

    def settle(self, group: str) -> bool:
        """Record in every ledger of the group whether its package is superseded; return whether anything was written.

        After each write it starts again: the champion may have changed meanwhile.
        """
        for look in range(_ATTEMPTS):
            if self._champions.is_settled(group) or not self._settled(self._champions.look(group)):
                return look > 0
        return True

    def publish_and_settle(self, group: str, known: History, *, new: bool) -> None:
        """Publish the group's champion, and settle the rest, after a package's models changed.

        `known` is that package's history, and `new` says that its model has just been created: it is not published yet.
        After each write it looks again, and at the package's ledger too, so that of two concurrent writers the last has
        seen the other's entries: SSM has no conditional write.
        """
        published: str | None = None
        for look in range(_ATTEMPTS):
            found = self._champions.look(group, known)
            if look == 0 and not (new and found.row and found.row["package"] == known.package):
                published = self._champions.published(group)
            differs = published != (found.champion and found.champion.model)
            if differs:
                published = self._champions.put(group, found.champion)
            if not (self._settled(found) or differs):
                return
            known = self._champions.newest(known)

    def _settled(self, look: Look) -> bool:
        """Write the entries about superseded and reinstated packages. Returns whether there were any."""
        by = look.row
        if by is None:
            return False
        # The reinstated one first: its predecessor is recognised by not being marked yet.
        wrote = bool(by.get("superseded_by")) and self._reinstated(by, look.unmarked)
        for row in look.unmarked:
            wrote |= self._superseded(row["package"], by)
        return wrote

    def _superseded(self, package: str, by: Row) -> bool:
        about = {"by": by["arn"], "by_version": by.get("version"), "model": by.get("model")}

        def follows(row: Row) -> bool:
            # The index may be stale: by its own ledger, too, the package must rank behind the champion.
            return not row.get("superseded") and ranked([row, by])[0].package == by["package"]

        return self._marked(package, Draft(Kind.SUPERSEDED, "signoff", about), follows)

    def _reinstated(self, row: Row, unmarked: Sequence[Row]) -> bool:
        former = self._former(row, unmarked)
        about = {"after": former.get("arn") or row["superseded_by"], "after_version": former.get("version")}
        draft = Draft(Kind.REINSTATED, "signoff", {**about, "model": row.get("model")})
        return self._marked(row["package"], draft, lambda fresh: bool(fresh.get("superseded_by")))

    def _former(self, row: Row, unmarked: Sequence[Row]) -> Row:
        """Return the champion before `row`, as far as the rows tell: one that is deployed and not superseded.

        Else the last of those who superseded one another after `row`.
        """
        if unmarked:
            return max(unmarked, key=itemgetter("since"))
        former: Row = {}
        for _ in range(_FOLLOWED):
            following = (former or row).get("superseded_by")
            rows = list(self._ledger.rows_by_arn(following)) if following else []
            if not rows or rows[-1]["package"] == row["package"]:
                break
            former = rows[-1]
        return former

    def _marked(self, package: str, draft: Draft, wanted: Callable[[Row], bool]) -> bool:
        written: list[Draft] = []

        def mark(history: History) -> list[Draft]:
            row = package_row(history.verified())
            written[:] = [draft] if _deployed(row) and wanted(row) else []
            return written

        self._ledger.update(package, mark)
        return bool(written)


def _deployed(row: Row) -> bool:
    return bool(row.get("status") == Status.APPROVED and row.get("model"))
