"""A status set in the registry: held, counted, or only observed."""

from typing import Any

import pytest

from signoff.ledger.entries import Kind, Status
from tests.support.voting import ANN, BEN, EVE, asking
from tests.support.world import SUBMITTER, World

COUNT = {"registry_edits": "count"}  # of policies written before it was refused


def edited(world: World, arn: str, by: str, status: str = "Approved", **fields: Any) -> None:
    world.clock.forward(seconds=5)
    world.registry.by_hand(arn, by, ModelApprovalStatus=status, **fields)
    world.deliver()


@pytest.mark.parametrize("approvals", [{}, COUNT], ids=["held", "of a policy that counted"])
@pytest.mark.parametrize("by", [ANN, SUBMITTER, EVE])
def test_a_status_set_by_anybody_is_nobodys_vote_and_is_set_back(by: str, approvals: dict[str, Any]):
    world, arn = asking(**approvals, approvers=[ANN, EVE])
    edited(world, arn, by, ApprovalDescription="fine")
    assert (world.status(arn), world.state(arn).votes, world.registry.models) == ("PendingManualApproval", (), {})
    reverted = world.history(arn).last(Kind.REGISTRY_REVERTED)
    assert (reverted.actor, reverted.details["last_modified_by"]) == ("signoff", by)


def test_a_status_set_within_the_second_of_an_approvers_other_write_is_not_the_approvers():
    world, arn = asking(**COUNT, approvers=[ANN])
    world.registry.by_hand(arn, EVE, ModelApprovalStatus="Approved")
    world.clock.forward(seconds=0.4)
    world.registry.by_hand(arn, ANN, CustomerMetadataProperties={"note": "mine"})
    world.deliver()
    assert (world.status(arn), world.state(arn).votes) == ("PendingManualApproval", ())
    assert world.history(arn).last(Kind.DECISION_RECORDED) is None


def test_an_approved_package_that_somebody_sets_to_rejected_is_approved_again():
    world, arn = asking()
    world.decide(arn, "approve")
    world.deliver()
    edited(world, arn, BEN, "Rejected")
    assert (world.state(arn).status, world.status(arn), len(world.registry.models)) == (Status.APPROVED, "Approved", 1)


# Only reporting


def test_where_a_policy_only_reports_a_status_set_by_hand_is_observed_and_left():
    world = World(mode="report")
    arn = world.pending()
    edited(world, arn, EVE)
    assert (world.status(arn), world.state(arn).status) == ("Approved", Status.PENDING_APPROVAL)
    assert world.kinds(arn)[-1] == "RegistryObserved"
    assert world.sweep() == {}


def test_once_the_policy_enforces_what_it_would_have_held_is_held():
    world = World(mode="report")
    arn = world.pending()
    edited(world, arn, EVE)
    world.set_policy("default", groups={"create": True})
    world.reconciler.reconcile({"ModelPackageArn": arn})
    assert (world.status(arn), "EnforcementChanged" in world.kinds(arn)) == ("PendingManualApproval", True)


def test_where_a_policy_only_reports_a_decision_is_brought_about_all_the_same():
    world = World(mode="report")
    arn = world.pending()
    world.decide(arn, "approve")
    world.deliver()
    assert (world.status(arn), len(world.registry.models)) == ("Approved", 1)
