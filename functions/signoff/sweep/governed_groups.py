"""A group's champion, succession and images, looked at once all rows of its packages have been seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from signoff.aws.ledger_table import LedgerTable
from signoff.deployment.champions import Champions
from signoff.deployment.succession import Succession
from signoff.governance.champions import ranked
from signoff.model_package.batch_summary import its_turn
from signoff.sweep.acts import Moves
from signoff.sweep.budget import Budget
from signoff.sweep.group_policies import GroupPolicies
from signoff.sweep.image_watch import ImageWatch

_CHAMPION = ("package", "status", "model", "decided", "version", "superseded", "superseded_by")
_REPAIR, _LOOK = 4, 4  # calls, about


@dataclass(frozen=True)
class GroupSeen:
    """What is known of a group from the rows seen so far: its first in rank, and whether another is not marked."""

    group: str
    first: dict[str, Any] | None = None
    loose: bool = False

    def with_row(self, row: Mapping[str, Any]) -> GroupSeen:
        """Return what is known with another row."""
        if not ranked([row]):
            return self
        kept = {name: row[name] for name in _CHAMPION if name in row}
        if self.first is None:
            return GroupSeen(self.group, kept, self.loose)
        leads = ranked([self.first, kept])[0].package == kept["package"]
        ahead, behind = (kept, self.first) if leads else (self.first, kept)
        return GroupSeen(self.group, ahead, self.loose or not behind.get("superseded"))

    @property
    def unsettled(self) -> bool:
        """Whether an entry about succession is to be written."""
        return self.loose or bool(self.first and self.first.get("superseded_by"))

    @property
    def document(self) -> dict[str, Any]:
        """What `of_document` makes it of again."""
        return {"group": self.group, "first": self.first, "loose": self.loose}


@dataclass(frozen=True)
class GovernedGroups:
    """Looks after the champions of groups, whose rows have all been seen."""

    ledger: LedgerTable
    champions: Champions
    images: ImageWatch

    def cost(self, groups: Sequence[Any]) -> int:
        """Return how many calls it takes to look at so many groups in which nothing is to be done."""
        return -(-len(groups) // 10)

    def look(
        self, seen: Sequence[GroupSeen], policies: GroupPolicies, since: datetime, before: datetime, moves: Moves,
        budget: Budget,
    ) -> None:  # fmt: skip
        """Repair what is not as the ledger says, and have the images looked at whose turn it has been `since`."""
        budget.spend(self.cost(seen))
        published = self.champions.published_all([each.group for each in seen])
        for each in seen:
            policy = policies.likely(each.group)
            if policy is None:
                continue
            turn = policy.images.block_at and its_turn(f"images of {each.group}", budget.now(), since)
            if turn and policies.governing(each.group) is not None:
                budget.spend(_LOOK)
                moves.act("image findings", ("images", each.group), partial(self.images.look, each.group, policy))
            if published[each.group] != (each.first and each.first["model"]) or each.unsettled:
                self.repair(each.group, policies, before, moves, budget)

    def repair(
        self, group: str, policies: GroupPolicies, before: datetime, moves: Moves, budget: Budget
    ) -> None:  # fmt: skip
        """Publish a group's champion where it is not published, and write what is missing about its succession."""
        if policies.governing(group) is None:
            return
        budget.spend(_REPAIR)
        moves.act("champion", ("champion", group), partial(self.champions.repair, group, before))
        settle = Succession(self.ledger, self.champions).settle
        moves.act("succession", ("succession", group), partial(settle, group))
