"""Approvals, revocations and rollbacks in any order: who followed whom is right in the end."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from signoff.ledger.entries import Kind
from tests.support.deliveries import GRACE
from tests.support.depth import examples
from tests.support.world import World
from tests.unit.deployment.test_champions import LaggingLedger

# Whatever happens


packages = st.integers(0, 2)


class AnySuccession(RuleBasedStateMachine):
    """Three packages that are approved, revoked and rolled back to, an index that is behind, functions that die."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.ledger = self.world.ledger = LaggingLedger(self.world.clock)
        self.world._compose()
        self.arns = []
        for number in range(3):
            self.arns.append(self.world.submit(f"churn/run-{number}"))
            self.ledger.caught_up()
            self.world.deliver()
        self.ledger.caught_up()

    @rule(which=packages, verb=st.sampled_from(["approve", "approve", "revoke", "reopen", "rollback", "rollback"]))
    def somebody_decides(self, which: int, verb: str) -> None:
        self.world.clock.forward(seconds=1)
        self.world.decide(self.arns[which], verb)

    @rule(position=st.integers(0, 20), keep=st.booleans())
    def an_event_arrives(self, position: int, keep: bool) -> None:
        self.world.step(position, keep=keep)

    @rule(position=st.integers(0, 20), call=st.integers(1, 30))
    def a_function_dies(self, position: int, call: int) -> None:
        self.world.die(position, call)

    @rule()
    def the_index_catches_up(self) -> None:
        self.ledger.caught_up()

    @rule()
    def the_sweep_comes_by(self) -> None:
        self.world.clock.forward(minutes=20)
        self.world.sweeper.run(GRACE)

    @invariant()
    def nobody_is_marked_twice_for_one_approval_nor_reinstated_unmarked(self) -> None:
        for arn in self.arns:
            marked = followed = False
            for entry in self.world.history(arn).entries:
                if entry.kind is Kind.SUPERSEDED:
                    assert not marked
                    marked = followed = True
                if entry.kind is Kind.REINSTATED:
                    assert followed
                    marked = followed = False
                if entry.details.get("decision") in {"approve", "rollback"} and entry.kind is Kind.DECISION_RECORDED:
                    marked = False

    def teardown(self) -> None:
        """In the end the champion is not marked, and every other package that is deployed is."""
        for _ in range(5):
            self.ledger.caught_up()
            self.world.deliver()
            self.ledger.caught_up()
            self.world.sweep()
        states = [self.world.state(arn) for arn in self.arns]
        live = [state for state in states if state.status == "Approved" and state.model]
        live.sort(key=lambda state: (state.decision["time"], state.version), reverse=True)
        assert [state.superseded for state in live] == [False, True, True][: len(live)]
        assert not live or live[0].superseded_by is None
        assert self.world.sweep() == {}


AnySuccession.TestCase.settings = settings(
    max_examples=examples(60), stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestAnySuccession = AnySuccession.TestCase
