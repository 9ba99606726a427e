"""The champion of each group: its package approved last whose model exists, published as a parameter in SSM.

The ledger knows the champion; the parameter is its projection, for those who deploy it (`signoff_cdk.ApprovedModel`).
Whoever changes it announces nothing: SSM puts `Parameter Store Change` on the account's default bus.
https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-cwe.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from signoff.clients import error_code
from signoff.ledger import History, Status, baseline_key
from signoff.tables import LedgerTable, from_item, head_item

_LOOKS = 4


@dataclass(frozen=True)
class Champion:
    """A group's champion: its model's ARN, and the key of the ledger that says so, a package's or the baseline's."""

    model: str
    package: str


def ranked(heads: Iterable[Mapping[str, Any]]) -> list[Champion]:
    """Return who may be champion by the heads of a group's ledgers, the best first: the one approved last."""
    live = [head for head in heads if head.get("status") == Status.APPROVED and head.get("model")]
    live.sort(key=lambda head: (head["decided"], head["version"]), reverse=True)
    return [Champion(head["model"], head["package"]) for head in live]


class Champions:
    """The champions as the ledger knows them, and as they are published: `<path>/<group>`, the model's ARN.

    Groups are named as SageMaker has them; the parameter's name is in lower case, as the names of policies are.
    """

    def __init__(self, ssm: Any, path: str, ledger: LedgerTable) -> None:
        self._ssm = ssm
        self._path = path
        self._ledger = ledger

    def of(self, group: str, known: History | None = None) -> Champion | None:
        """Return the group's champion: a package, else the baseline deployed last, else None.

        `known` is a history that the caller has just read or written. The others are found by the index, which may
        be behind: a package that it names is champion only if its own ledger says the same.
        """
        heads = {head["package"]: head for head in self._ledger.heads_by_group(group)}
        if known and known.entries:
            heads[known.package] = from_item(head_item(known))
        standing = (each for each in ranked(heads.values()) if self._stands(each, known))
        return next(standing, None) or self._baseline(group)

    def published(self, group: str) -> str | None:
        """Return the ARN of the model that is published as the group's champion, or None when none is."""
        value, _ = self._parameter(group)
        return value

    def publish(self, group: str, known: History | None = None) -> bool:
        """Make the parameter agree with the ledger. Returns whether it did not.

        SSM has no conditional write. So whoever wrote looks again, for another may have become champion meanwhile and
        been published before: of two at once, the last to write has seen what the other appended.
        """
        for look in range(_LOOKS):
            champion = self.of(group, known)
            if self.published(group) == (champion and champion.model):
                return look > 0
            self._put(group, champion)
        return True

    def repair(self, group: str, before: datetime) -> bool:
        """Publish the group's champion, if the parameter differs and nobody has written it since `before`.

        One that was written just now may be ahead of the index. Returns whether there was something to repair.
        """
        _, written = self._parameter(group)
        return self.publish(group) if written is None or written <= before else False

    def _stands(self, champion: Champion, known: History | None) -> bool:
        if known and champion.package == known.package:
            return True
        state = self._ledger.history(champion.package).verified().state
        return state.status is Status.APPROVED and state.model is not None

    def _baseline(self, group: str) -> Champion | None:
        history = self._ledger.history(baseline_key(group)).verified()
        model = next(reversed(history.state.baselines), None)
        return Champion(model, history.package) if model else None

    def _parameter(self, group: str) -> tuple[str | None, datetime | None]:
        try:
            parameter = self._ssm.get_parameter(Name=self._name(group))["Parameter"]
        except ClientError as error:
            if error_code(error) != "ParameterNotFound":
                raise
            return None, None
        return parameter["Value"], parameter["LastModifiedDate"]

    def _put(self, group: str, champion: Champion | None) -> None:
        if champion:
            about = f"Published by Signoff: the model of group {group} that was approved last"
            fields = {"Value": champion.model, "Type": "String", "Overwrite": True, "Description": about}
            self._ssm.put_parameter(Name=self._name(group), **fields)
            return
        try:
            self._ssm.delete_parameter(Name=self._name(group))
        except ClientError as error:
            if error_code(error) != "ParameterNotFound":
                raise

    def _name(self, group: str) -> str:
        return f"{self._path}/{group.lower()}"
