"""A policy that only reports: all is checked and recorded, nothing is held, and what people decide is brought about."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signoff.ledger.entries import Kind, Status, Step
from signoff.validation.open_validation import ValidationRequest
from tests.support.depth import examples
from tests.support.entries import APPROVED, PENDING, decided, evidence, history, model_created, registered, started
from tests.support.entries import subject_changed as revoked
from tests.support.world import ACCURATE, APPROVER, SPECIFICATION, World

EVE = "arn:aws:iam::123456789012:user/eve"
TOO_ACCURATE = [{**ACCURATE[0], "at_least": 0.99}]


def reporting(**policy: Any) -> World:
    return World(mode="report", **policy)


def enforce(world: World, **policy: Any) -> None:
    world.set_policy("default", **{"groups": {"create": True}, **policy})


def by_hand(world: World, arn: str, status: str, actor: str = EVE) -> None:
    world.clock.forward(seconds=2)
    world.registry.by_hand(arn, actor, ModelApprovalStatus=status)
    world.deliver()


# Nothing is held


def test_failed_evidence_is_written_down_and_leaves_the_registry_as_it_is():
    world = reporting(metrics=TOO_ACCURATE)
    arn = world.pending()
    metadata = world.registry.described[arn]["CustomerMetadataProperties"]
    assert (world.state(arn).status, world.status(arn)) == (Status.VALIDATION_FAILED, "PendingManualApproval")
    assert (metadata["signoff:verdict"], metadata["signoff:evidence"]) == ("failed", world.evidence(arn))
    assert (world.state(arn).next_step, world.state(arn).would_be_held, world.sweep()) == (None, True, {})


def test_the_workflow_is_told_what_would_have_been_held():
    outcomes = []
    for metrics in (TOO_ACCURATE, ACCURATE):
        world = reporting(metrics=metrics)
        claim = world.opener.open(ValidationRequest(world.submit(), "x1"))
        found = world.inspected(claim)
        outcomes.append(world.recorder.record(claim, found).get("would_be_held"))
    assert outcomes == [True, None]


@pytest.mark.parametrize("decisions_first", [True, False])
def test_a_package_that_was_registered_as_approved_stays_approved(decisions_first: bool):
    world = reporting()
    world.set_policy("groups/churn", mode="report")
    arn = world.elsewhere(ModelApprovalStatus="Approved")
    if decisions_first:
        world.reconciler.reconcile({"ModelPackageArn": arn})
    world.deliver()
    assert (world.status(arn), world.state(arn).status) == ("Approved", Status.PENDING_APPROVAL)
    assert world.sweep() == {}


def test_a_decision_about_it_before_its_validation_is_refused_and_leaves_it_approved():
    world = reporting()
    world.set_policy("groups/churn", mode="report")
    arn = world.elsewhere(ModelApprovalStatus="Approved")
    assert world.decide(arn, "reject").name == "NotValidated"
    assert world.status(arn) == "Approved"


@pytest.mark.parametrize("status", ["Approved", "Rejected"])
def test_a_status_set_by_hand_is_written_down_once_and_left(status: str):
    world = reporting()
    arn = world.pending()
    by_hand(world, arn, status)
    for _ in range(3):
        assert world.sweep() == {}
    observed = [entry.details for entry in world.history(arn).entries if entry.kind is Kind.REGISTRY_OBSERVED]
    assert (world.status(arn), world.registry.models) == (status, {})
    assert observed == [{"found": status, "last_modified_by": EVE}]


def test_who_reconciles_learns_what_would_have_been_held():
    world = reporting()
    arn = world.pending()
    world.registry.by_hand(arn, EVE, ModelApprovalStatus="Approved")
    answers = [world.reconciler.reconcile({"ModelPackageArn": arn}) for _ in range(2)]
    assert [answer and answer.would_be_held for answer in answers] == [True, None]


@pytest.mark.parametrize("reopened", [False, True])
def test_waiting_that_was_too_long_is_written_down_and_leaves_the_registry_as_it_is(reopened: bool):
    world = reporting(approvals={"expiry": {"after": "P14D"}})
    arn = world.pending()
    if reopened:
        for verb in ("reject", "reopen"):
            world.decide(arn, verb)
            world.deliver()
    world.sweep(days=14)
    assert (world.state(arn).status, world.status(arn)) == (Status.REJECTED, "PendingManualApproval")
    assert (world.kinds(arn)[-1], world.sweep()) == ("Expired", {})


def test_a_package_changed_after_its_approval_is_revoked_in_the_ledger_loses_its_model_and_keeps_its_status():
    world = reporting()
    arn = world.approved()
    world.clock.forward(minutes=1)
    world.registry.by_hand(arn, EVE, InferenceSpecification={**SPECIFICATION, "SupportedContentTypes": ["text/x"]})
    world.deliver()
    world.sweep()
    assert (world.state(arn).status, world.status(arn), world.registry.models) == (Status.REVOKED, "Approved", {})
    assert (world.state(arn).next_step, world.sweep()) == (None, {})


# What people decide is brought about


def test_a_decision_about_what_the_registry_shows_already_gets_its_model():
    world = reporting()
    arn = world.pending()
    by_hand(world, arn, "Approved")
    world.decide(arn, "approve")
    world.deliver()
    world.sweep()
    assert (world.state(arn).status, len(world.registry.models)) == (Status.APPROVED, 1)
    assert world.sweep() == {}


def test_nothing_waits_for_a_model_that_somebody_has_set_to_rejected():
    world = reporting()
    arn = world.pending()
    world.decide(arn, "approve")
    for queue, _ in world.waiting():
        queue.clear()
    by_hand(world, arn, "Rejected")
    assert (world.status(arn), world.registry.models, world.state(arn).next_step) == ("Rejected", {}, None)
    assert world.sweep() == {}
    by_hand(world, arn, "Approved")
    assert len(world.registry.models) == 1


def test_a_revocation_of_what_somebody_set_to_rejected_takes_the_model():
    world = reporting()
    arn = world.approved()
    by_hand(world, arn, "Rejected")
    assert len(world.registry.models) == 1
    world.decide(arn, "revoke")
    world.sweep()
    assert (world.state(arn).status, world.status(arn), world.registry.models) == (Status.REVOKED, "Rejected", {})


# From reporting to enforcing, and back


def test_once_the_policy_enforces_the_sweep_brings_every_package_to_its_ledger():
    world = reporting(metrics=TOO_ACCURATE)
    failed = world.pending(prefix="churn/run-1")
    by_hand(world, failed, "Approved")
    world.set_policy("default", groups={"create": True}, mode="report")
    waiting, approved = world.pending(prefix="churn/run-2"), world.approved(prefix="churn/run-3")
    by_hand(world, waiting, "Approved")
    enforce(world)
    assert world.sweep() == {"changed enforcement": 3}
    assert [world.status(arn) for arn in (failed, waiting, approved)] == [
        "Rejected",
        "PendingManualApproval",
        "Approved",
    ]
    changed = world.history(waiting).last(Kind.ENFORCEMENT_CHANGED)
    assert changed is not None
    assert world.vault.read("policies", changed.details["policy"])["mode"] == "enforce"
    assert world.sweep() == {}


def test_once_the_policy_only_reports_what_was_set_back_is_left_alone():
    world = World(metrics=TOO_ACCURATE)
    arn = world.pending()
    enforce(world, mode="report")
    assert (world.sweep(), world.status(arn)) == ({"changed enforcement": 1}, "Rejected")
    by_hand(world, arn, "Approved")
    assert (world.status(arn), world.sweep()) == ("Approved", {})


def test_what_lapsed_while_the_policy_only_reported_is_revoked_once_it_enforces():
    lapsing = {"approvals": {"revocation": {"after": "P10D"}}}
    world = reporting(**lapsing)
    arn = world.approved()
    assert (world.sweep(days=20), world.state(arn).status) == ({}, Status.APPROVED)
    enforce(world, **lapsing)
    for _ in range(2):
        world.sweep()
    assert (world.state(arn).status, world.status(arn), world.registry.models) == (Status.REVOKED, "Rejected", {})


# Whatever is done by hand


hands = st.lists(st.sampled_from(["Approved", "Rejected", "PendingManualApproval", "sweep", "validate"]), max_size=8)


@given(hands, st.sampled_from([ACCURATE, TOO_ACCURATE]), st.booleans())
@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_while_nobody_decides_the_registry_shows_what_hands_set_last(acts, metrics, at_once):
    world = reporting(metrics=metrics)
    arn, last = world.submit(), "PendingManualApproval"
    if not at_once:
        world.deliver()
    for act in acts:
        if act == "sweep":
            world.sweep()
        elif act == "validate":
            world.validate(arn, by=APPROVER, reason="again")
        else:
            by_hand(world, arn, act)
            last = act
        assert world.status(arn) == last
    world.deliver()
    world.sweep()
    assert (world.status(arn), world.state(arn).next_step, world.sweep()) == (last, None, {})


@pytest.mark.parametrize(
    ("entries", "held"),
    [
        ([registered(), started(), evidence("failed")], True),
        (PENDING, False),
        ([*APPROVED, model_created()], False),
        ([*APPROVED, model_created(), revoked()], True),
        ([*PENDING, decided("reject")], False),
    ],
)
def test_what_would_be_held_is_what_an_enforcing_policy_would_show_otherwise(entries: Any, held: bool):
    drafts = [each if each.kind is not Kind.VALIDATION_STARTED else _reporting(each) for each in entries]
    reported, enforced = history(*drafts).state, history(*entries).state
    assert (reported.would_be_held, enforced.would_be_held) == (held, False)
    if held:
        assert enforced.next_step is Step.UPDATE_REGISTRY


def _reporting(draft: Any) -> Any:
    return type(draft)(draft.kind, draft.actor, {**draft.details, "enforced": False})
