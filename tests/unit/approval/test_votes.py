"""Decisions that take several people, or one with a special right, and those that are made again."""

from typing import Any

import pytest

from signoff.approval.decisions import Recorded, Repeated
from signoff.ledger.entries import Kind, Status
from tests.support.voting import ACCOUNT, ANN, BEN, EVE, JOB, TWO_ROLES, asking, refused, sso
from tests.support.world import ACCURATE, SUBMITTER, World

# Quorum


def test_an_approval_that_is_not_enough_is_a_vote_and_changes_nothing_in_the_registry():
    world, arn = asking(needed=2)
    outcome = world.decide(arn, "approve")
    assert isinstance(outcome, Recorded)
    assert (world.kinds(arn)[-1], world.state(arn).status) == ("VoteRecorded", Status.PENDING_APPROVAL)
    assert world.status(arn) == "PendingManualApproval"
    assert world.history(arn).entries[-1].details["outstanding"] == "1 more approval"


def test_the_last_approval_that_it_takes_names_all_of_them():
    world, arn = asking(needed=2)
    world.decide(arn, "approve", ANN)
    world.decide(arn, "approve", BEN)
    decision = world.history(arn).last(Kind.DECISION_RECORDED)
    assert decision is not None
    assert (decision.actor, decision.details["votes"]) == (BEN, [ANN, BEN])
    assert world.status(arn) == "Approved"


def test_nobody_is_counted_twice():
    world, arn = asking(needed=2)
    world.decide(arn, "approve", ANN)
    assert world.decide(arn, "approve", ANN, reason="once more") == Repeated()
    assert world.state(arn).votes == (ANN,)


def test_a_person_who_has_two_permission_sets_and_accounts_is_one():
    world = World(approvals={"needed": 2}, accounts={"submit": ["222222222222"]})
    arn = world.pending()
    world.decide(arn, "approve", sso("ann@example.com"))
    other = sso("ann@example.com", "Admin", "222222222222")
    assert world.decide(arn, "approve", other, reason="as admin") == Repeated()
    assert isinstance(world.decide(arn, "approve", sso("ben@example.com")), Recorded)
    assert world.status(arn) == "Approved"


def test_all_sessions_of_a_role_have_one_vote():
    world, arn = asking(needed=2, approvers=[ANN, f"arn:aws:iam::{ACCOUNT}:role/risk"])
    one, other = (f"arn:aws:sts::{ACCOUNT}:assumed-role/risk/{name}" for name in ("ann", "ben"))
    world.decide(arn, "approve", one)
    assert world.decide(arn, "approve", other, reason="as another") == Repeated()


def test_sessions_whose_names_a_policy_trusts_are_persons():
    world, arn = asking(needed=2, trusted_sessions=[f"arn:aws:iam::{ACCOUNT}:role/risk"])
    for name in ("ann", "ben"):
        world.decide(arn, "approve", f"arn:aws:sts::{ACCOUNT}:assumed-role/risk/{name}")
    assert world.status(arn) == "Approved"


@pytest.mark.parametrize("order", [(ANN, EVE), (EVE, ANN), (BEN, ANN), (ANN, BEN), (EVE, BEN)])
def test_one_of_each_role_approves_in_whichever_order(order: tuple[str, str]):
    world, arn = asking(**TWO_ROLES)
    world.decide(arn, "approve", order[0])
    assert world.status(arn) == "PendingManualApproval"
    world.decide(arn, "approve", order[1])
    assert world.status(arn) == "Approved"


def test_one_person_in_two_roles_fills_one_of_them():
    world, arn = asking(**TWO_ROLES)
    world.decide(arn, "approve", BEN)
    assert world.state(arn).status is Status.PENDING_APPROVAL
    assert world.history(arn).entries[-1].details["roles"] == ["risk", "owners"]


def test_a_rejection_while_the_vote_is_open_ends_it():
    world, arn = asking(needed=2)
    world.decide(arn, "approve", ANN)
    world.decide(arn, "reject", BEN)
    assert (world.state(arn).status, world.status(arn)) == (Status.REJECTED, "Rejected")
    assert refused(world.decide(arn, "approve", EVE)) == "AlreadyDecided"


def test_new_evidence_is_voted_on_anew():
    world, arn = asking(needed=2)
    world.decide(arn, "approve", ANN)
    world.clock.forward(minutes=1)
    world.validate(arn, by=SUBMITTER)
    world.decide(arn, "approve", BEN)
    assert (world.state(arn).votes, world.state(arn).status) == ((BEN,), Status.PENDING_APPROVAL)


def test_who_is_no_longer_an_approver_when_the_last_one_approves_does_not_count():
    world, arn = asking(needed=2, approvers=[ANN, BEN])
    world.decide(arn, "approve", ANN)
    world.set_policy("default", groups={"create": True}, approvals={"needed": 2, "approvers": [BEN, EVE]})
    world.decide(arn, "approve", BEN)
    assert world.status(arn) == "PendingManualApproval"
    world.decide(arn, "approve", EVE)
    assert world.status(arn) == "Approved"


def test_a_changed_policy_changes_no_decision_that_was_made():
    world, arn = asking()
    world.decide(arn, "approve")
    world.deliver()
    decided = world.state(arn).decision
    world.set_policy("default", groups={"create": True}, approvals={"needed": 3, "approvers": [EVE]})
    world.sweep()
    assert (world.state(arn).decision, world.status(arn)) == (decided, "Approved")


@pytest.mark.parametrize(
    "by",
    [
        f"arn:aws:sts::{ACCOUNT}:federated-user/{SUBMITTER.rpartition('/')[2]}",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/any/sam",
        f"arn:aws:iam::{ACCOUNT}:root",
    ],
)
@pytest.mark.parametrize("approvals", [{}, {"approvers": ["arn:*:*:*:*:*"]}])
def test_a_submitter_approves_as_no_other_principal_that_they_may_take_on(approvals: dict[str, Any], by: str):
    world, arn = asking(**approvals)
    for verb in ("approve", "reject"):
        outcome = world.decide(arn, verb, by)
        assert refused(outcome) == "NotAnApprover"
        assert "may be used by anyone" in outcome.reason
    assert world.state(arn).status is Status.PENDING_APPROVAL


# Names of IAM users change and are given again; their ids are not


def test_a_submitter_who_was_renamed_is_still_the_submitter():
    world, arn = asking()
    world.sts.identify(RENAMED, user_id_of(world, Kind.REGISTERED, arn))
    assert refused(world.decide(arn, "approve", RENAMED)) == "OwnModel"


def test_a_submitter_who_was_renamed_is_known_by_the_id_that_sagemaker_reports_too():
    world = World()
    world.set_policy("groups/churn")
    arn = world.elsewhere()
    world.registry.described[arn]["CreatedBy"] = {"IamIdentity": {"Arn": EVE, "PrincipalId": "AIDAEVE"}}
    world.deliver()
    world.sts.identify(RENAMED, "AIDAEVE")
    assert refused(world.decide(arn, "approve", RENAMED)) == "OwnModel"
    assert isinstance(world.decide(arn, "approve", ANN), Recorded)


def test_an_approver_who_was_renamed_has_one_vote_whether_it_decides_or_joins():
    world, arn = asking(needed=2)
    world.decide(arn, "approve", ANN)
    world.sts.identify(RENAMED, user_id_of(world, Kind.VOTED, arn))
    assert world.decide(arn, "approve", RENAMED) == Repeated()
    assert isinstance(world.decide(arn, "approve", BEN), Recorded)
    assert world.decide(arn, "approve", RENAMED, reason="I agree") == Repeated()
    assert world.state(arn).votes == (ANN, BEN)


def test_an_approver_who_was_deleted_and_made_anew_has_one_vote():
    world, arn = asking(needed=2)
    world.decide(arn, "approve", ANN)
    world.sts.identify(ANN, "AIDAANOTHER")
    assert world.decide(arn, "approve", ANN, reason="again") == Repeated()
    assert world.state(arn).votes == (ANN,)


def test_a_submitter_who_was_deleted_and_made_anew_does_not_approve():
    world, arn = asking()
    world.sts.identify(SUBMITTER, "AIDAANOTHER")
    assert refused(world.decide(arn, "approve", SUBMITTER)) == "OwnModel"


def test_an_approver_renamed_to_the_name_of_a_submitter_who_is_gone_is_taken_for_them():
    world, arn = asking(needed=2)
    world.decide(arn, "approve", ANN)
    world.sts.identify(SUBMITTER, user_id_of(world, Kind.VOTED, arn))
    assert refused(world.decide(arn, "approve", SUBMITTER)) == "OwnModel"


def test_sessions_of_one_role_are_told_apart_by_their_names_where_those_are_trusted_and_not_by_its_id():
    world, arn = asking(needed=2, trusted_sessions=[f"arn:aws:iam::{ACCOUNT}:role/risk"])
    one, other = (f"arn:aws:sts::{ACCOUNT}:assumed-role/risk/{name}" for name in ("ann", "ben"))
    for session in (one, other):
        world.sts.identify(session, "AROARISK:same")
        world.decide(arn, "approve", session)
    assert world.status(arn) == "Approved"


RENAMED = f"arn:aws:iam::{ACCOUNT}:user/zoe"


def user_id_of(world: World, kind: Kind, arn: str) -> str:
    """The id of IAM's in the last entry of that kind."""
    entry = world.history(arn).last(kind)
    assert entry is not None
    return str(entry.details["user_id"])


# Submitters whom nobody knows


def registered_by(world: World, creator: str) -> str:
    world.set_policy("groups/churn", **world.policy)
    arn = world.elsewhere()
    world.registry.described[arn]["CreatedBy"] = {"IamIdentity": {"Arn": creator}}
    world.deliver()
    return arn


@pytest.mark.parametrize("creator", [JOB, "arn:aws:sagemaker:us-east-1:123456789012:user-profile/d-1/ann"])
def test_what_nobody_known_submitted_takes_one_more_approval(creator: str):
    world = World()
    arn = registered_by(world, creator)
    world.decide(arn, "approve", ANN)
    assert world.status(arn) == "PendingManualApproval"
    world.decide(arn, "approve", BEN)
    assert world.status(arn) == "Approved"


def test_a_policy_may_refuse_to_approve_what_nobody_known_submitted():
    world = World(approvals={"unknown_submitter": "refuse"})
    arn = registered_by(world, JOB)
    assert refused(world.decide(arn, "approve")) in {"UnknownSubmitter", "ValidationFailed"}


def test_a_policy_may_accept_what_nobody_known_submitted():
    world = World(approvals={"unknown_submitter": "accept"})
    arn = registered_by(world, JOB)
    world.decide(arn, "approve")
    assert world.status(arn) == "Approved"


def test_a_submitter_is_the_same_person_in_another_session():
    world = World()
    arn = registered_by(world, sso("sam@example.com", "Scientist"))
    assert refused(world.decide(arn, "approve", sso("sam@example.com"))) == "OwnModel"


# Breaking the glass


def test_one_who_may_break_the_glass_approves_alone_and_loudly():
    world, arn = asking(needed=3, break_glass=[EVE])
    assert isinstance(world.decide(arn, "approve", EVE, break_glass=True, reason="outage"), Recorded)
    decision = world.history(arn).last(Kind.DECISION_RECORDED)
    assert decision is not None
    assert (decision.details["break_glass"], decision.details["votes"]) == (True, [EVE])
    assert world.status(arn) == "Approved"


def test_who_voted_before_they_broke_the_glass_is_named_once():
    world, arn = asking(needed=3, approvers=[ANN, EVE], break_glass=[EVE])
    for who in (EVE, ANN):
        world.decide(arn, "approve", who)
    world.decide(arn, "approve", EVE, break_glass=True)
    decision = world.history(arn).last(Kind.DECISION_RECORDED)
    assert decision is not None
    assert decision.details["votes"] == [ANN, EVE]


@pytest.mark.parametrize(("who", "name"), [(ANN, "NotBreakGlass"), (SUBMITTER, "OwnModel")])
def test_nobody_else_breaks_the_glass_and_nobody_for_their_own(who: str, name: str):
    world, arn = asking(needed=2, break_glass=[EVE, SUBMITTER])
    assert refused(world.decide(arn, "approve", who, break_glass=True)) == name


def test_broken_glass_does_not_skip_the_evidence():
    world = World(approvals={"break_glass": [EVE]}, metrics=[{**ACCURATE[0], "at_least": 0.99}])
    assert refused(world.decide(world.pending(), "approve", EVE, break_glass=True)) == "ValidationFailed"


def test_who_may_break_the_glass_needs_to_say_so():
    world, arn = asking(needed=2, approvers=[ANN], break_glass=[EVE])
    assert refused(world.decide(arn, "approve", EVE)) == "NotAnApprover"


# What was seen


def test_an_approval_names_the_evidence_it_is_of():
    world, arn = asking()
    assert refused(world.decide(arn, "approve", evidence=None)) == "EvidenceNotNamed"


@pytest.mark.parametrize("decision", ["approve", "reject"])
def test_a_decision_on_evidence_that_is_not_the_packages_any_more_is_stale(decision: str):
    world, arn = asking()
    seen = world.evidence(arn)
    world.clock.forward(minutes=1)
    world.validate(arn, by=SUBMITTER)
    assert world.evidence(arn) != seen
    assert refused(world.decide(arn, decision, evidence=seen)) == "EvidenceStale"


# Deciding again


def test_a_rejected_package_can_be_re_opened_and_is_voted_on_anew():
    world, arn = asking(needed=2)
    world.decide(arn, "approve", ANN)
    world.decide(arn, "reject", BEN)
    world.deliver()
    assert isinstance(world.decide(arn, "reopen", BEN, reason="I took it for another"), Recorded)
    world.deliver()
    assert (world.state(arn).status, world.status(arn)) == (Status.PENDING_APPROVAL, "PendingManualApproval")
    assert world.state(arn).votes == ()
    assert world.decide(arn, "reopen", EVE) == Repeated()


@pytest.mark.parametrize("decision", ["reject", "revoke"])
def test_a_model_approved_after_it_was_re_opened_exists(decision: str):
    world = World()
    arn = world.approved() if decision == "revoke" else world.pending()
    world.decide(arn, decision)
    world.deliver()
    world.decide(arn, "reopen")
    world.deliver()
    world.clock.forward(minutes=1)
    world.decide(arn, "approve")
    world.deliver()
    assert (world.status(arn), len(world.registry.models)) == ("Approved", 1)


def test_what_changed_since_it_was_signed_is_not_re_opened():
    world = World()
    arn = world.approved()
    specification = world.registry.described[arn]["InferenceSpecification"]
    changed = {**specification, "SupportedContentTypes": ["x"]}
    world.registry.by_hand(arn, InferenceSpecification=changed)
    world.deliver()
    assert refused(world.decide(arn, "reopen")) == "EvidenceStale"


@pytest.mark.parametrize("decision", ["reopen", "rollback"])
def test_an_approval_that_awaits_nothing_of_the_kind_is_refused(decision: str):
    world, arn = asking()
    name = refused(world.decide(arn, "rollback")) if decision == "rollback" else None
    assert name == ("AlreadyDecided" if decision == "rollback" else None)
    world.decide(arn, "reject")
    assert refused(world.decide(arn, "rollback", reason="again")) == "AlreadyDecided"


def test_an_approval_that_comes_too_late_is_expired():
    world, arn = asking(expiry={"after": "P1D"})
    world.clock.forward(days=1, seconds=1)
    assert refused(world.decide(arn, "approve")) == "Expired"
    assert isinstance(world.decide(arn, "reject"), Recorded)
