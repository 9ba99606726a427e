"""Decisions that take more than one person or one step, as people type them in their shells."""

import json
from typing import Any

import pytest

from tests.support.groups import Group
from tests.support.shell import Shell

OWNERS = {"members": ["arn:aws:iam::*:user/approver"]}
RISK = {"members": ["arn:aws:iam::*:user/reviewer"]}


@pytest.fixture
def approver(group: Group) -> Shell:
    return Shell(group.pipeline, "approver")


@pytest.fixture
def reviewer(group: Group) -> Shell:
    return Shell(group.pipeline, "reviewer")


def said(shell: Shell, *arguments: str) -> Any:
    """What a command prints as JSON."""
    answer = shell.signoff(*arguments, "--json")
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def decided(shell: Shell, *arguments: str) -> str:
    """What a decision that is not refused is answered with."""
    seen = ("--evidence", said(shell, "show", arguments[1])["evidence"]["sha256"]) if arguments[0] == "approve" else ()
    answer = shell.signoff(*arguments, "--reason", "Recall holds", *seen, "--yes")
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def test_two_people_approve_in_their_roles_and_each_sees_what_awaits_them(
    group: Group, approver: Shell, reviewer: Shell
) -> None:
    group.policy(approvals={"roles": {"owners": OWNERS, "risk": RISK}})
    package, name = group.pending(), f"{group.name}/1"
    submitter = Shell(group.pipeline, "submitter")

    before = [said(shell, "queue", "--group", group.name) for shell in (approver, reviewer, submitter)]
    first = decided(approver, "approve", name)
    again = decided(approver, "approve", name)
    between = [said(shell, "queue", "--group", group.name) for shell in (approver, reviewer)]
    everybodys = said(approver, "queue", "--all", "--group", group.name)
    shown = said(submitter, "show", name)
    second = decided(reviewer, "approve", name)

    assert [[row["package"] for row in rows] for rows in before] == [[package.arn], [package.arn], []]
    assert before[0][0]["needs"]["roles"] == {"owners": 1, "risk": 1}
    assert first == f"Your approval of {name} is recorded; it needs 1 more approval (1 of risk).\n"
    assert "is recorded already; it needs 1 more approval (1 of risk). Nothing was changed." in again
    assert [[row["package"] for row in rows] for rows in between] == [[], [package.arn]]
    assert [row["mine"] for row in everybodys] == [False]
    assert (shown["votes"], shown["needs"]["roles"]) == ([group.pipeline.user("approver")], {"risk": 1})
    assert f"{name} is approved." in second
    votes = (package.until("Approved").state.decision or {})["votes"]
    assert votes == [group.pipeline.user("approver"), group.pipeline.user("reviewer")]
    assert package.kinds().count("VoteRecorded") == 1


@pytest.mark.deep
def test_a_decision_made_already_is_joined_by_whoever_makes_it_too(
    group: Group, approver: Shell, reviewer: Shell
) -> None:
    package = group.pending()
    decided(approver, "approve", f"{group.name}/1")

    joined = decided(reviewer, "approve", f"{group.name}/1")

    assert joined == f"{group.name}/1 is approved already. Yours is recorded in addition.\n"
    assert package.until("Approved").state.deciders == tuple(map(group.pipeline.user, ("approver", "reviewer")))


@pytest.mark.deep
def test_a_rejected_package_is_re_opened_and_approved(group: Group, approver: Shell, reviewer: Shell) -> None:
    package, name = group.pending(), f"{group.name}/1"
    decided(approver, "reject", name)
    package.until("Rejected")

    reopened = decided(reviewer, "reopen", name)
    registry = package.until("PendingApproval").registry[0]
    decided(approver, "approve", name)

    assert reopened == f"{name} is re-opened.\n"
    assert registry == "PendingManualApproval"
    assert package.until("Approved").model()["ModelName"]


def test_a_group_is_rolled_back_in_one_step_and_its_champion_is_named(
    group: Group, approver: Shell, reviewer: Shell
) -> None:
    first, second = group.pending(), group.pending()
    for package, version in ((first, 1), (second, 2)):
        decided(approver, "approve", f"{group.name}/{version}")
        package.until("Approved").model()

    told = decided(reviewer, "rollback", group.name)
    group.pipeline.quiet()
    champion, superseded = said(approver, "champion", group.name), said(approver, "show", f"{group.name}/2")
    revoked = decided(approver, "revoke", f"{group.name}/1")

    assert told.startswith(f"the group is rolled back to {group.name}/1.")
    assert first.state.decision is not None
    assert (champion["version"], champion["approver"]) == (1, group.pipeline.user("reviewer"))
    assert superseded["superseded_by"] == first.arn
    assert revoked.splitlines()[-1] == f"The champion of {group.name} is now {group.name}/2."


@pytest.mark.deep
def test_the_glass_is_broken_by_whom_the_policy_lets_alone(group: Group, approver: Shell, reviewer: Shell) -> None:
    group.policy(approvals={"needed": 2, "break_glass": RISK["members"]})
    package, name = group.pending(), f"{group.name}/1"

    evidence = str(package.seen())
    hurry = ("--break-glass", "--reason", "In a hurry", "--evidence", evidence, "--yes")
    refused = approver.signoff("approve", name, *hurry)
    told = decided(reviewer, "approve", name, "--break-glass")

    assert (refused.returncode, "NotBreakGlass" in refused.stderr) == (1, True)
    assert f"{name} is approved, by break glass." in told
    assert package.until("Approved").model()["ModelName"]
    assert "APPROVED ALONE" in reviewer.signoff("show", name).stdout


def test_what_has_changed_since_it_was_shown_is_not_approved(group: Group) -> None:
    package = group.pending()
    decision = package.statement("approve", evidence="0" * 64)

    group.pipeline.say(decision)

    event = group.pipeline.event("Decision Refused", package.arn)["detail"]
    assert (event["refusal"], package.status) == ("EvidenceStale", "PendingApproval")
