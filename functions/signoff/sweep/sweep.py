"""Finds whatever lacks its next step and moves it on, from the indexes of open work and, in rounds, from everything.

Work starts through the same queues and the same workflow as with events, so that there is one way through the system.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from signoff.aws.ledger_table import LedgerTable
from signoff.aws.s3 import Bucket
from signoff.aws.sagemaker import Registry
from signoff.aws.sqs import Queue
from signoff.aws.ssm import Policies
from signoff.aws.step_functions import Executions
from signoff.aws.submissions_table import SubmissionsTable
from signoff.aws.vault import Vault
from signoff.deployment.champions import Champions
from signoff.documents import timestamps
from signoff.documents.timestamps import Clock
from signoff.sweep.acts import Acts, Moves
from signoff.sweep.budget import Budget
from signoff.sweep.changes import ChangedPackages
from signoff.sweep.due import DuePackages
from signoff.sweep.governed_groups import GovernedGroups
from signoff.sweep.group_policies import GroupPolicies
from signoff.sweep.image_watch import ImageWatch
from signoff.sweep.listed import ListedPackages
from signoff.sweep.open_steps import OpenSteps
from signoff.sweep.reconciliation import Reconciliation
from signoff.sweep.round import Part, Round, recent_since
from signoff.sweep.submissions import LostSubmissions
from signoff.sweep.temporary_models import TemporaryModels

CALLS = 43  # that a run makes for the round unless its settings say otherwise
_SPAN = timedelta(minutes=2)  # of the five that the function has


@dataclass(frozen=True)
class Swept:
    """What one run came to: the counts by what was moved on, and the ages of the round and of the oldest validation."""

    moved: Counter[str]
    round_seconds: float
    oldest_validating_seconds: float


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """Finds what is overdue. `queues` are those of registrations, decisions and deployments.

    `calls` is how many calls a run makes at most to look at what is not open, unless it finds something to do.
    """

    registry: Registry
    policies: Policies
    ledger: LedgerTable
    submissions: SubmissionsTable
    vault: Vault
    inbox: Bucket
    executions: Executions
    queues: Mapping[str, Queue]
    now: Clock
    champions: Champions
    images: ImageWatch
    temporary: TemporaryModels
    calls: int = CALLS

    def run(self, grace: timedelta) -> Swept:
        """Move on whatever has been waiting for longer than `grace`.

        What fails is logged and counted as a `problem`, and does not block the rest.
        """
        moves, before, budget = Moves(), self.now() - grace, Budget.of(self.calls, _SPAN, self.now)
        acts = Acts(self.executions, self.queues)
        policies = GroupPolicies(self.policies, self.registry, moves, budget)
        steps = OpenSteps(self.ledger, self.executions, self._changed(acts))
        # Before the steps: deleted packages have none.
        age = self._reconcile(acts, policies, before, moves, budget)
        DuePackages(self.ledger, acts).move_on(policies, before, self.now(), moves)
        oldest = steps.move_on(acts, before, self.now(), moves)
        with moves.reported("submissions"):
            LostSubmissions(self.submissions, self.inbox, acts).open(before, self.now(), moves)
        with moves.reported("temporary models"):
            for what, act in self.temporary.left(self.now()):
                with moves.reported(what):
                    act()
                    moves.counts[what] += 1
        return Swept(moves.counts, age, oldest)

    def _reconcile(
        self, acts: Acts, policies: GroupPolicies, before: datetime, moves: Moves, budget: Budget
    ) -> float:  # fmt: skip
        """Look at what was changed lately, and go on with the round. Returns the age of the round in seconds."""
        row: Mapping[str, Any] = {}
        with moves.reported("round"):
            row = self.submissions.round()
        present, recent = Round.of(row, self.now()), row.get("recent")
        looked = self._reconciliation(acts, policies, before, moves, budget)
        with moves.reported("recent changes"):
            recent = timestamps.text(looked.recent(recent_since(row, self.now())))
        lost = LostSubmissions(self.submissions, self.inbox, acts)
        parts: dict[str, Part] = {
            "rows": looked.rows,
            "listing": looked.listing,
            "baselines": looked.baselines,
            "inbox": lambda cursor, _: lost.inbox_page(cursor, before, moves, budget),
        }
        present.go_on(parts, moves, budget)
        age = present.age(self.now())
        with moves.reported("round"):
            present.keep(self.submissions, parts, recent)
        return age

    def _reconciliation(
        self, acts: Acts, policies: GroupPolicies, before: datetime, moves: Moves, budget: Budget
    ) -> Reconciliation:  # fmt: skip
        changed = self._changed(acts)
        return Reconciliation(
            registry=self.registry,
            ledger=self.ledger,
            changed=changed,
            listed=ListedPackages(self.ledger, changed, acts),
            groups=GovernedGroups(self.ledger, self.champions, self.images),
            policies=policies,
            before=before,
            moves=moves,
            budget=budget,
        )

    def _changed(self, acts: Acts) -> ChangedPackages:
        return ChangedPackages(self.registry, self.ledger, self.vault, acts)
