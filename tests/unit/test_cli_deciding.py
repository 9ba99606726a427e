from collections.abc import Callable
from dataclasses import replace

import pytest

from cli.deciding import Asking, Decision
from cli.following import TooLong
from signoff import decisions
from signoff.ledger import Draft, History, Kind, unknown_key
from tests.support import entries
from tests.support.clock import Clock
from tests.support.fakes import FakeLedger
from tests.support.watching import Desk, Waiting, append

APPROVAL = Decision(entries.ARN, "approve", entries.APPROVER, "because")


@pytest.fixture
def ledger() -> FakeLedger:
    ledger = FakeLedger(Clock())
    ledger.append(History(entries.PACKAGE), entries.PENDING)
    return ledger


def answers(ledger: FakeLedger, *drafts: Draft, package: str = entries.PACKAGE) -> Callable[[], object]:
    return append(ledger, package, *drafts)


def test_the_event_is_one_that_the_pipeline_reads(ledger: FakeLedger) -> None:
    desk = Desk()
    Asking(ledger, APPROVAL).send(desk)
    read = decisions.parse(desk.events[0].detail)
    assert (read.package, read.decision, read.approver, read.reason) == (
        entries.ARN,
        "approve",
        entries.APPROVER,
        "because",
    )


def test_a_decision_that_stands_is_answered_as_recorded(ledger: FakeLedger) -> None:
    asking = Asking(ledger, APPROVAL)
    asking.send(Desk(answers(ledger, entries.decided("approve"))))
    answer = asking.answer(Waiting().patience())
    assert (answer.outcome, answer.refusal) == ("recorded", None)


def test_a_refused_decision_is_answered_with_the_refusals_name_and_reason(ledger: FakeLedger) -> None:
    asking = Asking(ledger, APPROVAL)
    asking.send(Desk())
    answer = asking.answer(Waiting(answers(ledger, entries.refused("OwnModel"))).patience())
    assert (answer.outcome, answer.refusal, answer.because) == ("refused", "OwnModel", "said so")
    assert answer.document["entry"]["sequence"] == 4


def test_what_was_answered_before_the_decision_was_sent_is_no_answer_to_it(ledger: FakeLedger) -> None:
    answers(ledger, entries.refused("EvidenceStale"), entries.started(2), entries.evidence())()
    asking = Asking(ledger, APPROVAL)
    with pytest.raises(TooLong):
        asking.answer(Waiting().patience())


def test_the_refusal_of_somebody_elses_decision_is_no_answer(ledger: FakeLedger) -> None:
    asking = Asking(ledger, APPROVAL)
    other = replace(entries.refused(), actor="arn:aws:iam::123456789012:user/eve")
    waiting = Waiting(answers(ledger, other), answers(ledger, entries.decided("approve")))
    assert asking.answer(waiting.patience()).outcome == "recorded"


def test_the_same_decision_by_somebody_else_meanwhile_absorbs_ours(ledger: FakeLedger) -> None:
    asking = Asking(ledger, APPROVAL)
    other = entries.decided("approve", "arn:aws:iam::123456789012:user/eve")
    answer = asking.answer(Waiting(answers(ledger, other)).patience())
    assert answer.outcome == "absorbed"
    assert answer.entry is not None
    assert answer.entry.actor.endswith("user/eve")


def test_a_package_that_stands_already_as_wanted_needs_no_decision(ledger: FakeLedger) -> None:
    answers(ledger, entries.decided("approve"))()
    answer = Asking(ledger, APPROVAL).already()
    assert answer is not None
    assert answer.outcome == "absorbed"
    assert answer.entry is not None
    assert answer.entry.kind is Kind.DECISION_RECORDED


def test_a_package_that_stands_otherwise_does_need_one(ledger: FakeLedger) -> None:
    assert Asking(ledger, APPROVAL).already() is None
    assert Asking(ledger, replace(APPROVAL, decision="revoke")).already() is None


def test_a_package_revoked_because_it_changed_needs_no_revocation_and_names_nobody(ledger: FakeLedger) -> None:
    answers(ledger, entries.decided("approve"), entries.subject_changed())()
    answer = Asking(ledger, replace(APPROVAL, decision="revoke")).already()
    assert answer is not None
    assert answer.entry is None


def test_the_answer_about_an_unknown_package_is_found_in_the_ledger_of_the_unknown(ledger: FakeLedger) -> None:
    arn = "arn:aws:sagemaker:us-east-1:123456789012:model-package/none/1"
    asking = Asking(ledger, replace(APPROVAL, package=arn))
    asking.send(Desk(answers(ledger, entries.refused("UnknownPackage"), package=unknown_key(arn))))
    answer = asking.answer(Waiting().patience())
    assert answer.refusal == "UnknownPackage"


def test_the_answer_about_a_package_that_becomes_known_meanwhile_is_found(ledger: FakeLedger) -> None:
    arn = entries.ARN.replace("churn", "fresh")
    asking = Asking(ledger, replace(APPROVAL, package=arn))
    fresh = answers(ledger, entries.registered(), entries.refused("NotValidated"), package=f"{arn}@2026-03-02T10:00Z")
    assert asking.answer(Waiting(fresh).patience()).refusal == "NotValidated"


def test_a_decision_without_an_answer_says_where_to_look_after_the_whole_time(ledger: FakeLedger) -> None:
    waiting = Waiting()
    with pytest.raises(TooLong, match="signoff show"):
        Asking(ledger, APPROVAL).answer(waiting.patience(90))
    assert waiting.seconds == pytest.approx(90)


def test_the_same_decision_refused_again_leaves_no_entry_and_is_answered_by_the_first_refusal(
    ledger: FakeLedger,
) -> None:
    answers(ledger, entries.refused("OwnModel"))()
    waiting = Waiting()
    answer = Asking(ledger, APPROVAL).answer(waiting.patience(90))
    assert (answer.outcome, answer.refusal) == ("refused", "OwnModel")
    assert waiting.seconds < 30


def test_the_same_decision_that_now_stands_is_recorded_whatever_was_refused_before(ledger: FakeLedger) -> None:
    answers(ledger, entries.refused("OwnModel"))()
    waiting = Waiting(answers(ledger, entries.decided("approve")))
    assert Asking(ledger, APPROVAL).answer(waiting.patience(90)).outcome == "recorded"


def test_a_decision_for_another_reason_is_not_answered_by_an_old_refusal(ledger: FakeLedger) -> None:
    answers(ledger, entries.refused("OwnModel"))()
    with pytest.raises(TooLong):
        Asking(ledger, replace(APPROVAL, reason="another")).answer(Waiting().patience(90))
