import io
import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli import printing
from cli.deciding import Answer, Asking, Decision
from cli.reading import document
from cli.sentences import answered, clean, sentence, short, summary
from signoff.ledger import Draft, Entry, History, Kind
from tests.support import entries
from tests.support.clock import Clock
from tests.support.fakes import FakeLedger

FAULT = {"path": "Domian", "message": "is not a field"}
FAILED = {"group": "Churn", "submission": "Churn/one", "faults": [FAULT], "fault_count": 3}
REVALIDATED = {"attempt": 2, "execution": "x2", "policy": "p" * 64, "reason": "image pushed"}


def newest(*drafts: Draft) -> Entry:
    return entries.history(*drafts).entries[-1]


@pytest.mark.parametrize(
    ("drafts", "says"),
    [
        ([entries.registered()], "registered as version 3 of Churn, submitted by user/sam"),
        ([entries.registered(submitter=None)], "registered as version 3 of Churn, submitted by nobody named"),
        (
            [Draft(Kind.REGISTRATION_FAILED, "signoff", FAILED)],
            "registration refused: Domian: is not a field and 2 more",
        ),
        ([entries.registered(), entries.started()], "validation started, attempt 1"),
        (
            [entries.registered(), Draft(Kind.VALIDATION_STARTED, entries.APPROVER, REVALIDATED)],
            "validation started, attempt 2 by user/ann: image pushed",
        ),
        ([entries.registered(), entries.started(), entries.errored()], "validation ended in an error: E: c"),
        (entries.PENDING, "validation passed, 1 check; evidence eeeeeeeeeeee"),
        (
            [entries.registered(), entries.started(), entries.evidence("failed")],
            "validation failed, 1 of 1 check: artifact:a: because",
        ),
        ([*entries.PENDING, entries.decided("approve")], "approved by user/ann: because"),
        ([*entries.PENDING, entries.refused()], "approval by user/ann refused: NotAnApprover: said so"),
        (entries.APPROVED, "SageMaker shows Approved"),
        (
            [*entries.PENDING, entries.reverted("Approved")],
            "SageMaker's status Approved, set, was decided by nobody: set back to ?",
        ),
        ([*entries.APPROVED, entries.subject_changed()], "revoked: SubjectChanged: images"),
        ([*entries.APPROVED, entries.model_created()], "model churn-v3 created"),
        ([*entries.APPROVED, entries.model_retired()], "model churn-v3 retired"),
        (
            [*entries.APPROVED, entries.blocked("a", "b")],
            "model churn-v3 cannot be retired: in use by endpoint a, b",
        ),
    ],
)
def test_every_kind_of_entry_is_said_in_a_sentence(drafts: Sequence[Draft], says: str) -> None:
    assert sentence(newest(*drafts)) == says


def test_a_malformed_decision_is_said_too() -> None:
    details = {"decision": "aprove", "refusal": "MalformedDecision", "because": "not a decision"}
    malformed = newest(Draft(Kind.DECISION_REFUSED, "unknown", details))
    assert sentence(malformed) == "decision by unknown refused: MalformedDecision: not a decision"


@given(st.text())
def test_no_text_commands_the_terminal_or_begins_a_line_of_its_own(text: str) -> None:
    assert all(character.isprintable() or character == " " or ord(character) > 127 for character in clean(text))
    assert not {"\x1b", "\x9b", "\r", "\n", "‮"} & set(clean(text))


def test_a_reason_with_an_escape_sequence_is_shown_and_not_obeyed() -> None:
    decided = Draft(Kind.DECISION_RECORDED, entries.APPROVER, {"decision": "approve", "reason": "\x1b[2Jfine"})
    assert sentence(newest(*entries.PENDING, decided)) == "approved by user/ann: \\u001b[2Jfine"


def test_a_person_is_named_by_the_part_of_the_arn_that_tells_them_apart() -> None:
    assert short("arn:aws:sts::123456789012:assumed-role/team/ann") == "assumed-role/team/ann"
    assert short(None) == "nobody named"


def shown(history: History) -> str:
    page = io.StringIO()
    printing.page(history, document(history), printing.console(page))
    return page.getvalue()


def test_a_page_says_where_a_package_stands_on_what_evidence_and_who_decided() -> None:
    page = shown(entries.history(*entries.PENDING, entries.refused(), *entries.APPROVED[3:], entries.model_created()))
    for fact in (
        "Churn/3  Approved",
        entries.ARN,
        "s3://vault/evidence/e.json",
        "churn-v3",
        "artifact:a",
        "NotAnApprover: said so",
        "chain of 7 entries verified",
    ):
        assert fact in page


def test_a_page_that_goes_to_a_file_has_no_colours_and_no_markup() -> None:
    page = shown(entries.history(*entries.PENDING))
    assert "\x1b" not in page


def test_brackets_in_a_check_are_text() -> None:
    checks = [{"name": "artifact:Containers[0]", "status": "passed", "reason": "[red]fine[/red]"}]
    page = shown(entries.history(entries.registered(), entries.started(), entries.evidence(checks=checks)))
    assert "artifact:Containers[0]" in page
    assert "[red]fine[/red]" in page


def test_an_entry_as_json_is_one_line_that_can_be_read_back(capsys: pytest.CaptureFixture[str]) -> None:
    entry = newest(entries.registered(submitter="arn:aws:iam::123456789012:user/jürgen"))
    printing.entry(entry, json_line=True)
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line) == {**entry.content, "hash": entry.hash}


def ledger_of(*drafts: Draft) -> FakeLedger:
    ledger = FakeLedger(Clock())
    ledger.append(History(entries.PACKAGE), drafts)
    return ledger


def test_who_decides_sees_what_and_on_which_evidence_before_confirming() -> None:
    decision = Decision(entries.ARN, "approve", entries.APPROVER, "because")
    lines = summary(Asking(ledger_of(*entries.PENDING), decision).before[0], decision)
    assert lines[0] == "approve Churn/3"
    assert any("s3://vault/evidence/e.json" in line for line in lines)
    assert any("artifact:a: because" in line for line in lines)


def test_an_answer_names_the_package_as_people_do() -> None:
    decision = Decision(entries.ARN, "approve", entries.APPROVER, "because")
    entry = newest(*entries.PENDING, entries.decided("approve"))
    assert answered(Answer(decision, "recorded", entry)).startswith("Churn/3 is approved.")
    assert answered(Answer(decision, "absorbed", entry)).startswith("Churn/3 is approved already by user/ann: because")
    assert answered(Answer(decision, "absorbed")) == f"{entries.ARN} is approved already. Nothing was changed."
