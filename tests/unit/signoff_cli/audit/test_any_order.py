"""Verifying ledgers after events in any order, decisions, meddling and deaths: nothing is found of what Signoff did."""

from hypothesis import HealthCheck, settings

from tests.support.auditing import audited
from tests.support.depth import examples
from tests.unit.pipeline.test_any_decision import AnyDecision
from tests.unit.pipeline.test_any_order import AnyOrder

_SETTINGS = settings(
    max_examples=examples(25), stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


class AuditedDecisions(AnyDecision):
    """Decisions, registry edits, timers and policies in any order, and an audit once it has all come to rest."""

    def teardown(self) -> None:
        super().teardown()
        self.world.daily_checkpoint.write_once()
        assert audited(self.world) == []


class AuditedOrder(AnyOrder):
    """Events in any order, twice or never, and an audit; what somebody forces into the vault is found."""

    def teardown(self) -> None:
        super().teardown()
        self.world.daily_checkpoint.write_once()
        assert {finding.name for finding in audited(self.world)} <= {"VaultChanged"}


AuditedDecisions.TestCase.settings = AuditedOrder.TestCase.settings = _SETTINGS
TestAuditedDecisions, TestAuditedOrder = AuditedDecisions.TestCase, AuditedOrder.TestCase


def test_the_audited_machines_come_to_models():
    machine = AuditedOrder()
    machine.world.deliver()
    for arn in machine.arns:
        machine.world.decide(arn, "approve")
    machine.teardown()
    assert len(machine.world.registry.models) == 3
