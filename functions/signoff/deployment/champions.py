"""The champion of each group: the last approved package whose model exists, published as an SSM parameter.

The ledger knows the champion; the parameter is its projection, for those who deploy it (`signoff_cdk.ApprovedModel`).
Each target of the group has a champion of its own: the last approved package whose model is there. Signoff announces no
change of it: SSM puts `Parameter Store Change` on the account's default bus.
https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-cwe.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from signoff.aws.clients import ignoring
from signoff.aws.ledger_table import LedgerTable, package_row
from signoff.ledger.entries import Status
from signoff.ledger.history import History, baseline_key

_ATTEMPTS = 4
_ABSENT = {"ParameterNotFound"}


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


class Champions:
    """The champions, in the ledger and as published: `<path>/<group>`, the model's ARN.

    Groups have SageMaker's spelling; the parameter's name is in lower case, like the names of policies.
    `place` (`<account>/<region>`) is where `ssm` is, None for the registry's own account and region.
    """

    def __init__(self, ssm: Any, path: str, ledger: LedgerTable, place: str | None = None) -> None:
        self._ssm = ssm
        self._path = path
        self._ledger = ledger
        self._place = place

    def at(self, place: str, ssm: Any) -> Champions:
        """Return the champions of another `place` (`<account>/<region>`), whose SSM client is `ssm`."""
        return Champions(ssm, self._path, self._ledger, place)

    def of(self, group: str, known: History | None = None) -> Champion | None:
        """Return the group's champion: a package, else the baseline deployed last, else None.

        `known` is a history that the caller has just read or written. The others are found by the index, which may
        be stale: a package that it names is champion only if its own ledger agrees.
        """
        standing = (each for each in ranked(self.rows(group, known), self._place) if self._stands(each, known))
        # A baseline is the model of a stack in the registry's own account and region.
        return next(standing, None) or (None if self._place else self._baseline(group))

    def rows(self, group: str, known: History | None = None) -> list[dict[str, Any]]:
        """Return the rows of a group's packages in the index, with that of the `known` history up to date."""
        rows = {row["package"]: row for row in self._ledger.rows_by_group(group)}
        if known and known.entries:
            rows[known.package] = package_row(known)
        return list(rows.values())

    def published(self, group: str) -> str | None:
        """Return the ARN of the model that is published as the group's champion, or None when none is."""
        value, _ = self._parameter(group)
        return value

    def publish(self, group: str, known: History | None = None) -> bool:
        """Make the parameter agree with the ledger. Returns whether it had to be changed.

        SSM has no conditional write. So the champion is computed again after each write, as another package may have
        become champion meanwhile: of two concurrent writers, the last has seen the other's entries.
        """
        for look in range(_ATTEMPTS):
            champion = self.of(group, known)
            if self.published(group) == (champion and champion.model):
                return look > 0
            self._put(group, champion)
            known = known and self._newer(known)
        return True

    def repair(self, group: str, before: datetime) -> bool:
        """Publish the group's champion, if the parameter differs and has not been written since `before`.

        A newer parameter may be ahead of the index. Returns whether there was something to repair.
        """
        _, written = self._parameter(group)
        return self.publish(group) if written is None or written <= before else False

    def _stands(self, champion: Champion, known: History | None) -> bool:
        if known and champion.package == known.package:
            return True
        row = package_row(self._ledger.history(champion.package).verified())
        return bool(ranked([row], self._place))

    def _newer(self, known: History) -> History:
        """Return the newest history; the caller's may have entries that it is about to append."""
        return max(known, self._ledger.history(known.package).verified(), key=lambda history: len(history.entries))

    def _baseline(self, group: str) -> Champion | None:
        history = self._ledger.history(baseline_key(group)).verified()
        model = next(reversed(history.state.baselines), None)
        return Champion(model, history.package) if model else None

    def _parameter(self, group: str) -> tuple[str | None, datetime | None]:
        with ignoring(_ABSENT):
            parameter = self._ssm.get_parameter(Name=self._name(group))["Parameter"]
            return parameter["Value"], parameter["LastModifiedDate"]
        return None, None

    def _put(self, group: str, champion: Champion | None) -> None:
        if champion:
            about = f"Published by Signoff: the model of group {group} that was approved last"
            fields = {"Value": champion.model, "Type": "String", "Overwrite": True, "Description": about}
            self._ssm.put_parameter(Name=self._name(group), **fields)
            return
        with ignoring(_ABSENT):
            self._ssm.delete_parameter(Name=self._name(group))

    def _name(self, group: str) -> str:
        return f"{self._path}/{group.lower()}"
