import io
import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.documents.text import clean, short
from signoff.ledger.entries import Draft, Entry, Kind
from signoff.ledger.history import History
from signoff.policy.policy import of_document
from signoff.report.document import document
from signoff.report.sentences import SENTENCES, describe_entry
from signoff.report.standing import evaluate
from signoff_cli.output import console
from signoff_cli.output.package_page import print_package
from tests.support import entries

FAULT = {"path": "Domian", "message": "is not a field"}
FAILED = {"group": "Churn", "submission": "Churn/one", "faults": [FAULT], "fault_count": 3}
REVALIDATED = {"attempt": 2, "execution": "x2", "policy": "p" * 64, "reason": "image pushed"}


WAITS = {"waiting_since": "2026-03-02"}
UNPROVEN = {"decision": "approve", "reason": "fine", "refusal": "Unproven", "because": "it has no proof"}
LAPSED = {"decision": "revoke", "reason": "the approval lapsed", "channel": "policy"}
EXPIRED = {"after": "P14D", "waiting_since": "2026-03-02", "reason": "no decision within 14 days"}
OBSERVED = {"found": "Approved", "last_modified_by": "arn:aws:iam::123456789012:user/eve"}
VOTE = {"decision": "approve", "reason": "fine", "outstanding": "1 more approval (1 of owners)"}


def decided(kind: Kind = Kind.DECISION_RECORDED, **details: object) -> Draft:
    return Draft(kind, entries.APPROVER, {"decision": "approve", "reason": "because", **details})


def newest(*drafts: Draft) -> Entry:
    return entries.history(*drafts).entries[-1]


@pytest.mark.parametrize(
    ("drafts", "says"),
    [
        ([entries.registered()], "registered as version 3 of Churn, submitted by user/sam"),
        ([entries.registered(submitter=None)], "registered as version 3 of Churn, submitted by unknown"),
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
        ([*entries.PENDING, decided(break_glass=True)], "BREAK GLASS, approved by user/ann: because"),
        (
            [*entries.PENDING, decided(accepts=["champion:auc", "suspicious:f1"])],
            "approved by user/ann, accepting champion:auc, suspicious:f1: because",
        ),
        (
            [*entries.APPROVED, Draft(Kind.DECISION_RECORDED, "signoff", LAPSED)],
            "revoked by signoff (as the policy says): the approval lapsed",
        ),
        ([*entries.PENDING, decided(channel="registry")], "approved by user/ann (in the registry): because"),
        (
            [*entries.PENDING, decided(channel="publisher", publisher="tickets")],
            "approved by user/ann (as tickets says): because",
        ),
        ([*entries.PENDING, decided(decision="reopen")], "re-opened by user/ann: because"),
        ([*entries.PENDING, decided(decision="rollback")], "rolled back to by user/ann: because"),
        (
            [*entries.PENDING, decided(Kind.VOTED, **VOTE)],
            "approval by user/ann counts, and it needs 1 more approval (1 of owners): fine",
        ),
        ([*entries.PENDING, decided(Kind.VOTED, joins=True)], "approval by user/ann joins the decision: because"),
        (
            [*entries.PENDING, Draft(Kind.REMINDED, "signoff", {"reminder": "P7D", "extended": False, **WAITS})],
            "reminded after P7D: it has been waiting for a decision since 2026-03-02",
        ),
        (
            [*entries.PENDING, Draft(Kind.REMINDED, "signoff", {"reminder": None, "extended": True, **WAITS})],
            "reminded at the end: it has been waiting for a decision since 2026-03-02, and the time starts again",
        ),
        (
            [*entries.PENDING, Draft(Kind.EXPIRED, "signoff", EXPIRED)],
            "rejected because it expired: no decision within 14 days (waiting since 2026-03-02)",
        ),
        (
            [*entries.APPROVED, Draft(Kind.SUPERSEDED, "signoff", {"by": "p", "by_version": 4})],
            "superseded as champion by version 4",
        ),
        (
            [*entries.APPROVED, Draft(Kind.REINSTATED, "signoff", {"after": "p", "after_version": 4})],
            "champion again, after version 4",
        ),
        (
            [*entries.PENDING, Draft(Kind.REGISTRY_OBSERVED, "signoff", OBSERVED)],
            "SageMaker's status Approved, set by user/eve, was kept: the policy only reports",
        ),
        (
            [*entries.PENDING, Draft(Kind.ENFORCEMENT_CHANGED, "signoff", {"enforced": True})],
            "its policy is enforced from now on",
        ),
        (
            [*entries.PENDING, Draft(Kind.ENFORCEMENT_CHANGED, "signoff", {"enforced": False})],
            "its policy only reports violations from now on",
        ),
        (
            [*entries.PENDING, Draft(Kind.DECISION_REFUSED, "unknown", {**UNPROVEN, "claimed": entries.APPROVER})],
            "approval by unknown (who claims to be user/ann) refused: Unproven: it has no proof",
        ),
        ([*entries.PENDING, entries.refused()], "approval by user/ann refused: NotAnApprover: said so"),
        (entries.APPROVED, "SageMaker shows Approved"),
        (
            [*entries.PENDING, entries.reverted("Approved")],
            "SageMaker's status Approved, set, was not decided by anybody: reset to ?",
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
    assert describe_entry(newest(*drafts)) == says


def test_there_is_a_sentence_for_every_kind_of_entry() -> None:
    assert set(SENTENCES) == set(Kind)


def test_a_malformed_decision_is_said_too() -> None:
    details = {"decision": "aprove", "refusal": "MalformedDecision", "because": "not a decision"}
    malformed = newest(Draft(Kind.DECISION_REFUSED, "unknown", details))
    assert describe_entry(malformed) == "decision by unknown refused: MalformedDecision: not a decision"


@given(st.text())
def test_no_text_commands_the_terminal_or_begins_a_line_of_its_own(text: str) -> None:
    assert all(character.isprintable() or character == " " or ord(character) > 127 for character in clean(text))
    assert not {"\x1b", "\x9b", "\r", "\n", "‮"} & set(clean(text))


def test_a_reason_with_an_escape_sequence_is_shown_and_not_obeyed() -> None:
    decided = Draft(Kind.DECISION_RECORDED, entries.APPROVER, {"decision": "approve", "reason": "\x1b[2Jfine"})
    assert describe_entry(newest(*entries.PENDING, decided)) == "approved by user/ann: \\u001b[2Jfine"


def test_a_person_is_named_by_the_part_of_the_arn_that_tells_them_apart() -> None:
    assert short("arn:aws:sts::123456789012:assumed-role/team/ann") == "assumed-role/team/ann"
    assert short(None) == "unknown"


def shown(history: History) -> str:
    page = io.StringIO()
    print_package(history, document(history), console.console(page))
    return page.getvalue()


def test_of_a_long_ledger_the_newest_entries_are_shown_and_all_of_it_was_verified() -> None:
    page = shown(entries.history(*entries.PENDING, *[entries.refused()] * 97))
    lines = page.splitlines()
    assert [line for line in lines if "before these" in line] == [
        "     47 before these: `signoff show --json` has all",
        "     50 before these: `signoff show --json` has all",
    ]
    assert [line.split()[0] for line in lines[-51:-1]] == [str(number) for number in range(51, 101)]
    assert "chain of 100 entries verified" in lines[-1]


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


def test_a_page_tells_loudly_who_approved_alone() -> None:
    page = shown(entries.history(*entries.PENDING, decided(break_glass=True)))
    assert "APPROVED ALONE BY BREAK GLASS" in page
    assert "APPROVED ALONE" not in shown(entries.history(*entries.APPROVED))


def test_a_page_says_whose_approval_counts_what_it_takes_and_until_when() -> None:
    history = entries.history(*entries.PENDING, decided(Kind.VOTED, **VOTE))
    policy = {
        "deployment": {"execution_role": "arn:aws:iam::123456789012:role/models"},
        "approvals": {"needed": 2, "expiry": {"after": "P14D"}},
    }
    known = document(history)
    page = io.StringIO()
    print_package(history, {**known, **evaluate(of_document(policy), known)}, console.console(page))
    lines = page.getvalue().splitlines()
    assert "approved by   user/ann" in lines
    assert "needs         1 more approval" in lines
    assert any(line.startswith("expires       2026-03-") and line.endswith(": then it is rejected") for line in lines)


def test_a_page_says_who_superseded_a_champion_and_that_a_policy_only_reports() -> None:
    superseded = Draft(Kind.SUPERSEDED, "signoff", {"by": "arn:churn/4", "by_version": 4})
    reports = Draft(Kind.ENFORCEMENT_CHANGED, "signoff", {"enforced": False})
    lines = shown(entries.history(*entries.APPROVED, superseded, reports)).splitlines()
    assert "superseded by arn:churn/4" in lines
    assert "report only   what the policy refuses is recorded and not enforced" in lines


def test_a_page_says_what_scans_found_in_the_image_of_a_champion_since() -> None:
    found = Draft(Kind.IMAGE_FINDINGS_CHANGED, "signoff", {"found": [f"CVE-{number}" for number in range(7)]})
    page = shown(entries.history(*entries.APPROVED, found))
    assert "found since   CVE-0, CVE-1, CVE-2, CVE-3, CVE-4, CVE-5, CVE-6" in page
    assert "a scan finds more in its image than was approved: CVE-0, CVE-1, CVE-2, CVE-3, CVE-4 and 2 more" in page


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
    console.entry(entry, json_line=True)
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line) == {**entry.content, "hash": entry.hash}
