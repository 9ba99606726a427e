"""Who may give the approvals that a package still needs."""

from __future__ import annotations

from typing import Any

from signoff.policy.policy import of_document
from signoff.report.sentences import describe_seats
from signoff.report.standing import evaluate

SAM, ANN, BOB = (f"arn:aws:iam::123456789012:user/{name}" for name in ("sam", "ann", "bob"))
RISK = "arn:aws:iam::123456789012:role/AWSReservedSSO_Risk_*"
ROLES = {"risk": {"members": [RISK]}, "owners": {"members": [ANN, SAM]}}


def seats(votes: tuple[str, ...] = (), changed_by: tuple[str, ...] = (), **approvals: Any) -> Any:
    policy = of_document({"deployment": {"execution_role": "arn:aws:iam::123456789012:role/r"}, "approvals": approvals})
    standing = {"status": "PendingApproval", "rollback": None, "asked": "2026-03-02T09:15:20.000Z", "superseded": False}
    standing |= {"submitter": SAM, "changed_by": list(changed_by), "votes": list(votes), "decided": None}
    return evaluate(policy, {**standing, "break_glass": False})["may_approve"]


def test_each_role_that_lacks_approvals_names_its_members_but_the_submitter():
    assert seats(roles=ROLES) == [
        {"role": "risk", "needed": 1, "people": [RISK], "but": []},
        {"role": "owners", "needed": 1, "people": [ANN], "but": []},
    ]


def test_a_role_whose_approvals_are_given_asks_nobody_any_more():
    assert [each["role"] for each in seats(votes=(ANN,), roles=ROLES)] == ["risk"]


def test_further_approvals_are_anybodys_who_is_listed_and_has_not_approved():
    assert seats(votes=(ANN,), needed=3, approvers=[BOB], roles=ROLES) == [
        {"role": "risk", "needed": 1, "people": [RISK], "but": []},
        {"role": None, "needed": 1, "people": [BOB, RISK], "but": []},
    ]


def test_where_nobody_is_listed_it_is_every_known_person():
    assert seats(needed=2) == [{"role": None, "needed": 2, "people": None, "but": [SAM]}]


def test_who_changed_a_package_may_not_approve_it_unless_the_policy_says_so():
    assert seats(changed_by=(ANN,), approvers=[ANN, BOB])[0]["people"] == [BOB]
    assert seats(changed_by=(ANN,), approvers=[ANN, BOB], submitter_may_approve=True)[0]["people"] == [ANN, BOB]


def test_nobody_left_is_an_empty_list_and_not_everybody():
    assert seats(approvers=[SAM])[0]["people"] == []


def test_whom_a_pattern_includes_who_may_not_is_named():
    everybody = "arn:aws:iam::123456789012:user/*"
    found = seats(votes=(ANN,), needed=2, approvers=[everybody])
    assert found == [{"role": None, "needed": 1, "people": [everybody], "but": [ANN, SAM]}]
    assert describe_seats(found) == ["1 of these: user/*, but not user/ann or user/sam"]
