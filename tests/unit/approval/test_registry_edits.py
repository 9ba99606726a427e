"""A status set in the registry: held, counted, or only observed."""

from typing import Any

import pytest

from signoff.ledger.entries import Kind, Status
from tests.support.voting import ACCOUNT, ANN, BEN, EVE, asking
from tests.support.world import SUBMITTER, World

COUNT = {"registry_edits": "count"}


def edited(world: World, arn: str, by: str, status: str = "Approved", **fields: Any) -> None:
    world.clock.forward(seconds=5)
    world.registry.by_hand(arn, by, ModelApprovalStatus=status, **fields)
    world.deliver()


def test_a_status_set_by_an_approver_counts_where_the_policy_says_so():
    world, arn = asking(**COUNT)
    edited(world, arn, ANN, ApprovalDescription="fine")
    decision = world.history(arn).last(Kind.DECISION_RECORDED)
    assert decision is not None
    assert (decision.actor, decision.details["channel"]) == (ANN, "registry")
    assert decision.details["reason"] == "set in the registry: fine"
    assert (world.status(arn), len(world.registry.models)) == ("Approved", 1)


def test_a_status_that_is_one_vote_of_two_is_set_back_and_counted():
    world, arn = asking(**COUNT, needed=2)
    edited(world, arn, ANN)
    assert (world.status(arn), world.state(arn).votes) == ("PendingManualApproval", (ANN,))
    edited(world, arn, BEN)
    assert world.status(arn) == "Approved"


@pytest.mark.parametrize(
    ("by", "refusal"),
    [
        (SUBMITTER, "OwnModel"),
        ("arn:aws:iam::999999999999:user/ann", "AccountNotListed"),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/studio/anybody", None),
    ],
)
def test_a_status_set_by_somebody_else_is_set_back(by: str, refusal: str | None):
    world, arn = asking(**COUNT)
    edited(world, arn, by)
    assert (world.status(arn), world.registry.models) == ("PendingManualApproval", {})
    refusals = [details["refusal"] for details in world.refusals(world.history(arn).package)]
    assert refusals == ([refusal] if refusal else [])


def test_an_approved_package_that_an_approver_sets_to_rejected_is_revoked():
    world, arn = asking(**COUNT)
    edited(world, arn, ANN)
    edited(world, arn, BEN, "Rejected")
    assert (world.state(arn).status, world.registry.models) == (Status.REVOKED, {})


def test_a_status_whose_author_another_write_has_covered_counts_for_nobody():
    world, arn = asking(**COUNT)
    world.registry.by_hand(arn, EVE, ModelApprovalStatus="Approved")
    world.clock.forward(seconds=5)
    world.registry.by_hand(arn, ANN, CustomerMetadataProperties={"note": "mine"})
    world.deliver()
    assert (world.status(arn), world.state(arn).votes) == ("PendingManualApproval", ())


def test_an_event_that_does_not_say_that_the_status_changed_counts_for_nobody():
    world, arn = asking(**COUNT)
    world.registry.by_hand(arn, ANN, ModelApprovalStatus="Approved")
    event = {**world.registry.events.pop(), "UpdatedModelPackageFields": ["InferenceSpecification"]}
    world.reconciler.reconcile(event)
    assert (world.status(arn), world.state(arn).votes) == ("PendingManualApproval", ())


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
