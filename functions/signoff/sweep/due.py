"""Deadlines and next attempts: only packages whose time has come are read, by an index in which each has its next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from signoff.approval.deadlines import due, next_due
from signoff.aws.ledger_items import DATED
from signoff.aws.ledger_table import LedgerTable
from signoff.documents import timestamps
from signoff.ledger.entries import Status
from signoff.policy.policy import Policy
from signoff.sweep.acts import Acts, Moves
from signoff.sweep.group_policies import GroupPolicies

_MOST = 500  # packages of one status that a run looks at; the longest due come first
_LATER = timedelta(hours=1)  # when packages are looked at again whose policy cannot be read, or that none governs


def next_look(row: Mapping[str, Any], policy: Policy, now: datetime) -> str | None:
    """Return when a package is to be looked at next, None for not before there is another entry or another policy."""
    if due(row, policy, now):
        return timestamps.text(now)
    following = next_due(row, policy, now)
    return timestamps.text(following) if following else None


@dataclass(frozen=True)
class DuePackages:
    """Looks at the packages that are due. Whether anything is really due is decided by the function that handles it."""

    ledger: LedgerTable
    acts: Acts

    def move_on(self, policies: GroupPolicies, before: datetime, now: datetime, moves: Moves) -> None:
        """Hand over what is due, and note of each other package when it will be."""
        for status in (*DATED, Status.VALIDATION_ERRORED):
            with moves.reported("deadlines"):
                rows = self.ledger.rows_due(status, timestamps.text(now), _MOST)
                rows = [row for row in rows if row["since"] <= timestamps.text(before)]
                policies.read(row["group"] for row in rows)
                for row in rows:
                    with moves.reported("deadline"):
                        self._look(row, policies, now, moves)

    def _look(self, row: Mapping[str, Any], policies: GroupPolicies, now: datetime, moves: Moves) -> None:
        policy = policies.likely(row["group"])
        errored = row["status"] == Status.VALIDATION_ERRORED
        if policy is not None and not errored and not due(row, policy, now):
            self.ledger.postpone(row, next_look(row, policy, now))
        elif policies.governing(row["group"]) is None:
            self.ledger.postpone(row, timestamps.text(now + _LATER))
        elif errored:
            self.acts.validate(moves, "next attempt", row["arn"])
        else:
            self.acts.decide(moves, "deadline", row["arn"])
