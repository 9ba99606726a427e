"""Every fault of a policy is told where it stands, with what to do."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.policy_files import ALICE, BOB, RISK, approvals, faults

MODELS = "arn:aws:iam::123456789012:role/models"


@pytest.mark.parametrize(
    ("document", "path", "words"),
    [
        ([], "", "must be an object, not a list"),
        (b'{"mode": "report", "mode": "enforce"}', "mode", "is given more than once"),
        ({"deployment": {"exection_role": "x"}}, "deployment.exection_role", "did you mean execution_role?"),
        ({"description": "x" * 9000}, "", "bytes long as the app writes it; SSM Parameter Store allows 8,192"),
        ({"accounts": {"submit": ["2222"]}}, "accounts.submit[0]", "must be the id of an AWS account"),
        ({"metrics": [{"path": "a", "at_least": 1}]}, "metrics[0].name", "is required and missing"),
        ({"metrics": [{"name": "a", "path": "a"}]}, "metrics[0]", "needs `at_least`, `at_most`, `against_champion` or"),
        (
            {"metrics": [{"name": "a", "path": "a", "against_champion": {"at_least": 0}}]},
            "metrics[0].higher_is_better",
            "needs `higher_is_better`: true or false",
        ),
        ({"metrics": [{"name": "auc", "path": "a", "suspicious": -1}]}, "metrics[0].suspicious", "must be more than 0"),
        (
            {"metrics": [{"name": "auc", "path": "a", "against_champion": {"at_least": 0.3}, "suspicious": 0.2}]},
            "metrics[0].suspicious",
            "has to improve by 0.3, beyond 0.2, which is suspicious",
        ),
        (
            {"metrics": [{"name": "auc", "path": "a", "at_least": 0, "digits": 16}]},
            "metrics[0].digits",
            "at most 15",
        ),
        ({"comparison": {"confidence": 0.4}}, "comparison.confidence", "at least 0.5"),
        ({"comparison": {"data_sets": ["churn"]}}, "comparison.data_sets[0]", "must be a SHA-256 as 64 digits"),
        ({"bias": [{"facet": "a", "metric": "CI"}]}, "bias[0]", "needs `at_least`, `at_most` or both"),
        (
            {"bias": [{"facet": "a", "metric": "CI", "at_least": 1, "at_most": 0}]},
            "bias[0]",
            "cannot be at least 1.0 and at most 0",
        ),
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
        ({"validation": {"outputs": ["s3://"]}}, "validation.outputs[0]", "must be an S3 prefix"),
        ({"validation": {"roles": ["smoke"]}}, "validation.roles[0]", "must be the ARN of a role, such as arn:aws:iam"),
        ({"deployment": {"execution_role": "models"}}, "deployment.execution_role", "must be the ARN of a role"),
        (
            {"deployment": {"choices": {"execution_roles": ["arn:aws:iam::123456789012:user/x"]}}},
            "deployment.choices.execution_roles[0]",
            "must be the ARN of a role",
        ),
        (
            {"deployment": {"vpc": {"security_groups": ["web"], "subnets": ["subnet-1"]}}},
            "deployment.vpc.security_groups[0]",
            "must be the id of a security group, such as sg-",
        ),
        (
            {"deployment": {"vpc": {"security_groups": ["sg-1"], "subnets": []}}},
            "deployment.vpc.subnets",
            "at least 1 item",
        ),
        (
            {"deployment": {"targets": [{"account": "2" * 12, "region": "eu-west-1", "execution_role": MODELS}]}},
            "deployment.targets[0].execution_role",
            "belongs to account 123456789012; models in account 222222222222 run under a role of that account",
        ),
        ({"deployment": {"tags": {"aws:team": "fraud"}}}, 'deployment.tags["aws:team"]', "reserved for AWS"),
        ({"deployment": {"choices": {"tags": ["a#b"]}}}, "deployment.choices.tags[0]", "the key of a tag has"),
        ({"groups": {"baselines": ["churn-*"]}}, "groups.baselines[0]", "must be a pattern of the ARN of a CloudForm"),
        ({"sources": {"model_data": ["base/*"]}}, "sources.model_data[0]", "must be a pattern of S3 URIs"),
        (
            {"sources": {"environment": ["HF_MODEL_ID"]}},
            "sources.environment[0]",
            "a pattern of a variable, NAME=VALUE",
        ),
        ({"sources": {"fetched": [""]}}, "sources.fetched[0]", "must be a name"),
        (approvals(approvers=["arn:aws:iam::12345:user/ann"]), "approvals.approvers[0]", "its account of 12 digits"),
        (approvals(approvers=["arn:aws:iam::123456789012:usr/a"]), "approvals.approvers[0]", "or user/<name>"),
        (approvals(approvers=[ALICE, BOB, ALICE]), "approvals.approvers[2]", "is the same as approvals.approvers[0]"),
        (
            {"accounts": {"submit": ["222222222222", "222222222222"]}},
            "accounts.submit[1]",
            "is the same as accounts.submit[0]: change or remove one of them",
        ),
        ({"artifact": {"formats": ["pickel"]}}, "artifact.formats[0]", "not a known format; did you mean pickle?"),
        (
            {"artifact": {"required_files": ["../x"]}},
            "artifact.required_files[0]",
            "`../x` matches no file: names are relative to the archive's top",
        ),
        ({"artifact": {"required_files": ["/model/"]}}, "artifact.required_files[0]", "did you mean model/*?"),
        ({"artifact": {"forbidden_files": ["./data/*"]}}, "artifact.forbidden_files[0]", "did you mean data/*?"),
        ({"artifact": {"code": {"scripts": ["/code/*"]}}}, "artifact.code.scripts[0]", "did you mean code/*?"),
        ({"artifact": {"code": {"python": ["code\\\\*.py"]}}}, "artifact.code.python[0]", "did you mean code/*.py?"),
        (
            {"metrics": [{"name": "a", "path": path, "at_least": 1} for path in ("b", "c")]},
            "metrics[1].name",
            "metrics[0] is called `a` too: give each a name of its own",
        ),
        (
            {"registration_defaults": {"InferenceSpecfication": {}}},
            "registration_defaults.InferenceSpecfication",
            "did you mean InferenceSpecification?",
        ),
        (
            {"registration_defaults": {"Deployment": {"ExecutionRoleArn": f"{MODELS}-gpu"}}},
            "registration_defaults.Deployment.ExecutionRoleArn",
            "is not allowed by the group's policy",
        ),
        ({"metrics": [{"name": "", "path": "a", "at_least": 1}]}, "metrics[0].name", "must be a name"),
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
        (approvals(trusted_sessions=["me"]), "approvals.trusted_sessions[0]", "must be a pattern of roles without"),
        (approvals(trusted_sessions=[ALICE]), "approvals.trusted_sessions[0]", "must be a pattern of roles without"),
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
