"""Approvals, revocations and baselines in any order, deaths, an index that lags: who is champion in the end."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from signoff.ledger.history import baseline_key
from tests.support.deliveries import GRACE
from tests.support.depth import examples
from tests.support.world import World
from tests.unit.deployment.test_champions import LaggingLedger
from tests.unit.deployment.test_record_baseline import LISTED, asked, deployed

positions = st.integers(0, 20)
packages = st.integers(0, 2)


class AnyChampion(RuleBasedStateMachine):
    """A group with three packages that await their decisions, and a stack with a baseline."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(groups=LISTED)
        self.ledger = self.world.ledger = LaggingLedger(self.world.clock)
        self.world._compose()
        self.arns = []
        for number in range(3):
            self.arns.append(self.world.submit(f"churn/run-{number}"))
            self.ledger.caught_up()
            self.world.deliver()
        self.ledger.caught_up()
        self.requests = 0
        self.baseline: str | None = None

    @rule(which=packages, decision=st.sampled_from(["approve", "approve", "revoke"]))
    def somebody_decides(self, which: int, decision: str) -> None:
        self.world.clock.forward(seconds=1)
        self.world.decide(self.arns[which], decision)

    @rule(position=positions, keep=st.booleans())
    def an_event_arrives(self, position: int, keep: bool) -> None:
        self.world.step(position, keep=keep)

    @rule(position=positions, call=st.integers(1, 20))
    def a_function_dies(self, position: int, call: int) -> None:
        self.world.die(position, call)

    @rule()
    def the_index_catches_up(self) -> None:
        self.ledger.caught_up()

    @rule()
    def the_stack_deploys_another_baseline(self) -> None:
        former, self.baseline = self.baseline, deployed(self.world, f"base{self.requests}")
        self._ask("Update" if former else "Create", self.baseline)
        if former:
            self._ask("Delete", former)

    @rule()
    def the_stack_goes(self) -> None:
        if self.baseline:
            self._ask("Delete", self.baseline)
            self.baseline = None

    @rule(minutes=st.sampled_from([1, 20]))
    def the_sweep_comes_by(self, minutes: int) -> None:
        self.world.clock.forward(minutes=minutes)
        self.world.sweeper.run(GRACE)

    @rule(value=st.sampled_from(["arn:mallory", ""]))
    def somebody_writes_the_parameter(self, value: str) -> None:
        self.world.parameters.put_parameter("/signoff/champions/churn", value or "arn:eve")

    @invariant()
    def every_chain_verifies(self) -> None:
        assert self.ledger.history(baseline_key("churn")).verified().package == "baseline:churn"

    def teardown(self) -> None:
        """Once the index is there, everything is delivered and the sweep has come by, the right one is published."""
        for _ in range(5):
            self.ledger.caught_up()
            self.world.deliver()
            self.ledger.caught_up()
            self.world.sweep()
        states = [self.world.state(arn) for arn in self.arns]
        live = [state for state in states if state.status == "Approved" and state.model]
        best = max(live, key=lambda state: (state.decision["time"], state.version), default=None)
        expected = best.model["arn"] if best else self.baseline
        assert self.world.published() == ({"churn": expected} if expected else {})

    def _ask(self, kind: str, arn: str) -> None:
        self.requests += 1
        self.world.baseline_recorder.handle(asked(kind, arn, f"request-{self.requests}"))


AnyChampion.TestCase.settings = settings(
    max_examples=examples(40), stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestAnyChampion = AnyChampion.TestCase


def test_the_champion_changes_hands_from_baseline_to_package_and_back():
    machine = AnyChampion()
    machine.the_stack_deploys_another_baseline()
    machine.somebody_decides(1, "approve")
    machine.ledger.caught_up()
    machine.world.deliver()
    assert machine.world.published() == {"churn": machine.world.state(machine.arns[1]).model["arn"]}
    machine.somebody_decides(1, "revoke")
    machine.teardown()
    assert machine.world.published() == {"churn": machine.baseline}
