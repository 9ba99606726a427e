"""Who sends a decision: what is proven, what is believed, and what is nobody's."""

import pytest

from signoff.approval.decisions import Recorded, Repeated
from signoff.approval.statements import Sender
from signoff.errors import Transient
from signoff.ledger.entries import Kind
from tests.support.voting import ANN, EVE, TICKETS, asking, refused, sso
from tests.support.world import APPROVER, BUS


def test_a_decision_without_a_proof_is_unproven_and_nobodys():
    world, arn = asking()
    assert refused(world.assert_decision(arn, "approve")) == "Unproven"
    entry = world.history(arn).entries[-1]
    assert (entry.actor, entry.details["claimed"]) == ("unknown", APPROVER)


def test_a_publisher_that_the_policy_names_is_believed():
    world, arn = asking(**TICKETS)
    assert isinstance(world.assert_decision(arn, "approve", source="tickets"), Recorded)
    details = world.history(arn).last(Kind.DECISION_RECORDED)
    assert details is not None
    assert (details.actor, details.details["channel"], details.details["publisher"]) == (ANN, "publisher", "tickets")


@pytest.mark.parametrize("source", ["", "signoff.cli", "Tickets", "tickets.evil"])
def test_no_other_publisher_is_believed(source: str):
    world, arn = asking(**TICKETS)
    assert refused(world.assert_decision(arn, "approve", source=source)) == "UntrustedPublisher"


def test_a_proof_is_believed_where_publishers_are_too():
    world, arn = asking(**TICKETS)
    assert isinstance(world.decide(arn, "approve"), Recorded)


def test_who_signs_for_somebody_else_is_another_identity():
    world, arn = asking()
    statement = {"statement": "decision", "audience": BUS, "package": arn, "decision": "approve"}
    statement |= {"reason": "because", "evidence": world.evidence(arn), "approver": ANN}
    assert refused(world.decision_handler.apply(world.sts.signed(statement, by=EVE))) == "AnotherIdentity"


def test_a_statement_changed_after_it_was_signed_is_not_proven():
    world, arn = asking()
    signed = {**world.statement(arn, "reject"), "decision": "approve"}
    assert refused(world.decision_handler.apply(signed)) == "NotProven"
    assert world.history(arn).entries[-1].actor == "unknown"


def test_a_proof_that_comes_too_late_is_to_be_signed_again():
    world, arn = asking()
    signed = world.statement(arn, "approve")
    world.clock.forward(minutes=16)
    outcome = world.decision_handler.apply(signed)
    assert (refused(outcome), "sign again" in outcome.reason) == ("ProofExpired", True)


def test_a_decision_that_was_answered_is_absorbed_however_late_it_comes_again_and_nobody_is_asked():
    world, arn = asking()
    signed = world.statement(arn, "approve")
    world.decision_handler.apply(signed, Sender("event-1"))
    asked = len(world.sts.requests)
    world.clock.forward(days=30)
    assert world.decision_handler.apply(signed, Sender("event-2")) == Repeated()
    assert len(world.sts.requests) == asked


def test_the_proof_of_an_answered_decision_with_other_content_is_a_replay():
    world, arn = asking()
    signed = world.statement(arn, "reject")
    world.decision_handler.apply(signed)
    assert refused(world.decision_handler.apply({**signed, "decision": "reopen"})) == "Replayed"


def test_whoever_sends_anothers_decision_first_with_a_wrong_signature_does_not_keep_it_from_counting():
    world, arn = asking()
    signed = world.statement(arn, "approve")
    forged = {**signed, "proof": signed["proof"][:-64] + "0" * 64}
    assert refused(world.decision_handler.apply(forged)) == "NotProven"
    assert isinstance(world.decision_handler.apply(signed), Recorded)


def test_nothing_is_recorded_when_sts_gives_no_answer_and_the_next_try_counts():
    world, arn = asking()
    signed, before = world.statement(arn, "approve"), world.kinds(arn)
    answering = world.sts.send
    world.sts.send = lambda url, headers: (503, b"")  # type: ignore[method-assign]
    with pytest.raises(Transient):
        world.decision_handler.apply(signed)
    assert world.kinds(arn) == before
    world.sts.send = answering  # type: ignore[method-assign]
    assert isinstance(world.decision_handler.apply(signed), Recorded)


def test_neither_ledger_nor_vault_holds_a_proof():
    world, arn = asking()
    signed = world.statement(arn, "approve", sso("ann@example.com"))
    world.decision_handler.apply(signed)
    signature = signed["proof"].rpartition("=")[2]
    kept = str(world.outcome()) + str([entry.content for entry in world.history(arn).entries])
    assert signature not in kept
    assert "X-Amz" not in kept
    entry = world.history(arn).last(Kind.DECISION_RECORDED)
    assert entry is not None
    assert len(entry.details["id"]) == len(entry.details["proof"]) == 64
