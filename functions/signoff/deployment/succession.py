"""Succession: the ledgers of a group's packages say who was followed by which champion, and who is champion again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from signoff.aws.ledger_table import LedgerTable, package_row
from signoff.deployment.champions import Champion, Champions, ranked
from signoff.ledger.entries import Draft, Kind, Status, package_of
from signoff.ledger.history import History

_LOOKS = 4
Head = Mapping[str, Any]


class Succession:
    """Marks the packages of a group that are approved and deployed, and are not (or are again) its champion.

    The heads of their ledgers say who is marked already: where nothing changed, looking costs one query.
    """

    def __init__(self, ledger: LedgerTable, champions: Champions) -> None:
        self._ledger = ledger
        self._champions = champions

    def settle(self, group: str, known: History | None = None) -> bool:
        """Have every ledger of the group say where its package stands with its champion; return whether one did not.

        `known` is a history that the caller has just read or written. Whoever wrote looks again: the champion may have
        been another by then, as whoever made it that will not have seen what was just written.
        """
        for look in range(_LOOKS):
            heads = self._champions.heads(group, known)
            if not _unsettled(heads):
                return look > 0
            champion = self._champions.of(group, known)
            if champion is None or package_of(champion.package)[0] is None or not self._settled(heads, champion):
                return look > 0
            known = known and self._ledger.history(known.package).verified()
        return True

    def _settled(self, heads: Sequence[Head], champion: Champion) -> bool:
        """Write down who follows whom. Returns whether there was anything to write."""
        by = next((head for head in heads if head["package"] == champion.package), None)
        if by is None:
            return False
        # The one reinstated first: whom it follows is seen by who is not marked yet.
        wrote = bool(by.get("superseded_by")) and self._reinstated(by, heads)
        for head in heads:
            if head["package"] != champion.package and _deployed(head) and not head.get("superseded"):
                wrote |= self._superseded(head["package"], by)
        return wrote

    def _superseded(self, package: str, by: Head) -> bool:
        about = {"by": by["arn"], "by_version": by.get("version"), "model": by.get("model")}

        def follows(head: Head) -> bool:
            # The index may be behind: what its own ledger says must come after the champion, too.
            return not head.get("superseded") and ranked([head, by])[0].package == by["package"]

        return self._marked(package, Draft(Kind.SUPERSEDED, "signoff", about), follows)

    def _reinstated(self, head: Head, heads: Sequence[Head]) -> bool:
        former = _former(head, heads)
        about = {"after": former.get("arn") or head["superseded_by"], "after_version": former.get("version")}
        draft = Draft(Kind.REINSTATED, "signoff", {**about, "model": head.get("model")})
        return self._marked(head["package"], draft, lambda fresh: bool(fresh.get("superseded_by")))

    def _marked(self, package: str, draft: Draft, wanted: Callable[[Head], bool]) -> bool:
        written: list[Draft] = []

        def mark(history: History) -> list[Draft]:
            head = package_row(history.verified())
            written[:] = [draft] if _deployed(head) and wanted(head) else []
            return written

        self._ledger.update(package, mark)
        return bool(written)


def _unsettled(heads: Sequence[Head]) -> bool:
    """Return whether, by these heads, anything is to be written: the first is marked, or another is not."""
    marked = {head["package"]: head for head in heads}
    first, *others = [marked[each.package] for each in ranked(heads)] or [{}]
    return bool(first.get("superseded_by")) or any(not head.get("superseded") for head in others)


def _former(head: Head, heads: Sequence[Head]) -> Head:
    """Return who was champion before `head`, as far as the heads tell: one that nobody followed, else who followed it.

    Of those the one that is deployed still, else the one that ceased to be approved last.
    """
    others = [other for other in heads if other["package"] != head["package"] and other.get("decided")]
    free = [other for other in others if not other.get("superseded_by")]
    followed = [other for other in others if other.get("arn") == head["superseded_by"]]
    found = max(free or followed, key=lambda other: (_deployed(other), other["since"]), default={})
    return dict(found)


def _deployed(head: Head) -> bool:
    return bool(head.get("status") == Status.APPROVED and head.get("model"))
