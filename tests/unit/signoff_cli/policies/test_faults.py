"""Every fault of a policy is told where it stands, with what to do."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.policy_files import ALICE, BOB, RISK, approvals, faults


@pytest.mark.parametrize(
    ("document", "path", "words"),
    [
        ([], "", "must be an object, not a list"),
        (b'{"mode": "report", "mode": "enforce"}', "mode", "is given more than once"),
        ({"deployment": {"exection_role": "x"}}, "deployment.exection_role", "did you mean execution_role?"),
        ({"description": "x" * 9000}, "", "bytes long as the app writes it; SSM Parameter Store allows 8,192"),
        ({"accounts": {"submit": ["2222"]}}, "accounts.submit[0]", "must be the id of an AWS account"),
        ({"metrics": [{"path": "a", "at_least": 1}]}, "metrics[0].name", "is required and missing"),
        ({"metrics": [{"name": "a", "path": "a"}]}, "metrics[0]", "needs `at_least`, `at_most` or both"),
        (
            {"metrics": [{"name": "a", "path": "b[", "at_least": 1}]},
            "metrics[0].path",
            "not a valid JMESPath expression",
        ),
        ({"metrics": [{"name": "a", "path": "b", "at_least": 2, "at_most": 1}]}, "metrics[0]", "cannot be at least 2"),
        (
            {"validation": {"outputs": ["s3://a"]}},
            "validation.outputs[0]",
            'must be an S3 prefix that ends in /, such as s3://bucket/models/; "s3://a" is not',
        ),
        (approvals(registry_edits="count"), "approvals.registry_edits", "`count` is not possible any more"),
        (
            {"submissions": {"submitters": ["alice"]}},
            "submissions.submitters[0]",
            "must be a pattern of a person's ARN",
        ),
        (
            approvals(approvers=["arn:aws:sts::123456789012:assumed-role/risk/x"]),
            "approvals.approvers[0]",
            "list the role, and put it under `trusted_sessions`",
        ),
        (approvals(break_glass=["me"]), "approvals.break_glass[0]", "must be a pattern of a person's ARN"),
        (approvals(trusted_sessions=["me"]), "approvals.trusted_sessions[0]", "must be a pattern of a person's ARN"),
        (
            approvals(identity="asserted", publishers={"acme": ["tickets"]}),
            "approvals.publishers.acme[0]",
            "must be a pattern of an ARN",
        ),
        (approvals(identity="asserted"), "approvals.publishers", "must name who is trusted"),
        (approvals(publishers={"a.b": [ALICE]}), "approvals.identity", "only trusted where `identity` is `asserted`"),
        (
            approvals(identity="asserted", publishers={"signoff.x": [ALICE]}),
            'approvals.publishers["signoff.x"]',
            "reserved for AWS or Signoff; use another name",
        ),
        (
            approvals(identity="asserted", publishers={"acme": []}),
            "approvals.publishers.acme",
            "at least 1 item",
        ),
        (approvals(roles={"risk": {"members": []}}), "approvals.roles.risk.members", "at least 1 item"),
        (approvals(roles={"risk": {"members": [ALICE], "needed": 0}}), "approvals.roles.risk.needed", "at least 1"),
        (approvals(expiry={"action": "reject"}), "approvals.expiry.after", "is required and missing"),
        (approvals(expiry={"after": "P0D"}), "approvals.expiry.after", "must be longer than zero"),
        (
            approvals(expiry={"after": "P2D", "reminders": ["P1D", "P3D"]}),
            "approvals.expiry.reminders[1]",
            "come before",
        ),
        (approvals(revocation={"after": "-P1D"}), "approvals.revocation.after", "must be longer than zero"),
    ],
)
def test_a_fault_is_told_where_it_stands_and_what_to_do(document: Any, path: str, words: str) -> None:
    found = faults(document)
    assert words in found[path]
    assert len(found) == 1


def test_rules_about_good_fields_are_tried_beside_faulty_ones() -> None:
    document = approvals(
        needed=0,
        approvers=["alice", 3, ALICE],
        identity="assumed",
        publishers={"aws.x": []},
        roles={"risk": {"needed": 0}},
    )
    assert set(faults(document)) == {
        "approvals.needed",
        "approvals.approvers[0]",
        "approvals.approvers[1]",
        "approvals.identity",
        'approvals.publishers["aws.x"]',
        "approvals.roles.risk.members",
        "approvals.roles.risk.needed",
    }


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"roles": {"risk": {"members": [ALICE]}, "owners": {"members": [ALICE]}}}, "approvals.roles"),
        ({"roles": {"risk": {"members": [ALICE, BOB], "needed": 3}}}, "approvals.roles"),
        ({"needed": 3, "approvers": [ALICE, BOB]}, "approvals.needed"),
        ({"needed": 3, "roles": {"risk": {"members": [ALICE, BOB]}}}, "approvals.needed"),
    ],
)
def test_a_vote_that_nobody_could_win_is_a_fault(fields: dict[str, Any], path: str) -> None:
    assert "can never" in faults(approvals(**fields))[path]


def test_a_vote_that_nobody_could_win_is_told_beside_other_faults() -> None:
    found = faults(approvals(needed=3, approvers=[ALICE], expiry={"after": "2 weeks"}))
    assert set(found) == {"approvals.needed", "approvals.expiry.after"}


@pytest.mark.parametrize(
    "fields",
    [
        {"roles": {"risk": {"members": [ALICE]}, "owners": {"members": [ALICE, BOB]}}},
        {"roles": {"risk": {"members": [RISK]}, "owners": {"members": [RISK]}}},
        {"needed": 3, "approvers": ["arn:aws:iam::123456789012:role/AWSReservedSSO_Risk_0123456789abcdef"]},
        {
            "needed": 3,
            "approvers": ["arn:aws:iam::123456789012:role/federated"],
            "trusted_sessions": ["arn:aws:iam::*:role/fed*"],
        },
        {"needed": 9},
    ],
)
def test_a_vote_that_somebody_could_win_is_none(fields: dict[str, Any]) -> None:
    assert faults(approvals(**fields)) == {}
