"""Sending annotations from the command, and finding the answers."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from signoff.approval import annotations
from signoff.approval.decisions import Approver, Refusal
from signoff.ledger.entries import Draft
from signoff.ledger.history import History, unknown_key
from signoff.report.sentences import describe_entry
from signoff_cli.errors import CommandFailed
from signoff_cli.output.annotations import annotation_summary, describe_annotation
from signoff_cli.packages.progress import TimedOut
from signoff_cli.statements.annotation import (
    AnnotationRequest,
    PendingAnnotation,
    annotation_request,
    parse_specifications,
)
from tests.support import entries
from tests.support.clock import Clock
from tests.support.fakes import FakeLedger
from tests.support.watching import RecordingSender, SimulatedTime, append, as_answer

SAID = {"set_": {"ticket": "CHG-1"}, "remove": ["draft"], "specifications": [], "reason": "Reviewed"}
ANN = Approver(entries.APPROVER, entries.APPROVER)
TICKET = annotation_request(entries.ARN, entries.APPROVER, **SAID)


@pytest.fixture
def ledger() -> FakeLedger:
    ledger = FakeLedger(Clock())
    ledger.append(History(entries.PACKAGE), entries.PENDING)
    return ledger


def made(annotation: AnnotationRequest = TICKET) -> Draft:
    return annotations.annotated(annotation.annotation, ANN)


def refused(annotation: AnnotationRequest = TICKET) -> Draft:
    return annotations.refused(annotation.annotation, Refusal("NotAllowed", "said so"), ANN)


def answers(ledger: FakeLedger, *drafts: Draft, package: str = entries.PACKAGE) -> Callable[[], object]:
    return append(ledger, package, *drafts)


def test_the_event_is_one_that_the_pipeline_reads(ledger: FakeLedger):
    letters = RecordingSender()
    PendingAnnotation(ledger, TICKET).send(letters)
    ((detail_type, statement),) = letters.sent
    assert (detail_type, statement["statement"]) == ("Model Annotation", "annotation")
    assert annotations.parse(statement) == TICKET.annotation


def test_an_annotation_that_was_made_is_answered_by_its_entry(ledger: FakeLedger):
    pending = PendingAnnotation(ledger, TICKET)
    pending.send(RecordingSender(answers(ledger, as_answer(made()))))
    answer = pending.wait_for_result(SimulatedTime().deadline())
    assert (answer.outcome, answer.document["set"], answer.document["removed"]) == (
        "recorded",
        {"ticket": "CHG-1"},
        ["draft"],
    )
    assert describe_annotation(answer) == "Churn/3 is annotated."


def test_a_refused_annotation_is_answered_with_the_refusals_name_and_reason(ledger: FakeLedger):
    pending = PendingAnnotation(ledger, TICKET)
    pending.send(RecordingSender())
    document = pending.wait_for_result(SimulatedTime(answers(ledger, as_answer(refused()))).deadline()).document
    assert (document["outcome"], document["refusal"], document["because"]) == ("refused", "NotAllowed", "said so")


def test_what_others_say_or_what_else_is_said_is_no_answer(ledger: FakeLedger):
    other = annotation_request(entries.ARN, entries.APPROVER, **{**SAID, "set_": {"ticket": "CHG-2"}})
    pending = PendingAnnotation(ledger, TICKET)
    pending.send(RecordingSender())
    somebody = replace(made(), actor=entries.SUBMITTER)
    with pytest.raises(TimedOut, match="dead-letter queue of decisions"):
        pending.wait_for_result(
            SimulatedTime(answers(ledger, made(other), somebody, entries.decided("approve"))).deadline()
        )


def unproven() -> Draft:
    return annotations.refused(TICKET.annotation, Refusal("NotProven", "sign again"))


@pytest.mark.parametrize(("before", "outcome"), [(made(), "recorded"), (unproven(), "refused")])
def test_the_same_annotation_again_leaves_no_entry_and_is_answered_by_the_first_answer(
    ledger: FakeLedger, before: Draft, outcome: str
):
    answers(ledger, before)()
    waiting = SimulatedTime()
    assert PendingAnnotation(ledger, TICKET).wait_for_result(waiting.deadline(90)).outcome == outcome
    assert waiting.seconds < 30


def test_an_annotation_of_long_ago_is_no_answer_to_the_same_one_now(ledger: FakeLedger):
    answers(ledger, made(), entries.decided("approve"))()
    with pytest.raises(TimedOut):
        PendingAnnotation(ledger, TICKET).wait_for_result(SimulatedTime().deadline())


def test_the_refusal_about_an_unknown_package_is_found_in_the_ledger_of_the_unknown(ledger: FakeLedger):
    annotation = annotation_request(f"{entries.ARN}9", entries.APPROVER, **SAID)
    pending = PendingAnnotation(ledger, annotation)
    about = refused(annotation)
    about.details["package"] = annotation.package
    pending.send(RecordingSender(answers(ledger, about, package=unknown_key(ledger.today))))
    assert pending.wait_for_result(SimulatedTime().deadline()).outcome == "refused"


def test_an_annotation_that_contradicts_itself_is_not_sent():
    with pytest.raises(CommandFailed, match="both in `set` and in `remove`"):
        annotation_request(entries.ARN, entries.APPROVER, **{**SAID, "remove": ["ticket"]})


@pytest.mark.parametrize(("data", "count"), [(b'{"Name": "gpu"}', 1), (b'[{"Name": "gpu"}, {"Name": "cpu"}]', 2)])
def test_a_file_holds_one_specification_or_a_list_of_them(data: bytes, count: int):
    assert len(parse_specifications("gpu.json", data)) == count


@pytest.mark.parametrize("data", [b"{", b"[]", b"3", b'[{"Name": "a"}, 3]', b'{"Name": "a", "Name": "b"}'])
def test_any_other_file_is_refused_by_its_name(data: bytes):
    with pytest.raises(CommandFailed, match=r"gpu\.json: "):
        parse_specifications("gpu.json", data)


def test_who_confirms_reads_what_will_be_changed_and_that_it_will_be_validated_anew(ledger: FakeLedger):
    added: dict[str, Any] = {**SAID, "specifications": [{"Name": "gpu", "Containers": [{"Image": "i"}]}]}
    annotation = annotation_request(entries.ARN, entries.APPROVER, **added)
    lines = annotation_summary(ledger.history(entries.PACKAGE), annotation.annotation, annotation.by)
    assert lines[0] == "annotate Churn/3"
    assert "  set        ticket = CHG-1" in lines
    assert "  remove     draft" in lines
    assert "  add        inference specification gpu" in lines
    assert "validated again" in lines[-1]


def test_an_annotation_in_a_ledger_reads_as_what_was_said(ledger: FakeLedger):
    answers(ledger, made(), Draft(entries.Kind.PACKAGE_DELETED, "signoff"))()
    annotation, gone = ledger.history(entries.PACKAGE).entries[-2:]
    assert describe_entry(annotation) == "annotated by user/ann: Reviewed (ticket = CHG-1, draft removed)"
    assert describe_entry(gone) == "deleted from SageMaker's registry"
