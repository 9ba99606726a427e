"""Verifying ledgers: whatever has honestly happened to a package, nothing is found."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.auditing import arn_of, audited
from tests.support.world import APPROVER, ROLE, SUBMITTER, World

BEN = "arn:aws:iam::123456789012:user/ben"


def revoked(world: World) -> None:
    world.decide(world.approved(), "revoke")


def reopened(world: World) -> None:
    arn = world.pending()
    world.decide(arn, "reject")
    world.decide(arn, "reopen")
    world.decide(arn, "approve")


def rolled_back(world: World) -> None:
    first = world.approved()
    world.clock.forward(minutes=5)
    second = world.submit("churn/run-8")
    world.deliver()
    world.decide(second, "approve")
    world.deliver()
    world.clock.forward(minutes=5)
    world.decide(first, "rollback")


def refused(world: World) -> None:
    arn = world.pending()
    world.decide(arn, "approve", SUBMITTER)
    world.decide(arn, "approve", evidence="e" * 64)
    world.assert_decision(arn, "approve")
    world.decide(f"{arn}9", "approve")
    world.upload("churn/run-9/manifest.json", {"InferenceSpecification": "no"})


def set_back(world: World) -> None:
    world.registry.by_hand(world.pending(), ModelApprovalStatus="Approved")


def observed(world: World) -> None:
    world.set_policy("default", groups={"create": True}, mode="report")
    world.registry.by_hand(world.pending(), ModelApprovalStatus="Approved")


def broken_glass(world: World) -> None:
    world.set_policy("default", groups={"create": True}, approvals={"needed": 2, "break_glass": [BEN]})
    world.decide(world.pending(), "approve", BEN, break_glass=True)


def by_two(world: World) -> None:
    roles = {"risk": {"members": [BEN]}, "owners": {"members": [APPROVER, BEN]}}
    world.set_policy("default", groups={"create": True}, approvals={"roles": roles})
    arn = world.pending()
    for approver in (APPROVER, SUBMITTER, BEN):
        world.decide(arn, "approve", approver)
    world.deliver()
    world.decide(arn, "approve", APPROVER, reason="once more")


def by_a_policy_that_changed(world: World) -> None:
    world.set_policy("default", groups={"create": True}, approvals={"needed": 2})
    arn = world.pending()
    world.decide(arn, "approve")
    world.set_policy("default", groups={"create": True}, approvals={"approvers": [BEN]})
    world.decide(arn, "approve", BEN)


def expired(world: World) -> None:
    expiry = {"after": "P2D", "reminders": ["P1D"]}
    world.set_policy("default", groups={"create": True}, approvals={"expiry": expiry})
    world.pending()
    for _ in range(3):
        world.sweep(days=1)


def lapsed(world: World) -> None:
    world.set_policy("default", groups={"create": True}, approvals={"revocation": {"after": "P2D"}})
    world.approved()
    world.sweep(days=3)


def rolled_back_to_what_was_revoked(world: World) -> None:
    world.set_policy("default", groups={"create": True}, approvals={"needed": 2})
    arn = world.pending()
    for verb, approver in [("approve", APPROVER), ("approve", BEN), ("revoke", BEN), *_ROLLED_BACK]:
        world.decide(arn, verb, approver)
        world.deliver()
        world.clock.forward(minutes=1)


def rolled_back_to_what_had_lapsed(world: World) -> None:
    world.set_policy("default", groups={"create": True}, approvals={"needed": 2, "revocation": {"after": "P2D"}})
    for prefix in ("churn/run-1", "churn/run-2"):
        arn = world.pending(prefix=prefix)
        for approver in (APPROVER, BEN):
            world.decide(arn, "approve", approver)
        world.deliver()
        world.clock.forward(minutes=1)
    world.clock.forward(days=3)
    for verb, approver in _ROLLED_BACK:
        world.decide(arn_of(world), verb, approver)
        world.deliver()


_ROLLED_BACK = [("rollback", APPROVER), ("rollback", BEN)]


def failed(world: World) -> None:
    world.set_policy("default", groups={"create": True}, artifact={"required_files": ["none.bin"]})
    world.pending()


def errored(world: World) -> None:
    arn = world.submit()
    for versions in [v for key, v in world.vault_bucket.versions.items() if key.endswith("model.tar.gz")]:
        kept = versions.pop()
    world.deliver()
    versions.append(kept)
    world.validate(arn, by=SUBMITTER)


def validated_anew(world: World) -> None:
    arn = world.pending()
    world.validate(arn, by=SUBMITTER, reason="again")
    world.decide(arn, "approve")


def deleted(world: World) -> None:
    world.registry.delete_package(world.approved())
    world.sweep()


def made_anew(world: World) -> None:
    world.approved()
    world.registry.delete_group("churn")
    world.clock.forward(minutes=5)
    world.submit("churn/run-8")
    world.deliver()
    world.sweep()


def annotated(world: World) -> None:
    arn = world.pending(CustomerMetadataProperties={"draft": "yes"})
    world.annotate(arn, set={"ticket": "CHG-1"}, remove=["draft"])


def registered_elsewhere(world: World) -> None:
    world.set_policy("groups/churn")
    world.elsewhere()
    world.deliver()
    world.decide(arn_of(world), "approve")
    world.decide(arn_of(world), "approve", BEN)


def of_several_places(world: World) -> None:
    targets = [{"account": "222222222222", "region": "eu-west-1", "execution_role": ROLE}]
    world.set_policy("default", groups={"create": True}, deployment={"execution_role": ROLE, "targets": targets})
    world.approved()


HONEST = [
    *(World.pending, World.approved, revoked, reopened, rolled_back, refused, set_back, observed),
    *(broken_glass, by_two, by_a_policy_that_changed, expired, lapsed, failed, errored),
    *(rolled_back_to_what_was_revoked, rolled_back_to_what_had_lapsed),
    *(validated_anew, deleted, made_anew, annotated, registered_elsewhere, of_several_places),
]


@pytest.mark.parametrize("happens", HONEST)
def test_an_honest_ledger_fits(happens: Callable[[World], Any]):
    world = World()
    happens(world)
    world.deliver()
    world.daily_checkpoint.write_once()
    world.clock.forward(days=1)
    world.daily_checkpoint.write_once()
    assert world.ledger.histories
    assert audited(world) == []


def test_days_on_which_the_sweep_did_not_run_are_no_finding():
    world = World()
    world.approved()
    for missing_days in (1, 4, 1):
        world.clock.forward(days=missing_days)
        world.daily_checkpoint.write_once()
    assert audited(world) == []


def test_what_is_on_its_way_is_no_finding():
    world = World()
    arn = world.pending()
    world.decide(arn, "approve")
    assert (world.state(arn).model, audited(world)) == (None, [])
