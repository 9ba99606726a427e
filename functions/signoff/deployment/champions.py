"""The champion of each group, published as an SSM parameter for those who deploy it (`signoff_cdk.ApprovedModel`).

The ledger knows the champion; the parameter is its projection.
Each target of the group has a champion of its own: the last approved package whose model is there. Signoff announces no
change of it: SSM puts `Parameter Store Change` on the account's default bus.
https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-cwe.html
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from signoff.aws.clients import ignoring
from signoff.aws.ledger_table import LedgerTable
from signoff.aws.ssm import values_of
from signoff.governance.champions import Champion, ChampionFinder
from signoff.ledger.history import History

_ATTEMPTS = 4
_ABSENT = {"ParameterNotFound"}


class Champions(ChampionFinder):
    """The champions, in the ledger and as published: `<path>/<group>`, the model's ARN.

    Groups have SageMaker's spelling; the parameter's name is in lower case, like the names of policies.
    `place` (`<account>/<region>`) is where `ssm` is, None for the registry's own account and region.
    """

    def __init__(self, ssm: Any, path: str, ledger: LedgerTable, place: str | None = None) -> None:
        super().__init__(ledger, place)
        self._ssm = ssm
        self._path = path

    def at(self, place: str, ssm: Any) -> Champions:
        """Return the champions of another `place` (`<account>/<region>`), whose SSM client is `ssm`."""
        return Champions(ssm, self._path, self._ledger, place)

    def published(self, group: str) -> str | None:
        """Return the ARN of the model that is published as the group's champion, or None when none is."""
        value, _ = self._parameter(group)
        return value

    def published_all(self, groups: Iterable[str]) -> dict[str, str | None]:
        """Return what `published` does, of each of these groups; ten with a call."""
        names = {group: self._name(group) for group in groups}
        values = values_of(self._ssm, list(dict.fromkeys(names.values())))
        return {group: values.get(name) for group, name in names.items()}

    def publish(self, group: str, known: History | None = None) -> bool:
        """Make the parameter agree with the ledger. Returns whether it had to be changed.

        SSM has no conditional write. So the champion is computed again after each write, as another package may have
        become champion meanwhile: of two concurrent writers, the last has seen the other's entries.
        """
        published = self.published(group)
        for look in range(_ATTEMPTS):
            champion = self.of(group, known)
            if published == (champion and champion.model):
                return look > 0
            published = self.put(group, champion)
            known = known and self.newest(known)
        return True

    def put(self, group: str, champion: Champion | None) -> str | None:
        """Publish that a group has that champion, or none, and return its model's ARN."""
        if champion:
            about = f"Published by Signoff: the model of group {group} that was approved last"
            fields = {"Value": champion.model, "Type": "String", "Overwrite": True, "Description": about}
            self._ssm.put_parameter(Name=self._name(group), **fields)
            return champion.model
        with ignoring(_ABSENT):
            self._ssm.delete_parameter(Name=self._name(group))
        return None

    def repair(self, group: str, before: datetime) -> bool:
        """Publish the group's champion, if the parameter differs and has not been written since `before`.

        A newer parameter may be ahead of the index. Returns whether there was something to repair.
        """
        _, written = self._parameter(group)
        return self.publish(group) if written is None or written <= before else False

    def newest(self, known: History) -> History:
        """Return the newest history; the caller's may have entries that it is about to append."""
        return max(known, self._ledger.history(known.package).verified(), key=lambda history: len(history.entries))

    def _parameter(self, group: str) -> tuple[str | None, datetime | None]:
        with ignoring(_ABSENT):
            parameter = self._ssm.get_parameter(Name=self._name(group))["Parameter"]
            return parameter["Value"], parameter["LastModifiedDate"]
        return None, None

    def _name(self, group: str) -> str:
        return f"{self._path}/{group.lower()}"
