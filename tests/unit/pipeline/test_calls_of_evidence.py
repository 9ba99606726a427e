"""What recording evidence costs: calls that follow what it reads, and not how many packages there ever were."""

from __future__ import annotations

from collections import Counter

from tests.support.interruptions import Interruptions
from tests.support.validations import claimed
from tests.support.world import ACCURATE, World


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


def recorded_after(versions: int) -> Counter[str]:
    """Return the calls of recording a package's evidence in a group with that many approved packages before it."""
    world = CountedWorld(metrics=ACCURATE)
    for number in range(versions):
        arn = world.submit(f"churn/run-{number}")
        world.deliver()
        world.decide(arn, "approve")
        world.deliver()
    claim = claimed(world, world.submit("churn/candidate"))
    inspected = world.inspected(claim)
    calls: Counter[str] = world.interruptions.operations
    calls.clear()
    assert world.recorder.record(claim, inspected)["verdict"] == "passed"
    return Counter(calls)


def test_recording_evidence_in_a_group_of_many_costs_what_it_costs_in_a_group_of_few():
    few, many = recorded_after(1), recorded_after(12)
    assert many == few


def test_the_comparison_costs_one_look_at_the_group_and_the_documents_of_its_champion():
    without, beside = recorded_after(0), recorded_after(1)
    more = {name: beside[name] - without[name] for name in {*without, *beside} if beside[name] != without[name]}
    # The baseline's ledger is not asked for where a package is the champion.
    assert sum(more.values()) <= 3, more
    assert more.keys() <= {"FakeBucket.get", "FakeBucket.opened"}, more
