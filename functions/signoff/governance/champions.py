"""The champion of each group: the last approved package whose model exists, as the ledger knows it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import chain
from typing import Any

from signoff.aws.ledger_items import package_row
from signoff.aws.ledger_table import LedgerTable
from signoff.ledger.entries import Status, package_of
from signoff.ledger.history import History, baseline_key

Row = Mapping[str, Any]
_PAGE = 10  # rows that a request reads: the champion is among the first


@dataclass(frozen=True)
class Champion:
    """A group's champion: its model's ARN, and the key of its ledger, a package's or the baseline's."""

    model: str
    package: str


def ranked(rows: Iterable[Row], place: str | None = None) -> list[Champion]:
    """Return the candidates for champion among the rows of a group's packages, the one approved last first.

    They are those in another `place` (`<account>/<region>`) than the registry's own, if it is given. A package that was
    rolled back to is champion nowhere until its model in the registry's own place has been verified.
    """
    return list(_champions(sorted(filter(_is_deployed, rows), key=_rank, reverse=True), place))


def _champions(ordered: Iterable[Row], place: str | None) -> Iterator[Champion]:
    for row in ordered:
        model = _model(row, place)
        if model:
            yield Champion(model, row["package"])


def _is_deployed(row: Row) -> bool:
    return bool(row.get("status") == Status.APPROVED and row.get("model"))


def _rank(row: Row) -> tuple[str, int]:
    return row["decided"], row["version"]


def _model(row: Row, place: str | None) -> str | None:
    return (row.get("elsewhere") or {}).get(place) if place else row.get("model")


@dataclass(frozen=True)
class Look:
    """A group's champion, its package's row, and the rows of those that are deployed beside it and not superseded.

    The row is None for a baseline and without a champion.
    """

    champion: Champion | None
    row: Row | None
    unmarked: Sequence[Row]


class ChampionFinder:
    """Finds the champions in the ledger, in the registry's own account and region or in another `place`.

    However many versions a group has, only those are read that are or may become champion.
    """

    def __init__(self, ledger: LedgerTable, place: str | None = None) -> None:
        self._ledger = ledger
        self._place = place

    def of(self, group: str, known: History | None = None) -> Champion | None:
        """Return the group's champion: a package, else the baseline deployed last, else None.

        `known` is a history that the caller has just read or written. The others are found by the index, which may
        be stale: a package that it names is champion only if its own ledger agrees.
        """
        return self.look(group, known).champion

    def look(self, group: str, known: History | None = None) -> Look:
        """Return the group's champion, as `of` does, and what else its deployed packages' rows say."""
        free, ranked_rows = self._deployed(group, known)
        champion, history = next(self._standing(ranked_rows, group, known), (None, None))
        row = package_row(history) if history and package_of(history.package)[0] else None
        others = [each for each in free if row is None or each["package"] != row["package"]]
        return Look(champion, row, [each for each in others if not each.get("superseded")])

    def is_settled(self, group: str) -> bool:
        """Return whether the index says of the champion alone that nobody superseded it."""
        free, ordered = self._deployed(group, None)
        first = next(ordered, None)
        return first is None or not (first.get("superseded_by") or any(row is not first for row in free))

    def beside(self, group: str, package: str) -> tuple[list[dict[str, Any]], History | None]:
        """Return the rows of a group's other packages than `package`, and the ledger of the champion among them.

        That is the ledger of a package or of a baseline, None without a champion.
        """
        rows = [row for row in self._ledger.rows_by_group(group) if row["package"] != package]
        ordered = sorted(filter(_is_deployed, rows), key=_rank, reverse=True)
        return rows, next((history for _, history in self._standing(ordered, group)), None)

    def _deployed(self, group: str, known: History | None) -> tuple[list[Row], Iterator[Row]]:
        """Return the rows of those that nobody superseded, and all rows, read as far as needed, by their rank.

        The row of the `known` history is up to date, and among the first.
        """
        indexed: Iterator[Row] = self._ledger.rows_deployed(group, page=_PAGE)
        found = (row for row in indexed if known is None or row["package"] != known.package)
        free: list[Row] = [package_row(known)] if known and known.entries else []
        rest: Iterator[Row] = iter(())
        for row in found:
            if row.get("superseded"):
                rest = chain([row], found)
                break
            free.append(row)
        free = sorted(filter(_is_deployed, free), key=_rank, reverse=True)
        return free, merge(free, rest, key=_rank, reverse=True)

    def _standing(
        self, ordered: Iterable[Row], group: str, known: History | None = None
    ) -> Iterator[tuple[Champion, History]]:
        for champion in _champions(ordered, self._place):
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
