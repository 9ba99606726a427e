"""The champion of each group: the last approved package whose model exists, as the ledger knows it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from signoff.aws.ledger_table import LedgerTable, package_row
from signoff.ledger.entries import Status
from signoff.ledger.history import History, baseline_key


@dataclass(frozen=True)
class Champion:
    """A group's champion: its model's ARN, and the key of its ledger, a package's or the baseline's."""

    model: str
    package: str


def ranked(rows: Iterable[Mapping[str, Any]], place: str | None = None) -> list[Champion]:
    """Return the candidates for champion among the rows of a group's packages, the one approved last first.

    They are those in another `place` (`<account>/<region>`) than the registry's own, if it is given. A package that was
    rolled back to is champion nowhere until its model in the registry's own place has been verified.
    """
    approved = (row for row in rows if row.get("status") == Status.APPROVED and row.get("model"))
    live = [row for row in approved if _model(row, place)]
    live.sort(key=lambda row: (row["decided"], row["version"]), reverse=True)
    return [Champion(_model(row, place) or "", row["package"]) for row in live]


def _model(row: Mapping[str, Any], place: str | None) -> str | None:
    return (row.get("elsewhere") or {}).get(place) if place else row.get("model")


class ChampionFinder:
    """Finds the champions in the ledger, in the registry's own account and region or in another `place`."""

    def __init__(self, ledger: LedgerTable, place: str | None = None) -> None:
        self._ledger = ledger
        self._place = place

    def of(self, group: str, known: History | None = None) -> Champion | None:
        """Return the group's champion: a package, else the baseline deployed last, else None.

        `known` is a history that the caller has just read or written. The others are found by the index, which may
        be stale: a package that it names is champion only if its own ledger agrees.
        """
        return next((champion for champion, _ in self._standing(self.rows(group, known), group, known)), None)

    def beside(self, group: str, package: str) -> tuple[list[dict[str, Any]], History | None]:
        """Return the rows of a group's other packages than `package`, and the ledger of the champion among them.

        That is the ledger of a package or of a baseline, None without a champion.
        """
        rows = [row for row in self.rows(group) if row["package"] != package]
        return rows, next((history for _, history in self._standing(rows, group)), None)

    def rows(self, group: str, known: History | None = None) -> list[dict[str, Any]]:
        """Return the rows of a group's packages in the index, with that of the `known` history up to date."""
        rows = {row["package"]: row for row in self._ledger.rows_by_group(group)}
        if known and known.entries:
            rows[known.package] = package_row(known)
        return list(rows.values())

    def _standing(
        self, rows: Iterable[Mapping[str, Any]], group: str, known: History | None = None
    ) -> Iterator[tuple[Champion, History]]:
        for champion in ranked(rows, self._place):
            if known and champion.package == known.package:
                yield champion, known
            else:
                history = self._ledger.history(champion.package).verified()
                if ranked([package_row(history)], self._place):
                    yield champion, history
        # A baseline is the model of a stack in the registry's own account and region.
        if not self._place:
            yield from self._baseline(group)

    def _baseline(self, group: str) -> Iterator[tuple[Champion, History]]:
        history = self._ledger.history(baseline_key(group)).verified()
        model = next(reversed(history.state.baselines), None)
        if model:
            yield Champion(model, history.package), history
