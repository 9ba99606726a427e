"""What is said of a policy is what it says."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.policy_files import ALICE, BOB, EVALUATION, RISK, SMOKE, approvals, asserted, told

ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
RELEASE = "arn:aws:signer:eu-west-1:123456789012:/signing-profiles/release"
THERE = "arn:aws:iam::222222222222:role/r"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "1 person has to approve. Every IAM user and user of IAM Identity Center in the registry's account"),
        ({"needed": 2, "approvers": [ALICE, BOB]}, f"2 different people have to approve. Listed: {ALICE} or {BOB}."),
        (
            {"needed": 3, "roles": {"risk": {"members": [RISK], "needed": 2}}, "approvers": [BOB]},
            f"3 different people have to approve. 2 of them in the role risk: {RISK}. Also listed: {BOB}.",
        ),
        ({"roles": {"a": {"members": [RISK]}, "b": {"members": [RISK]}}}, "Nobody fills two roles. Nobody else may"),
        ({}, "Nobody decides about what they submitted."),
        ({"submitter_may_withdraw": True}, "they may reject or revoke it"),
        ({"submitter_may_approve": True}, "The submitter of a model may approve it too."),
    ],
)
def test_it_is_said_who_approves(fields: dict[str, Any], sentence: str) -> None:
    assert sentence in told(**approvals(**fields))["approving"]


@pytest.mark.parametrize(
    ("topic", "fields", "sentence"),
    [
        ("proving", {}, "Approvers prove their identity"),
        ("proving", {"trusted_sessions": [RISK]}, f"Sessions of these roles are a person each: {RISK}."),
        ("unknown", {}, "1 more approval is needed"),
        ("unknown", {"unknown_submitter": "refuse"}, "is refused"),
        ("unknown", {"unknown_submitter": "accept"}, "the same approvals are enough"),
        ("expiring", {}, "without a time limit"),
        ("expiring", {"expiry": {"after": "PT36H"}}, "after 36 hours is rejected."),
        ("expiring", {"expiry": {"after": "P1D", "action": "extend"}}, "after 1 day is requested again"),
        ("expiring", {"expiry": {"after": "P30D", "reminders": ["P14D", "P3D"]}}, "after 3 days and 14 days."),
        ("revoking", {}, "once what was approved has changed."),
        ("revoking", {"revocation": {"after": "P180D"}}, "lapses after 180 days."),
        ("revoking", {"revocation": {"superseded": True}}, "once another package is the group's champion."),
        ("break glass", {}, "Nobody may approve alone."),
        ("annotating", {}, "submitter and those who may decide may annotate it."),
        ("annotating", {"annotators": [BOB]}, f"and {BOB}, may annotate it."),
        ("break glass", {"break_glass": [BOB]}, f"{BOB} may approve alone, with a reason and an alarm."),
        ("registry", {}, "is reset."),
    ],
)
def test_what_is_said_of_approvals_is_what_they_say(topic: str, fields: dict[str, Any], sentence: str) -> None:
    assert sentence in told(**approvals(**fields))[topic]


def test_it_is_said_whom_the_bus_believes() -> None:
    assert (
        f"Events from acme.tickets are believed without proof, and only {BOB} may" in told(**asserted(BOB))["proving"]
    )


@pytest.mark.parametrize(
    ("topic", "document", "sentence"),
    [
        ("mode", {"mode": "report"}, "Report only: everything is checked and recorded, and nothing is enforced."),
        ("demands", {"artifact": {"required_files": ["a", "b"]}}, "The archive holds a and b."),
        ("demands", {"artifact": {"forbidden_files": ["*.a", "b"]}}, "No file in it matches *.a or b."),
        ("demands", {"artifact": {"formats": ["onnx", "npy"]}}, "are of the formats onnx and npy, and of no other."),
        ("demands", {}, "Compiled code: allowed nowhere."),
        (
            "demands",
            {"images": {"repositories": [f"{ECR}/a", f"{ECR}/b"]}},
            f"Its images come from {ECR}/a or {ECR}/b.",
        ),
        ("demands", {"images": {"block_at": "HIGH", "wait_minutes": 1}}, "is waited for, 1 minute in all."),
        (
            "demands",
            {"images": {"block_at": "HIGH", "accepted": [{"id": "CVE-1", "until": "2027-03-31", "reason": "unused"}]}},
            "CVE-1 in an image is accepted until 2027-03-31: unused.",
        ),
        ("demands", {"images": {"signed_by": [RELEASE]}}, f"ECR has signed each image with {RELEASE}."),
        (
            "demands",
            {"images": {"block_at": "LOW", "exempt": [f"{ECR}/*"]}},
            f"Images from {ECR}/* need neither scan nor signature.",
        ),
        ("revoking", {"images": {"block_at": "LOW", "revoke": True}}, "is revoked once a scan finds more in an image"),
        (
            "demands",
            {"artifact": {"code": {"python": ["a/*", "b.py"]}}},
            "Python source: allowed where a/* or b.py match",
        ),
        ("demands", {"artifact": {"licence": True, "model_card": True}}, "It holds a licence and a model card."),
        ("demands", {"artifact": {"model_card": True}}, "It holds a model card."),
        (
            "demands",
            {"artifact": {"pickles": {"trusted": ["acme.features.Encoder"]}}},
            "Pickles may also name acme.features.Encoder, with any arguments.",
        ),
        (
            "demands",
            {"artifact": {"tensorflow": {"operators": ["ReadFile", "PrintV2"]}}},
            "Graphs of TensorFlow may also use ReadFile and PrintV2.",
        ),
        (
            "demands",
            {"metrics": [{"name": "a", "path": "x.y", "at_least": 0.5, "at_most": 1}]},
            "least 0.5 and at most 1.",
        ),
        (
            "demands",
            {"metrics": [{"name": "cost", "path": "x", "at_most": 5, "unit": "EUR", "slices": ["country=*", "new"]}]},
            "The metric cost (x) is at most 5 EUR, also in each slice country=* or new.",
        ),
        (
            "demands",
            {"metrics": [{"name": "auc", "path": "x", "against_champion": {"at_least": -0.005}}]},
            "The metric auc (x) is no worse than the champion's by more than 0.005.",
        ),
        (
            "demands",
            {"metrics": [{"name": "auc", "path": "x", "against_champion": {"at_least": 0}}]},
            "The metric auc (x) is no worse than the champion's.",
        ),
        (
            "demands",
            {"metrics": [{"name": "auc", "path": "x", "against_champion": {"at_least": 0.01, "relative": True}}]},
            "The metric auc (x) is better than the champion's by at least 1 % of it.",
        ),
        (
            "demands",
            {"metrics": [{"name": "auc", "path": "x", "suspicious": 0.2}]},
            "If auc is better than the champion's by more than 0.2, whoever approves has to accept that by name.",
        ),
        (
            "demands",
            {"bias": [{"facet": "age", "metric": "DPL", "at_least": -0.1, "at_most": 0.1}]},
            "The bias DPL of each group of age is at least -0.1 and at most 0.1.",
        ),
        (
            "demands",
            {"bias": [{"facet": "age", "metric": "DI", "value": "[60, 80]", "at_least": 0.8}]},
            "The bias DI of age=[60, 80] is at least 0.8.",
        ),
        ("comparing", {}, "Metrics are shown beside the champion's, and nothing is asked of that."),
        (
            "comparing",
            {"metrics": [{"name": "auc", "path": "x", "suspicious": 0.2}], "comparison": {"inconclusive": "fail"}},
            "A difference that is uncertain (95 % confidence) fails.",
        ),
        ("comparing", {"comparison": {"drift": True}}, "constraints that the package itself names"),
        ("comparing", {"comparison": {"unevaluated": "pass"}}, "What is asked for and cannot be evaluated passes."),
        ("comparing", {"comparison": {"data_sets": ["a" * 64]}}, f"one of the data sets with the SHA-256 {'a' * 64}."),
        (
            "demands",
            {"evaluation": EVALUATION},
            "metrics itself, on one ml.m5.large, for 60 minutes at most. What the submitter claims may be 0.01 from",
        ),
        ("demands", {"evaluation": {**EVALUATION, "metrics": ["auc", "f1"]}}, "These must have a value: auc and f1."),
        ("demands", {"smoke": SMOKE}, "It answers s3://held-out/churn.csv as expected within 1e-06, on one ml.m5"),
        ("demands", {"sources": {"unpinned": ["hub"]}}, "not pinned in the vault: hub."),
        ("demands", {"sources": {"model_data": ["s3://b/base/*"]}}, "may load of other groups: s3://b/base/*."),
        ("submitting", {"submissions": {"submitters": [ALICE]}}, f"Submitters: {ALICE}."),
        ("submitting", {"groups": {"create": True}}, "A submission creates the group"),
        ("accounts", {}, "open to no other account."),
        ("accounts", {"accounts": {"submit": ["222222222222"]}}, "Accounts that may submit: 222222222222."),
        ("deploying", {}, "Models run under the role for models that Signoff's stack makes."),
        ("deploying", {"deployment": {"choices": {"tags": ["a"]}}}, "A manifest may choose the tags a."),
        (
            "deploying",
            {"deployment": {"targets": [{"account": "2" * 12, "region": "eu-west-1", "execution_role": THERE}]}},
            "A model is also created in account 222222222222 in eu-west-1, under arn:aws:iam::222222222222:role/r.",
        ),
    ],
)
def test_what_is_said_of_the_rest_is_what_it_says(topic: str, document: dict[str, Any], sentence: str) -> None:
    assert sentence in told(**document)[topic]
