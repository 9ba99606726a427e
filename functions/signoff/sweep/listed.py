"""Packages as the registry lists them, compared with the ledger: lost registrations, statuses set by hand, changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from signoff.aws.ledger_table import LedgerTable
from signoff.aws.sagemaker import Summary
from signoff.documents import timestamps
from signoff.ledger.history import package_key
from signoff.model_package.batch_summary import shows_a_difference
from signoff.sweep.acts import Acts, Moves
from signoff.sweep.budget import Budget
from signoff.sweep.changes import SIGNED, ChangedPackages, diverges, is_of
from signoff.sweep.group_policies import GroupPolicies


@dataclass(frozen=True)
class ListedPackages:
    """Compares what the registry lists with the rows of the ledger."""

    ledger: LedgerTable
    changed: ChangedPackages
    acts: Acts

    def compare(
        self, listed: Sequence[Summary], policies: GroupPolicies, before: datetime, moves: Moves, budget: Budget
    ) -> Summary | None:
        """Move on what differs, as far as the budget goes; return the last package that was looked at.

        `listed` are up to 100 packages. What is younger than `before` is given time.
        """
        rows = self._rows(listed, budget)
        unknown = {each["ModelPackageGroupName"] for each in listed if each["ModelPackageArn"] not in rows}
        if budget.allows(policies.cost(unknown)):
            policies.read(unknown)
        last = None
        for each in listed:
            row = rows.get(each["ModelPackageArn"])
            if row is None and not budget.allows(3):
                break
            self._compare(each, row, policies, before, moves, budget)
            last = each
        return last

    def _rows(self, listed: Sequence[Summary], budget: Budget) -> dict[str, dict[str, Any]]:
        """Return the rows of packages by their ARNs, found by their keys."""
        budget.spend()
        keys = {package_key(each["ModelPackageArn"], each["CreationTime"]): each["ModelPackageArn"] for each in listed}
        return {keys[key]: row for key, row in self.ledger.indexed_all(list(keys)).items()}

    def _compare(
        self,
        listed: Summary,
        row: dict[str, Any] | None,
        policies: GroupPolicies,
        before: datetime,
        moves: Moves,
        budget: Budget,
    ) -> None:
        arn = listed["ModelPackageArn"]
        if row is None:
            if listed["CreationTime"] > before or policies.governing(listed["ModelPackageGroupName"]) is None:
                return
            # Times of creation need not be as exact in every answer of SageMaker: the key may be another.
            budget.spend()
            row = next((each for each in self.ledger.rows_by_arn(arn) if is_of(each, listed)), None)
        if row is None:
            self.acts.validate(moves, "never validated", arn)
        elif row["since"] <= timestamps.text(before):
            self._known(listed, row, policies, moves)

    def _known(self, listed: Summary, row: Mapping[str, Any], policies: GroupPolicies, moves: Moves) -> None:
        diverging, changed = diverges(listed, row), _shows_a_change(listed, row)
        if not (diverging or changed) or policies.governing(row["group"]) is None:
            return
        if diverging:
            self.acts.decide(moves, "diverging status", row["arn"])
        else:
            moves.act("changed specification", ("change", row["arn"]), lambda: self.changed.answer(row))


def _shows_a_change(listed: Summary, row: Mapping[str, Any]) -> bool:
    """Return whether what is listed is a whole description, and may differ from the evidence."""
    whole = "LastModifiedTime" in listed and row["status"] in SIGNED
    return whole and shows_a_difference(listed, row.get("specification"))
