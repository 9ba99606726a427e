"""Sending decisions from the command, and finding the answers."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from signoff.approval import decisions
from signoff.ledger.entries import Draft, Kind
from signoff.ledger.history import History, unknown_key
from signoff.policy.policy import Policy, of_document
from signoff_cli.output.decisions import describe_result
from signoff_cli.packages.progress import TimedOut
from signoff_cli.statements.decision import DecisionRequest, PendingDecision
from signoff_cli.statements.request import SentStatement
from tests.support import entries
from tests.support.clock import START, Clock
from tests.support.fakes import FakeLedger
from tests.support.watching import RecordingSender, SimulatedTime, append, as_answer

APPROVAL = DecisionRequest(entries.ARN, "approve", entries.APPROVER, "because")
EVE = "arn:aws:iam::123456789012:user/eve"


@pytest.fixture
def ledger() -> FakeLedger:
    ledger = FakeLedger(Clock())
    ledger.append(History(entries.PACKAGE), entries.PENDING)
    return ledger


def policy(**approvals: Any) -> Policy:
    return of_document({"deployment": {"execution_role": "arn:aws:iam::123456789012:role/r"}, "approvals": approvals})


def answers(ledger: FakeLedger, *drafts: Draft, package: str = entries.PACKAGE) -> Callable[[], object]:
    return append(ledger, package, *drafts)


def asked(ledger: FakeLedger, decision: DecisionRequest = APPROVAL, **approvals: Any) -> PendingDecision:
    return PendingDecision(ledger, decision, policy(**approvals), lambda: START)


def sent(pending: PendingDecision) -> PendingDecision:
    pending.send(RecordingSender())
    return pending


def voted(actor: str = entries.APPROVER, **details: Any) -> Draft:
    return replace(entries.decided("approve", actor), kind=Kind.VOTED) if not details else _with(actor, details)


def _with(actor: str, details: dict[str, Any]) -> Draft:
    draft = entries.decided("approve", actor)
    return Draft(Kind.VOTED, actor, {**draft.details, **details})


def test_what_is_signed_is_a_decision_on_the_evidence_that_was_shown(ledger: FakeLedger) -> None:
    letters = RecordingSender()
    asked(ledger, replace(APPROVAL, break_glass=True)).send(letters)
    ((detail_type, statement),) = letters.sent
    assert detail_type == "Model Approval Decision"
    read = decisions.parse(statement)
    said = (read.package, read.decision, read.reason, read.evidence, read.break_glass)
    assert said == (entries.ARN, "approve", "because", "e" * 64, True)
    assert read.approver is None


def test_a_decision_whose_event_got_lost_is_sent_again_the_very_same(ledger: FakeLedger) -> None:
    pending, waiting, again = asked(ledger), SimulatedTime(), []
    recorded = entries.decided("approve")
    late = replace(recorded, details={**recorded.details, "event": "event-2"})

    class Unreliable(RecordingSender):
        def send(self, type_: str, statement: Mapping[str, Any]) -> SentStatement:
            return replace(super().send(type_, statement), repeat=self.repeat)

        def repeat(self) -> str:
            again.append(waiting.seconds)
            answers(ledger, late)()
            return "event-2"

    pending.send(Unreliable())
    assert pending.wait_for_result(waiting.deadline(60)).outcome == "recorded"
    assert len(again) == 1
    assert again[0] >= 20


def test_a_decision_that_stands_is_answered_as_recorded(ledger: FakeLedger) -> None:
    pending = asked(ledger)
    pending.send(RecordingSender(answers(ledger, as_answer(entries.decided("approve")))))
    answer = pending.wait_for_result(SimulatedTime().deadline())
    assert (answer.outcome, answer.refusal) == ("recorded", None)
    assert describe_result(answer) == "Churn/3 is approved. Follow its model with `signoff watch Churn/3`."


def test_an_approval_that_is_not_yet_enough_says_what_it_takes_still(ledger: FakeLedger) -> None:
    pending = sent(asked(ledger))
    vote = as_answer(voted(outstanding="1 more approval (1 of owners)"))
    answer = pending.wait_for_result(SimulatedTime(answers(ledger, vote)).deadline())
    assert (answer.outcome, answer.document["outstanding"]) == ("recorded", "1 more approval (1 of owners)")
    assert describe_result(answer) == "Your approval of Churn/3 is recorded; it needs 1 more approval (1 of owners)."


def test_a_decision_beside_somebody_elses_is_told_to_be_recorded_beside_it(ledger: FakeLedger) -> None:
    pending = sent(asked(ledger))
    joined = as_answer(voted(joins=True))
    answer = pending.wait_for_result(SimulatedTime(answers(ledger, entries.decided("approve", EVE), joined)).deadline())
    assert (answer.outcome, answer.document["joins"]) == ("recorded", True)
    assert describe_result(answer) == "Churn/3 is approved already. Yours is recorded in addition."


def test_a_refused_decision_is_answered_with_the_refusals_name_and_reason(ledger: FakeLedger) -> None:
    pending = sent(asked(ledger))
    answer = pending.wait_for_result(SimulatedTime(answers(ledger, as_answer(entries.refused("OwnModel")))).deadline())
    assert (answer.outcome, answer.refusal, answer.because) == ("refused", "OwnModel", "said so")
    assert answer.document["entry"]["sequence"] == 4


def test_a_refusal_for_want_of_proof_is_found_by_the_event(ledger: FakeLedger) -> None:
    nobody = replace(entries.refused("ProofExpired"), actor="unknown")
    named = replace(nobody, details={**nobody.details, "event": "event-1"})
    answer = sent(asked(ledger)).wait_for_result(SimulatedTime(answers(ledger, named)).deadline())
    assert answer.refusal == "ProofExpired"


def test_what_was_answered_before_the_decision_was_sent_is_no_answer_to_it(ledger: FakeLedger) -> None:
    answers(ledger, entries.refused("EvidenceStale"), entries.started(2), entries.evidence())()
    with pytest.raises(TimedOut):
        sent(asked(ledger)).wait_for_result(SimulatedTime().deadline())


def test_the_answers_to_other_decisions_are_no_answers(ledger: FakeLedger) -> None:
    pending = sent(asked(ledger))
    theirs = replace(entries.refused(), details={**entries.refused().details, "id": "0" * 64, "event": "event-2"})
    waiting = SimulatedTime(
        answers(ledger, theirs, entries.decided("reject", EVE)), answers(ledger, as_answer(entries.refused()))
    )
    assert pending.wait_for_result(waiting.deadline()).refusal == "NotAnApprover"
    assert waiting.seconds > 0


def test_what_one_has_decided_already_needs_no_decision(ledger: FakeLedger) -> None:
    answers(ledger, entries.decided("approve"))()
    answer = asked(ledger).existing_result()
    assert answer is not None
    assert (answer.outcome, answer.entry and answer.entry.kind) == ("absorbed", Kind.DECISION_RECORDED)
    assert describe_result(answer) == "Churn/3 is approved already by user/ann: because. Nothing was changed."


def test_what_somebody_else_has_decided_needs_ones_own_decision_beside_it(ledger: FakeLedger) -> None:
    answers(ledger, entries.decided("approve", EVE))()
    assert asked(ledger).existing_result() is None


def test_an_approval_given_already_that_is_not_enough_is_not_sent_again(ledger: FakeLedger) -> None:
    answers(ledger, voted(outstanding="1 more approval"))()
    answer = asked(ledger, needed=3).existing_result()
    assert answer is not None
    assert describe_result(answer) == (
        "Your approval of Churn/3 is recorded already; it needs 2 more approvals. Nothing was changed."
    )


def test_a_package_that_stands_otherwise_does_need_one(ledger: FakeLedger) -> None:
    assert asked(ledger).existing_result() is None
    assert asked(ledger, replace(APPROVAL, decision="reject")).existing_result() is None


def test_without_the_policy_it_is_known_still_what_one_has_decided(ledger: FakeLedger) -> None:
    answers(ledger, entries.decided("approve"))()
    pending = PendingDecision(ledger, APPROVAL)
    answer = pending.existing_result()
    assert answer is not None
    assert PendingDecision(ledger, replace(APPROVAL, decision="revoke")).expected() is None


def test_ones_own_decision_made_meanwhile_from_elsewhere_leaves_no_entry_and_is_found_at_the_end(
    ledger: FakeLedger,
) -> None:
    pending = sent(asked(ledger))
    answer = pending.wait_for_result(SimulatedTime(answers(ledger, entries.decided("approve"))).deadline())
    assert answer.outcome == "absorbed"


def test_the_answer_about_an_unknown_package_is_found_in_the_ledger_of_the_unknown(ledger: FakeLedger) -> None:
    arn = "arn:aws:sagemaker:us-east-1:123456789012:model-package/none/1"
    pending = asked(ledger, replace(APPROVAL, package=arn))
    others, theirs = (entries.refused("UnknownPackage") for _ in range(2))
    others.details["package"], theirs.details["package"] = f"{arn}0", arn
    theirs.details["because"] = "nobody knows it"
    pending.send(RecordingSender(answers(ledger, others, theirs, package=unknown_key(ledger.today))))
    answer = pending.wait_for_result(SimulatedTime().deadline())
    assert (answer.refusal, answer.because) == ("UnknownPackage", "nobody knows it")
    assert pending.expected() is None


def test_the_answer_about_a_package_that_becomes_known_meanwhile_is_found(ledger: FakeLedger) -> None:
    arn = entries.ARN.replace("churn", "fresh")
    pending = sent(asked(ledger, replace(APPROVAL, package=arn)))
    refusal = as_answer(entries.refused("NotValidated"))
    fresh = answers(ledger, entries.registered(), refusal, package=f"{arn}@2026-03-02T10:00Z")
    assert pending.wait_for_result(SimulatedTime(fresh).deadline()).refusal == "NotValidated"


def test_a_decision_without_an_answer_says_where_to_look_after_the_whole_time(ledger: FakeLedger) -> None:
    waiting = SimulatedTime()
    with pytest.raises(TimedOut, match="signoff show"):
        sent(asked(ledger)).wait_for_result(waiting.deadline(90))
    assert waiting.seconds == pytest.approx(90)


def test_the_same_refused_again_for_want_of_proof_leaves_no_entry_and_is_answered_by_the_first_refusal(
    ledger: FakeLedger,
) -> None:
    answers(ledger, replace(entries.refused("NotProven"), actor="unknown"))()
    waiting = SimulatedTime()
    answer = sent(asked(ledger)).wait_for_result(waiting.deadline(90))
    assert (answer.outcome, answer.refusal) == ("refused", "NotProven")
    assert waiting.seconds < 30


def test_the_same_decision_that_now_stands_is_recorded_whatever_was_refused_before(ledger: FakeLedger) -> None:
    answers(ledger, entries.refused("NotProven"))()
    waiting = SimulatedTime(answers(ledger, as_answer(entries.decided("approve"))))
    assert sent(asked(ledger)).wait_for_result(waiting.deadline(90)).outcome == "recorded"


def test_a_decision_for_another_reason_is_not_answered_by_an_old_refusal(ledger: FakeLedger) -> None:
    answers(ledger, entries.refused("NotProven"))()
    with pytest.raises(TimedOut):
        sent(asked(ledger, replace(APPROVAL, reason="another"))).wait_for_result(SimulatedTime().deadline(90))
