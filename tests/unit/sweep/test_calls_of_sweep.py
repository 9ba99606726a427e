"""What a sweep costs: with nothing to do it makes as many calls in a registry of many groups as in one of few."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from signoff.aws.ledger_items import package_row
from signoff.documents import timestamps
from signoff.ledger.history import package_key
from tests.support.deliveries import GRACE
from tests.support.interruptions import Interruptions
from tests.support.world import CHAMPIONS, World

MOST = 60


class Counted(Interruptions):
    """Counts the calls to each operation, too."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: Counter[str] = Counter()

    def call(self, name: str) -> int:
        self.operations[name] += 1
        return super().call(name)


class CountedWorld(World):
    interrupting = Counted


def registry_of(groups: int, versions: int = 1) -> CountedWorld:
    """Return a world with so many groups of so many approved packages, in which everything is settled."""
    world = CountedWorld()
    arn = world.approved()
    row = {name: value for name, value in package_row(world.history(arn)).items() if name != "due"}
    described = world.registry.described.pop(arn)
    rows: dict[str, dict[str, Any]] = {}
    for number in range(groups):
        group = f"group-{number:05}"
        world.registry.tags[group] = dict(world.registry.tags["churn"])
        world.parameters.values[f"{CHAMPIONS}/{group}"] = row["model"]
        for version in range(1, versions + 1):
            world.clock.forward(seconds=10)
            named = {"ModelPackageArn": arn.replace("/churn/1", f"/{group}/{version}"), "ModelPackageGroupName": group}
            created = {"CreationTime": world.clock(), "LastModifiedTime": world.clock()}
            world.registry.described[named["ModelPackageArn"]] = {**described, **named, **created}
            about = {"arn": named["ModelPackageArn"], "group": group, "deployed": group, "version": version}
            succession = {} if version == versions else {"superseded": True, "superseded_by": "another"}
            key = package_key(about["arn"], world.clock())
            rows[key] = {**row, **about, **succession, "package": key, "decided": timestamps.text(world.clock())}
    world.ledger.histories.clear()
    world.ledger.rows = lambda: iter(rows.values())  # type: ignore[method-assign, assignment]
    world.ledger.indexed_all = lambda keys: {key: rows[key] for key in keys}  # type: ignore[method-assign]
    world.clock.forward(days=2)
    return world


def swept(world: CountedWorld) -> Counter[str]:
    """Return the calls of one sweep, which has nothing to do."""
    calls: Counter[str] = world.interruptions.operations
    calls.clear()
    assert world.sweeper.run(GRACE).moved == {}
    world.clock.forward(minutes=15)
    return Counter(calls)


def runs_of_a_round(world: CountedWorld) -> list[Counter[str]]:
    """Return the calls of each sweep until everything has been looked at."""
    calls = [swept(world)]
    while world.submissions.kept.get("began"):
        calls.append(swept(world))
    return calls


@pytest.mark.parametrize(("groups", "versions"), [(100, 1), (10_000, 1), (1, 10_000)])
def test_a_sweep_with_nothing_to_do_makes_at_most_sixty_calls_and_a_round_takes_less_than_a_day(
    groups: int, versions: int
):
    world = registry_of(groups, versions)
    runs = runs_of_a_round(world)
    assert max(each.total() for each in runs) <= MOST
    assert len(runs) < 96
    looked = [arn for batch in world.registry.batches for arn in batch]
    assert sorted(looked) == sorted(world.registry.described)  # each once


def test_ten_thousand_groups_cost_each_run_what_a_thousand_do():
    few, many = (runs_of_a_round(registry_of(groups)) for groups in (1_000, 10_000))
    assert abs(few[0].total() - many[0].total()) <= 1
    assert len(many) <= 11 * len(few)
