"""Events in any order, twice, or never, decisions and meddling in between: what must hold always, and in the end."""

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from signoff.approval.statements import Sender
from signoff.ledger.entries import Status
from signoff.model_package.customer_metadata import own_metadata
from tests.support.deliveries import GRACE
from tests.support.depth import examples
from tests.support.model_shapes import CACHED, MODELS, SEVERAL, files_of, manifest
from tests.support.world import APPROVER, BUS, SUBMITTER, World

EVE = "arn:aws:iam::123456789012:user/eve"
positions = st.integers(0, 50)
packages = st.integers(0, 2)


def several(world: World) -> str:
    """Submit a package of a prefix and return its ARN."""
    for name, data in files_of(
        world, manifest(SEVERAL, deployment={"PrimaryContainer": CACHED}), MODELS, "run-8"
    ).items():
        world.upload(name, data)
    return str(world.submissions.get("churn/run-8")["package"])


class AnyOrder(RuleBasedStateMachine):
    """Three packages, one submitted, one registered elsewhere and one of a prefix, in a group with its own policy."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(approvals={"approvers": [APPROVER, SUBMITTER]}, groups={"create": True})
        self.world.set_policy("groups/churn", approvals={"approvers": [APPROVER, SUBMITTER]}, groups={"create": True})
        self.arns = [self.world.submit(), self.world.elsewhere(Domain="MACHINE_LEARNING"), several(self.world)]
        self.foreign = self.world.elsewhere("foreign")
        self.untouched = self.world.registry.describe(self.foreign)
        self.decided: list[Callable[[], Any]] = []
        create = self.world.registry.create_model
        self.created_unsigned: list[str] = []

        def watched(request: dict[str, Any]) -> bool:
            if not any(self.world.status(arn) == "Approved" for arn in self.arns):
                self.created_unsigned.append(request["ModelName"])
            return create(request)

        self.world.registry.create_model = watched

    @rule(position=positions)
    def an_event_arrives(self, position: int) -> None:
        self.world.step(position)

    @rule(position=positions)
    def an_event_arrives_and_will_again(self, position: int) -> None:
        self.world.step(position, keep=True)

    @rule(position=positions, call=st.integers(1, 25))
    def a_function_dies(self, position: int, call: int) -> None:
        self.world.die(position, call)

    @rule(position=positions)
    def an_event_is_lost(self, position: int) -> None:
        self.world.lose(position)

    @rule(
        which=packages,
        decision=st.sampled_from(["approve", "approve", "reject", "revoke"]),
        approver=st.sampled_from([APPROVER, APPROVER, SUBMITTER, EVE]),
    )
    def somebody_decides(self, which: int, decision: str, approver: str) -> None:
        arn, number = self.arns[which], len(self.decided)
        detail = self.world.statement(arn, decision, approver)
        self.decided.append(lambda: self.world.decision_handler.apply(detail, Sender(f"event-{number}")))
        self.decided[-1]()

    @rule(which=packages, said=st.sampled_from(["one", "two"]), added=st.sampled_from([None, None, "gpu"]))
    def somebody_annotates(self, which: int, said: str, added: str | None) -> None:
        arn, number = self.arns[which], len(self.decided)
        container = self.world.registry.describe(arn)["InferenceSpecification"]["Containers"][0]
        more = {"add_specifications": [{"Name": added, "Containers": [container]}]} if added else {}
        detail = {"statement": "annotation", "audience": BUS, "package": arn, "set": {"said": said}, "remove": ["Said"]}
        signed = self.world.sts.signed({**detail, **more}, by=EVE)
        self.decided.append(lambda: self.world.annotation_handler.apply(signed, Sender(f"event-{number}")))
        self.decided[-1]()

    @rule(position=positions)
    def a_decision_arrives_again(self, position: int) -> None:
        if self.decided:
            self.decided[position % len(self.decided)]()

    @rule(which=packages, status=st.sampled_from(["Approved", "Rejected", "PendingManualApproval"]))
    def somebody_sets_a_status_by_hand(self, which: int, status: str) -> None:
        self.world.registry.by_hand(self.arns[which], ModelApprovalStatus=status)

    @rule(which=packages, types=st.sampled_from(["text/csv", "application/json"]))
    def somebody_changes_the_specification(self, which: int, types: str) -> None:
        arn = self.arns[which]
        specification = self.world.registry.describe(arn)["InferenceSpecification"]
        self.world.registry.by_hand(arn, InferenceSpecification={**specification, "SupportedContentTypes": [types]})

    @rule(which=packages)
    def somebody_asks_for_another_validation(self, which: int) -> None:
        self.world.executions.start(self.arns[which], {"by": SUBMITTER, "reason": "again"})

    @rule(name=st.sampled_from(["models/de.tar.gz", "models/more.tar.gz"]))
    def somebody_forces_an_object_into_the_vault(self, name: str) -> None:
        attempt = self.world.submissions.get("churn/run-8")["attempt"]
        self.world.vault_bucket.put(f"models/churn/{attempt}/{name}", b"other weights")

    @rule(minutes=st.sampled_from([1, 7, 20]))
    def the_sweep_comes_by(self, minutes: int) -> None:
        self.world.clock.forward(minutes=minutes)
        self.world.sweeper.run(GRACE)

    @invariant()
    def no_model_is_created_while_nothing_is_approved(self) -> None:
        assert self.created_unsigned == []

    @invariant()
    def every_chain_verifies(self) -> None:
        for history in self.world.ledger.histories.values():
            assert history.verified().head == history.head

    @invariant()
    def nobody_has_signed_their_own_and_nobody_unlisted_has_signed(self) -> None:
        for arn in self.arns:
            entries = self.world.history(arn).entries
            approvals = [e for e in entries if e.kind == "DecisionRecorded" and e.details["decision"] == "approve"]
            assert {entry.actor for entry in approvals} <= {APPROVER}
            assert len(approvals) <= 1

    @invariant()
    def what_is_none_of_signoffs_business_is_untouched(self) -> None:
        assert self.world.registry.describe(self.foreign) == self.untouched

    def teardown(self) -> None:
        """Whatever happened: once everything is delivered and the sweep has come by, all agree."""
        self.world.deliver()
        for _ in range(4):
            self.world.executions.statuses = dict.fromkeys(self.world.executions.statuses, "FAILED")
            self.world.sweep()
        deployed = set()
        for arn in self.arns:
            state = self.world.state(arn)
            assert state.next_step is None
            assert self.world.status(arn) == state.projected == state.registry_status
            assert (state.model is not None) == (state.status is Status.APPROVED)
            deployed |= {state.model["name"]} if state.model else set()
            assert own_metadata(self.world.registry.describe(arn)) == state.metadata
        assert set(self.world.registry.models) == deployed
        approved = [self.world.state(arn) for arn in self.arns if self.world.state(arn).model]
        champion = max(approved, key=lambda state: (state.decision["time"], state.version), default=None)
        assert self.world.published() == ({"churn": champion.model["arn"]} if champion else {})
        assert self.world.sweep() == {}


AnyOrder.TestCase.settings = settings(
    max_examples=examples(50), stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestAnyOrder = AnyOrder.TestCase


def test_every_kind_of_package_can_get_through_to_a_model():
    machine = AnyOrder()
    machine.world.deliver()
    for arn in machine.arns:
        machine.world.decide(arn, "approve")
    machine.teardown()
    assert len(machine.world.registry.models) == 3
