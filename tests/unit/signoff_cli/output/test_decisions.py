"""What people read before they decide, and after."""

from typing import Any

import pytest

from signoff.ledger.entries import Draft, Kind
from signoff.ledger.history import History
from signoff.policy.policy import of_document
from signoff_cli.output.decisions import describe_result, summary
from signoff_cli.statements.decision import DecisionRequest, DecisionResult, PendingDecision
from tests.support import entries
from tests.support.clock import START, Clock
from tests.support.fakes import FakeLedger

BOB = "arn:aws:iam::123456789012:user/bob"
ROLES = {"owners": {"members": [entries.APPROVER]}, "risk": {"members": [BOB]}}


def told(*drafts: Draft, decision: str = "approve", by: str = entries.APPROVER, **approvals: Any) -> list[str]:
    """Return the summary of a decision about a package with such a ledger, under a policy with these approvals."""
    ledger = FakeLedger(Clock())
    ledger.append(History(entries.PACKAGE), drafts)
    policy = of_document({"deployment": {"execution_role": "arn:aws:iam::123456789012:role/r"}, "approvals": approvals})
    glass = decision == "approve" and bool(approvals.get("break_glass"))
    pending = PendingDecision(
        ledger, DecisionRequest(entries.ARN, decision, by, "because", break_glass=glass), policy, lambda: START
    )
    return summary(pending, policy, ("version 3, chosen with --to",) if decision == "rollback" else ())


def line(name: str, lines: list[str]) -> str:
    """Return what stands behind a name in a summary."""
    return next(each[13:] for each in lines if each[2:12].strip() == name)


def voted(actor: str) -> Draft:
    draft = entries.decided("approve", actor)
    return Draft(Kind.VOTED, actor, {**draft.details, "outstanding": "1 more approval (1 of owners)"})


def test_who_decides_sees_on_which_evidence_with_which_verdict_and_by_which_checks():
    lines = told(*entries.PENDING)
    assert lines[0] == "approve Churn/3"
    assert (line("evidence", lines), line("verdict", lines)) == ("e" * 64, "passed")
    assert line("to read", lines) == "s3://vault/evidence/e.json"
    assert line("passed", lines) == "artifact:a: because"
    assert (
        line("status", lines)
        == f"PendingApproval since {START.isoformat(timespec='milliseconds')[:23]}Z, submitted by user/sam"
    )
    assert line("then", lines) == "it is approved, and its model is created"


def test_who_decides_sees_who_has_approved_what_it_takes_and_until_when():
    lines = told(*entries.PENDING, voted(BOB), roles=ROLES, expiry={"after": "P14D", "action": "extend"})
    assert line("approved", lines) == "by user/bob"
    assert line("needs", lines) == "1 more approval (1 of owners)"
    assert line("until", lines).endswith("Z; then people are reminded and the time starts again")
    assert line("then", lines) == "it is approved, and its model is created"


def test_an_approval_that_is_not_enough_is_told_to_be_one_of_several():
    lines = told(*entries.PENDING, roles=ROLES)
    assert line("then", lines) == "it is recorded, and the package still needs 1 more approval (1 of risk)"


def test_what_would_be_refused_is_told_before_it_is_sent():
    assert line("then", told(*entries.PENDING, by=entries.SUBMITTER)).startswith("it would be refused: OwnModel: ")
    foreign = entries.APPROVER.replace("123456789012", "999999999999")
    assert line("then", told(*entries.PENDING, by=foreign)).startswith("it would be refused: AccountNotListed: ")


def test_a_decision_that_others_made_is_told_to_be_joined():
    assert line("then", told(*entries.APPROVED, by=BOB)) == "it is approved already: yours is recorded in addition"


def test_breaking_the_glass_is_told_loudly():
    lines = told(*entries.PENDING, needed=3, break_glass=[entries.APPROVER])
    assert "break glass" in line("ALONE", lines)
    assert line("then", lines) == "it is approved, and its model is created"


@pytest.mark.parametrize(
    ("drafts", "decision", "follows"),
    [
        (entries.PENDING, "reject", "it is rejected"),
        (entries.APPROVED, "revoke", "its approval is withdrawn, and its model retired, unless an endpoint uses it"),
        (
            (*entries.PENDING, entries.decided("reject")),
            "reopen",
            "it is waiting for approval again; earlier approvals do not count",
        ),
        (
            (*entries.APPROVED, Draft(Kind.SUPERSEDED, "signoff", {"by": "p", "by_version": 4})),
            "rollback",
            "its artifacts are verified again, its model is created, and it is the group's champion again",
        ),
    ],
)
def test_what_comes_of_each_decision_is_told(drafts: tuple[Draft, ...], decision: str, follows: str):
    assert line("then", told(*drafts, decision=decision)) == follows


def test_a_rollback_says_why_it_is_to_that_version():
    lines = told(*entries.APPROVED, decision="rollback")
    assert line("note", lines) == "version 3, chosen with --to"


def test_what_others_wrote_commands_no_terminal():
    checks = [{"name": "a\x1b[2J", "status": "passed", "reason": "fine\n  then  approved"}]
    lines = told(entries.registered(), entries.started(), entries.evidence(checks=checks))
    assert line("passed", lines) == "a\\u001b[2J: fine   then  approved"


def answer(decision: str, outcome: Any = "recorded", draft: Draft | None = None, **more: Any) -> str:
    entry = entries.history(*entries.PENDING, draft or entries.decided(decision)).entries[-1]
    asked = DecisionRequest(entries.ARN, decision, entries.APPROVER, "because", **more)
    return describe_result(DecisionResult(asked, outcome, entry, entry.details.get("outstanding")))


def test_an_answer_names_the_package_as_people_do():
    assert answer("approve") == "Churn/3 is approved. Follow its model with `signoff watch Churn/3`."
    assert answer("reject") == "Churn/3 is rejected."
    assert answer("reopen") == "Churn/3 is re-opened."
    assert answer("rollback").startswith("the group is rolled back to Churn/3. Follow its model")
    assert answer("approve", break_glass=True).startswith("Churn/3 is approved, by break glass.")
    assert answer("approve", "absorbed").startswith("Churn/3 is approved already by user/ann: because.")
    nameless = describe_result(
        DecisionResult(DecisionRequest(entries.ARN, "approve", entries.APPROVER, "because"), "absorbed")
    )
    assert nameless == f"{entries.ARN} is approved already. Nothing was changed."
