"""Succession: records in the ledgers of a group's packages when they are superseded or reinstated as champion."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from signoff.aws.ledger_table import LedgerTable, package_row
from signoff.deployment.champions import Champions
from signoff.governance.champions import Champion, ranked
from signoff.ledger.entries import Draft, Kind, Status, package_of
from signoff.ledger.history import History

_ATTEMPTS = 4
Row = Mapping[str, Any]


class Succession:
    """Marks the approved and deployed packages of a group that are not (or are again) its champion.

    Their rows show which are marked already: where nothing changed, this costs one query.
    """

    def __init__(self, ledger: LedgerTable, champions: Champions) -> None:
        self._ledger = ledger
        self._champions = champions

    def settle(self, group: str, known: History | None = None) -> bool:
        """Record in every ledger of the group whether its package is superseded; return whether anything was written.

        `known` is a history that the caller has just read or written. After each write
        it starts again: the champion may have changed meanwhile.
        """
        for look in range(_ATTEMPTS):
            rows = self._champions.rows(group, known)
            if not _unsettled(rows):
                return look > 0
            champion = self._champions.of(group, known)
            if champion is None or package_of(champion.package)[0] is None or not self._settled(rows, champion):
                return look > 0
            known = known and self._ledger.history(known.package).verified()
        return True

    def _settled(self, rows: Sequence[Row], champion: Champion) -> bool:
        """Write the entries about superseded and reinstated packages. Returns whether there were any."""
        by = next((row for row in rows if row["package"] == champion.package), None)
        if by is None:
            return False
        # The reinstated one first: its predecessor is recognised by not being marked yet.
        wrote = bool(by.get("superseded_by")) and self._reinstated(by, rows)
        for row in rows:
            if row["package"] != champion.package and _deployed(row) and not row.get("superseded"):
                wrote |= self._superseded(row["package"], by)
        return wrote

    def _superseded(self, package: str, by: Row) -> bool:
        about = {"by": by["arn"], "by_version": by.get("version"), "model": by.get("model")}

        def follows(row: Row) -> bool:
            # The index may be stale: by its own ledger, too, the package must rank behind the champion.
            return not row.get("superseded") and ranked([row, by])[0].package == by["package"]

        return self._marked(package, Draft(Kind.SUPERSEDED, "signoff", about), follows)

    def _reinstated(self, row: Row, rows: Sequence[Row]) -> bool:
        former = _former(row, rows)
        about = {"after": former.get("arn") or row["superseded_by"], "after_version": former.get("version")}
        draft = Draft(Kind.REINSTATED, "signoff", {**about, "model": row.get("model")})
        return self._marked(row["package"], draft, lambda fresh: bool(fresh.get("superseded_by")))

    def _marked(self, package: str, draft: Draft, wanted: Callable[[Row], bool]) -> bool:
        written: list[Draft] = []

        def mark(history: History) -> list[Draft]:
            row = package_row(history.verified())
            written[:] = [draft] if _deployed(row) and wanted(row) else []
            return written

        self._ledger.update(package, mark)
        return bool(written)


def _unsettled(rows: Sequence[Row]) -> bool:
    """Return whether anything is to be written: the first of these rows is marked, or another is not."""
    marked = {row["package"]: row for row in rows}
    first, *others = [marked[each.package] for each in ranked(rows)] or [{}]
    return bool(first.get("superseded_by")) or any(not row.get("superseded") for row in others)


def _former(row: Row, rows: Sequence[Row]) -> Row:
    """Return the champion before `row`, as far as the rows tell: one not superseded, else the one that superseded it.

    Of those the one that is still deployed, else the one whose approval ended last.
    """
    others = [other for other in rows if other["package"] != row["package"] and other.get("decided")]
    free = [other for other in others if not other.get("superseded_by")]
    followed = [other for other in others if other.get("arn") == row["superseded_by"]]
    found = max(free or followed, key=lambda other: (_deployed(other), other["since"]), default={})
    return dict(found)


def _deployed(row: Row) -> bool:
    return bool(row.get("status") == Status.APPROVED and row.get("model"))
