"""Statements that somebody keeps for a while, or sends again: their signers meant them for what they saw."""

from typing import Any

import pytest

from signoff.approval.decisions import Recorded, Repeated
from signoff.approval.statements import Sender
from signoff.ledger.entries import Kind, Status
from tests.support.voting import ANN, BEN, EVE, TICKETS, asking, refused
from tests.support.world import BUS, SUBMITTER, World

BY_TWO: dict[str, Any] = {"needed": 2, "approvers": [ANN, BEN, EVE]}


def revoked_and_reopened(world: World, arn: str) -> None:
    for verb in ("revoke", "reopen"):
        world.clock.forward(seconds=30)
        assert isinstance(world.decide(arn, verb, EVE), Recorded)
        world.deliver()


def kept(world: World, arn: str, verb: str = "approve", by: str = ANN, *, tells: bool = True) -> dict[str, Any]:
    """Return a decision that `by` signs now; `tells` says whether it names the status, as the command's do."""
    return world.statement(arn, verb, by, **({} if tells else {"standing": None}))


def arrives(world: World, statement: dict[str, Any], event: str = "late") -> Any:
    return world.decision_handler.apply(statement, Sender(event))


# Kept by whoever carries it


@pytest.mark.parametrize("tells", [True, False], ids=["naming the status", "by its time"])
def test_an_approval_that_was_kept_counts_no_more_once_the_package_was_revoked_and_reopened(tells: bool):
    world, arn = asking(approvers=[ANN, BEN, EVE])
    approval = kept(world, arn, tells=tells)
    world.decide(arn, "approve", BEN)
    world.deliver()
    revoked_and_reopened(world, arn)
    outcome = arrives(world, approval)
    assert (refused(outcome), "sign again" in outcome.reason) == ("OlderThanStatus", True)
    assert (world.state(arn).status, world.state(arn).votes) == (Status.PENDING_APPROVAL, ())


@pytest.mark.parametrize(("verb", "before"), [("reopen", "reject"), ("rollback", "revoke")])
@pytest.mark.parametrize("tells", [True, False], ids=["naming the status", "by its time"])
def test_what_admits_and_was_kept_counts_no_more_once_somebody_decided_again(verb: str, before: str, tells: bool):
    world, arn = asking(approvers=[ANN, BEN, EVE])
    first = ["approve", before] if before == "revoke" else [before]
    for decision in first:
        world.decide(arn, decision, BEN)
        world.deliver()
    late = kept(world, arn, verb, tells=tells)
    for decision in ("reopen", *first):
        world.clock.forward(seconds=30)
        world.decide(arn, decision, EVE, reason="again")
        world.deliver()
    assert refused(arrives(world, late)) == "OlderThanStatus"


def test_a_vote_for_a_rollback_that_was_kept_counts_no_more_once_somebody_revoked_again():
    world, arn = asking(**BY_TWO)
    for verb, who in (("approve", ANN), ("approve", BEN), ("revoke", ANN)):
        world.decide(arn, verb, who)
        world.deliver()
    vote = kept(world, arn, "rollback", BEN)
    world.decide(arn, "revoke", EVE)
    assert refused(arrives(world, vote)) == "OlderThanStatus"


def test_what_was_signed_while_others_voted_counts():
    world, arn = asking(**BY_TWO)
    approval = kept(world, arn)
    world.decide(arn, "approve", BEN)
    assert isinstance(arrives(world, approval), Recorded)
    assert world.status(arn) == "Approved"


def test_what_was_signed_while_others_decided_the_same_joins_it():
    world, arn = asking(approvers=[ANN, BEN, EVE])
    approval = kept(world, arn)
    world.decide(arn, "approve", BEN)
    assert isinstance(arrives(world, approval), Recorded)
    assert world.history(arn).last(Kind.VOTED).details["joins"] is True


def test_a_decision_on_another_status_than_it_names_is_refused():
    world, arn = asking()
    assert refused(world.decide(arn, "approve", standing="0" * 64)) == "OlderThanStatus"


# Clocks that differ


def signed_by_a_clock(world: World, arn: str, verb: str, **differs: float) -> dict[str, Any]:
    """Return a decision of Ann's that names no status, by a clock that differs from ours."""
    right = world.clock()
    world.clock.forward(**differs)
    statement = kept(world, arn, verb, tells=False)
    world.clock.now = right
    return statement


def test_a_clock_that_is_fast_by_what_is_tolerated_keeps_no_approval_for_later():
    world, arn = asking(approvers=[ANN, BEN, EVE])
    approval = signed_by_a_clock(world, arn, "approve", minutes=4)
    world.decide(arn, "approve", BEN)
    world.deliver()
    revoked_and_reopened(world, arn)
    assert refused(arrives(world, approval)) == "OlderThanStatus"


def test_who_names_no_status_may_approve_again_after_what_clocks_may_differ_by():
    world, arn = asking(approvers=[ANN, BEN, EVE])
    world.decide(arn, "approve", BEN)
    world.deliver()
    revoked_and_reopened(world, arn)
    world.clock.forward(minutes=5)
    assert isinstance(arrives(world, kept(world, arn, tells=False)), Recorded)


def test_an_approval_on_new_evidence_counts_at_once_whatever_its_signers_clock():
    world, arn = asking()
    assert isinstance(arrives(world, signed_by_a_clock(world, arn, "approve", minutes=-4)), Recorded)


def test_a_clock_that_is_slow_keeps_nobody_from_revoking():
    world, arn = asking()
    world.clock.forward(minutes=10)
    world.decide(arn, "approve", BEN)
    world.clock.forward(minutes=1)
    assert isinstance(arrives(world, signed_by_a_clock(world, arn, "revoke", minutes=-4)), Recorded)


# Answered already


def test_an_approval_that_changed_nothing_changes_nothing_later():
    world, arn = asking()
    world.decide(arn, "approve", ANN)
    again = kept(world, arn, tells=False)
    assert arrives(world, again) == Repeated()
    world.deliver()
    revoked_and_reopened(world, arn)
    assert arrives(world, again, "another event") == Repeated()
    assert (world.state(arn).status, world.state(arn).votes) == (Status.PENDING_APPROVAL, ())


def test_the_event_of_a_trusted_publisher_that_changed_nothing_changes_nothing_later():
    world, arn = asking(**TICKETS)
    detail = {"package": arn, "decision": "approve", "reason": "because", "approver": ANN, "evidence": None}
    detail["evidence"] = world.evidence(arn)
    for event in ("first", "second"):
        world.decision_handler.apply(detail, Sender(event, "tickets"))
    world.deliver()
    for verb in ("revoke", "reopen"):
        world.assert_decision(arn, verb, EVE)
    assert world.decision_handler.apply(detail, Sender("second", "tickets")) == Repeated()
    assert world.state(arn).status is Status.PENDING_APPROVAL


def test_a_repeated_statement_is_remembered_once_however_often_its_event_comes():
    world, arn = asking(**BY_TWO)
    world.decide(arn, "approve", ANN)
    again = world.statement(arn, "approve", ANN, reason="once more")
    for event in ("one", "one", "two"):
        assert arrives(world, again, event) == Repeated()
    assert world.kinds(arn).count("StatementRepeated") == 1


def test_no_person_makes_a_ledger_slow_by_repeating_themselves():
    world, arn = asking(needed=2, approvers=["arn:aws:iam::123456789012:role/risk", BEN])
    sessions = [f"arn:aws:sts::123456789012:assumed-role/risk/{number}" for number in range(60)]
    for session in sessions:
        world.decide(arn, "approve", session, reason=session)
    assert world.kinds(arn).count("StatementRepeated") == 50
    assert isinstance(world.decide(arn, "approve", BEN), Recorded)


def test_an_annotation_that_changed_nothing_changes_nothing_later():
    world, arn = asking()
    first, again = (annotation(world, arn, {"ticket": "CHG-1"}, reason) for reason in ("one", "one"))
    world.annotation_handler.apply(first)
    world.clock.forward(seconds=1)
    again = annotation(world, arn, {"ticket": "CHG-1"}, "one")
    assert world.annotation_handler.apply(again) == Repeated()
    world.annotate(arn, ANN, set={"ticket": "CHG-2"})
    assert world.annotation_handler.apply(again) == Repeated()
    assert world.registry.described[arn]["CustomerMetadataProperties"]["ticket"] == "CHG-2"


def annotation(world: World, arn: str, values: dict[str, str], reason: str) -> dict[str, Any]:
    said = {"statement": "annotation", "audience": BUS, "package": arn, "set": values, "reason": reason}
    return world.sts.signed(said, by=SUBMITTER)


def test_a_statement_that_names_somebody_else_is_remembered_as_its_signers():
    world, arn = asking()
    statement = world.sts.signed({**world.statement(arn, "approve"), "approver": ANN}, by=EVE)
    assert refused(arrives(world, statement)) == "AnotherIdentity"
    last = world.history(arn).last(Kind.DECISION_REFUSED)
    assert (last.actor, len(last.details["id"])) == (EVE, 64)
    assert arrives(world, statement, "again") == Repeated()


# A group made anew


@pytest.mark.parametrize("verb", ["reject", "approve"])
def test_a_decision_for_a_deleted_group_is_none_for_the_one_made_anew(verb: str):
    world, arn = asking()
    late, answered = kept(world, arn, verb, tells=False), kept(world, arn, "reject", BEN, tells=False)
    arrives(world, answered)
    world.registry.delete_group("churn")
    world.clock.forward(minutes=1)
    assert world.pending(prefix="churn/run-8") == arn
    for statement in (late, answered):
        outcome = arrives(world, statement, statement["proof"])
        assert refused(outcome) in {"OlderThanStatus", "EvidenceStale"}
    assert world.state(arn).status is Status.PENDING_APPROVAL


def test_a_decision_that_names_no_evidence_for_a_deleted_group_is_older_than_the_one_made_anew():
    world, arn = asking()
    late = world.statement(arn, "reject", standing=None, evidence=None)
    world.registry.delete_group("churn")
    world.clock.forward(minutes=1)
    world.pending(prefix="churn/run-8")
    assert refused(arrives(world, late)) == "OlderThanStatus"


def test_an_annotation_for_a_deleted_group_is_none_for_the_one_made_anew():
    world, arn = asking()
    late, answered = (annotation(world, arn, {"ticket": each}, "because") for each in ("CHG-1", "CHG-2"))
    world.annotation_handler.apply(answered)
    world.registry.delete_group("churn")
    world.clock.forward(minutes=1)
    assert world.pending(prefix="churn/run-8") == arn
    for statement in (late, answered):
        assert refused(world.annotation_handler.apply(statement, Sender(statement["proof"]))) == "OlderThanPackage"
    assert "ticket" not in world.registry.described[arn]["CustomerMetadataProperties"]


def test_an_annotation_counts_for_a_package_registered_within_the_same_second():
    world, arn = asking()
    assert world.annotate(arn, set={"ticket": "CHG-1"}) is None
