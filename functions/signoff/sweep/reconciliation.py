"""The parts of the round: the ledger's rows, the ledgers of baselines, and the registry's list."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from signoff.aws.ledger_items import DATED
from signoff.aws.ledger_table import LedgerTable, group_cursor
from signoff.aws.sagemaker import Registry, Summary
from signoff.documents import timestamps
from signoff.governance.champions import ranked
from signoff.ledger.entries import Status
from signoff.ledger.entries import Step as NextStep
from signoff.model_package.batch_summary import differs
from signoff.policy.policy import Policy
from signoff.sweep.acts import Moves
from signoff.sweep.budget import Budget
from signoff.sweep.changes import SIGNED, ChangedPackages, diverges, is_of
from signoff.sweep.due import next_look
from signoff.sweep.governed_groups import GovernedGroups, GroupSeen
from signoff.sweep.group_policies import GroupPolicies
from signoff.sweep.listed import ListedPackages
from signoff.sweep.round import Cursor, Step

# Packages that may still be decided on, deployed or retired; others need not be looked up.
_LIVE = (Status.VALIDATING, Status.VALIDATION_ERRORED, Status.PENDING_APPROVAL, Status.APPROVED)
_OPEN = (NextStep.UPDATE_REGISTRY, NextStep.RETIRE_MODEL)
_OVERLAP = timedelta(seconds=1)  # of the times of creation in one page and the next
# Of recent packages, created or changed: pages that a run looks at, and calls, beside those for the round.
_PAGES, _RECENT = 5, 30
_NEVER = "~"  # after all times
_Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Reconciliation:
    """Compares everything with the ledger, in one run of the sweep."""

    registry: Registry
    ledger: LedgerTable
    changed: ChangedPackages
    listed: ListedPackages
    groups: GovernedGroups
    policies: GroupPolicies
    before: datetime
    moves: Moves
    budget: Budget

    # The ledger's packages, by group

    def rows(self, cursor: Cursor, since: datetime) -> Step | None:
        """Look at the next rows: packages deleted or changed, enforcement, deadlines; and at groups that are over."""
        after, carried = (cursor["after"], _seen(cursor["group"])) if cursor else (None, None)
        self.budget.spend()
        rows, following = self.ledger.group_page(after)
        fitting = self._fitting(rows)
        if rows and not fitting:
            return None
        complete = len(fitting) == len(rows)
        self.policies.read(row["group"] for row in fitting)
        self._packages(fitting)
        over, carried = _over(fitting, carried, last=complete and following is None)
        self.groups.look(over, self.policies, since, self.before, self.moves, self.budget)
        after = following if complete else group_cursor(fitting[-1])
        return Step({"after": after, "group": carried and carried.document}, ended=after is None)

    def _fitting(self, rows: _Rows) -> _Rows:
        """Return as many of the first rows as the budget allows to look at: most of the cost is that of the groups."""
        groups: dict[str, None] = {}
        for number, row in enumerate(rows):
            groups[row["group"]] = None
            if not self.budget.allows(1 + self.policies.cost(groups) + self.groups.cost([*groups, ""])):
                return rows[:number]
        return rows

    def _packages(self, rows: _Rows) -> None:
        before = timestamps.text(self.before)
        settled = [row for row in rows if row["since"] <= before and row.get("status") not in (None, Status.DELETED)]
        live = [row for row in settled if row["status"] in _LIVE or row.get("next") in _OPEN]
        summaries = self._summaries(live)
        for row in live:
            summary = summaries.get(row["arn"])
            if summary is None or not is_of(row, summary):
                act = partial(self.changed.answer_deletion, row)
                self.moves.act("deleted package", ("deletion", row["arn"]), act)
            else:
                self._answer_change(row, summary)
        for row in settled:
            policy = self.policies.likely(row["group"])
            if policy is not None:
                self._weigh(row, policy)

    def _summaries(self, live: _Rows) -> Mapping[str, Summary]:
        if not live:
            return {}
        self.budget.spend()
        return self.registry.batch(row["arn"] for row in live)[0]

    def _answer_change(self, row: Mapping[str, Any], summary: Summary) -> None:
        signed = row["status"] in SIGNED and not diverges(summary, row)
        differing = signed and differs(summary, row.get("specification"))
        if differing and self.policies.governing(row["group"]) is not None:
            self.budget.spend()
            act = partial(self.changed.answer, row)
            self.moves.act("changed specification", ("change", row["arn"]), act)

    def _weigh(self, row: Mapping[str, Any], policy: Policy) -> None:
        """Compare a row with its group's policy: whether that enforces, and when the package is to be looked at."""
        if row.get("enforced", True) != policy.enforced:
            if self.policies.governing(row["group"]) is not None:
                self.listed.acts.decide(self.moves, "changed enforcement", row["arn"])
        elif "rank" not in row and ranked([row]):
            self._rewrite(partial(self.ledger.reindex, row["package"]))
        elif row["status"] in DATED and row.get("due", _NEVER) > timestamps.text(self.budget.now()):
            due = next_look(row, policy, self.budget.now())
            if due != row.get("due"):
                self._rewrite(partial(self.ledger.postpone, row, due))

    def _rewrite(self, write: Callable[[], None]) -> None:
        self.budget.spend()
        with self.moves.reported("index"):
            write()

    # The ledgers of baselines

    def baselines(self, cursor: Cursor, since: datetime) -> Step | None:
        """Look at the champions of groups that have a baseline, which need not have any package."""
        self.budget.spend()
        rows, following = self.ledger.baseline_page(cursor)
        for row in rows:
            if row.get("group"):
                self.groups.repair(row["group"], self.policies, self.before, self.moves, self.budget)
        return Step(following, ended=following is None)

    # The registry's packages, by their time of creation

    def listing(self, cursor: Cursor, since: datetime) -> Step | None:
        """Look at the next packages of the registry: those that no ledger knows, and statuses that differ."""
        if not self.budget.allows(4):
            return None
        after = timestamps.parse(cursor) if cursor else None
        self.budget.spend()
        listed, token = self.registry.versions(after, None)
        last = self._compared(listed, self.budget) if listed else None
        if last is None:
            return Step(cursor, ended=True) if not listed else None
        if last is listed[-1] and token is None:
            return Step(None, ended=True)
        reached = last["CreationTime"] - _OVERLAP
        # Never twice from the same time on, even where a whole page was created in one second.
        return Step(timestamps.text(reached if after is None or reached > after else after + _OVERLAP))

    def recent(self, since: datetime) -> datetime:
        """Look at what was created or changed in the registry `since` then; return until when that is complete."""
        began, apart = self.budget.now(), replace(self.budget, calls=_RECENT)
        created = self._recent(self.registry.versions, "CreationTime", since, apart)
        # A package that was never modified need not have such a time, so that no search for it finds the package.
        modified = self._recent(self.registry.modified, "LastModifiedTime", since, apart)
        return min(created or began, modified or began)

    def _recent(self, pages: Callable[..., Any], time: str, since: datetime, budget: Budget) -> datetime | None:
        """Look at a few pages of packages after a time; return the last one's where there is more, or else None."""
        token, last = None, None
        for _ in range(_PAGES):
            budget.spend()
            found, token = pages(since, token)
            last = self._compared(found, budget) if found else None
            if found and last is not found[-1]:
                break
            if token is None:
                return None
        return last[time] if last else since

    def _compared(self, listed: Sequence[Summary], budget: Budget) -> Summary | None:
        return self.listed.compare(listed, self.policies, self.before, self.moves, budget)


def _seen(document: Mapping[str, Any] | None) -> GroupSeen | None:
    return GroupSeen(**document) if document else None


def _over(rows: _Rows, carried: GroupSeen | None, *, last: bool) -> tuple[list[GroupSeen], GroupSeen | None]:
    """Return the groups whose rows have all been seen, and the one that may go on in the next rows."""
    over: list[GroupSeen] = []
    for row in rows:
        if carried is None or carried.group != row["group"]:
            over += [carried] if carried else []
            carried = GroupSeen(row["group"])
        carried = carried.with_row(row)
    if last and carried:
        return [*over, carried], None
    return over, carried
