"""What is weak in a policy is warned of."""

from __future__ import annotations

from typing import Any

import pytest

from infra.settings import DeploymentSettings
from signoff_cli.policies.warnings import KEPT_UNAPPROVED
from tests.support.policy_files import ALICE, BOB, EVALUATION, RISK, approvals, asserted, warned

RELEASE = "arn:aws:signer:eu-west-1:123456789012:/signing-profiles/release"
MODELS = "arn:aws:iam::123456789012:role/models"


@pytest.mark.parametrize(
    ("document", "path", "words"),
    [
        ({}, "approvals.approvers", "who has both may submit as one and approve as the other"),
        (approvals(approvers=["arn:aws:iam::*:user/a"]), "approvals.approvers[0]", "in any account that the group"),
        (
            approvals(approvers=["arn:aws:iam::123456789012:role/team/risk"]),
            "approvals.approvers[0]",
            "has a path, which session ARNs do not show, and matches nobody: use role/risk",
        ),
        (
            approvals(approvers=["arn:aws:iam::123456789012:role/*"]),
            "approvals.approvers[0]",
            "every role, including those of jobs,",
        ),
        (asserted("arn:aws:iam::*:role/t"), 'approvals.publishers["acme.tickets"][0]', "in any account"),
        (
            {"evaluation": EVALUATION, "deployment": {"network_isolation": False}},
            "evaluation",
            "its temporary model has no network, although models of the group are not isolated",
        ),
        (asserted(ALICE), "approvals.identity", "nothing is proven"),
        (approvals(submitter_may_approve=True), "approvals.submitter_may_approve", "one person alone"),
        (approvals(unknown_submitter="accept"), "approvals.unknown_submitter", "one person alone"),
        (approvals(approvers=[ALICE, BOB], needed=2), "approvals.needed", "what one of them submits can never be"),
        (approvals(expiry={"after": "P365D"}), "approvals.expiry.after", "expire 365 days after they were made"),
        ({"mode": "report"}, "mode", "nothing is enforced"),
        (
            {"images": {"block_at": "HIGH", "accepted": [{"id": "CVE-1", "until": "2025-12-31"}]}},
            "images.accepted[0]",
            "CVE-1 was accepted until 2025-12-31 and is refused again",
        ),
        ({"images": {"accepted": [{"id": "CVE-1", "until": "9999-12-31"}]}}, "images.accepted", "has no effect"),
        ({"images": {"repositories": ["1.dkr.ecr.*/a"]}}, "images.repositories[0]", "stands for no dots"),
        ({"images": {"revoke": True}}, "images.revoke", "has no effect, for no scan is asked for"),
        (
            {"images": {"exempt": ["1.dkr.ecr.eu-west-1.amazonaws.com/*"]}},
            "images.exempt",
            "neither scan nor signature",
        ),
        ({"images": {"signed_by": [RELEASE], "exempt": ["*/base"]}}, "images.exempt[0]", "registries of any account"),
        (
            {**approvals(approvers=["arn:aws:identitycenter:::user/a@b"]), "accounts": {"submit": ["222222222222"]}},
            "approvals.approvers[0]",
            "also matches users of that name in 222222222222",
        ),
        (
            {"submissions": {"submitters": [ALICE]}, "accounts": {"submit": ["222222222222"]}},
            "accounts.submit[0]",
            "lists nobody in it",
        ),
        ({"artifact": {"formats": ["onnx", "pickle"]}}, "artifact.formats[1]", "a program that runs when it is loaded"),
        ({"artifact": {"formats": ["pytorch"]}}, "artifact.formats[0]", "holds a pickle"),
        ({"artifact": {"formats": ["torchscript"]}}, "artifact.formats[0]", "is a program that PyTorch runs"),
        ({"artifact": {"formats": ["unknown"]}}, "artifact.formats[0]", "is not inspected"),
        ({"artifact": {"code": {"compiled": ["lib/*.so"]}}}, "artifact.code.compiled[0]", "allows compiled code"),
        (
            {"artifact": {"pickles": {"trusted": ["acme.features.*"]}}},
            "artifact.pickles.trusted[0]",
            "everything that this module defines or imports",
        ),
        (
            {"artifact": {"tensorflow": {"operators": ["ReadFile"]}}},
            "artifact.tensorflow.operators[0]",
            "`ReadFile` may read files",
        ),
        ({"artifact": {"code": {"python": ["code/*", "*"]}}}, "artifact.code.python[1]", "means anywhere"),
        (
            {"metrics": [{"name": "auc", "path": "auc", "against_champion": {"at_least": 0}}]},
            "comparison.data_sets",
            "submitters choose what their model is compared on",
        ),
        (
            {
                "deployment": {
                    "targets": [{"region": "eu-wset-1", "execution_role": "arn:aws:iam::123456789012:role/m"}]
                }
            },
            "deployment.targets[0].region",
            "the AWS SDK knows no SageMaker in eu-wset-1; did you mean eu-west-1?",
        ),
    ],
)
def test_what_is_weak_is_warned_of(document: Any, path: str, words: str) -> None:
    assert words in warned(document)[path]


def test_a_careful_policy_is_not_warned_of() -> None:
    dave = "arn:aws:iam::222222222222:user/dave"  # one account's, where other accounts' users may have any name
    roles = {"risk": {"members": [RISK]}, "owners": {"members": [ALICE, dave]}}
    document = {
        "submissions": {"submitters": [ALICE, "arn:aws:iam::222222222222:role/training"]},
        "accounts": {"submit": ["222222222222"]},
        **approvals(roles=roles, trusted_sessions=[RISK], break_glass=[dave]),
        "artifact": {"required_files": ["code/*.py"], "forbidden_files": ["*.pkl"], "formats": ["onnx"]},
    }
    assert warned(document) == {}


def test_the_warning_of_long_waits_knows_what_a_deployment_chooses_by_itself() -> None:
    assert KEPT_UNAPPROVED.days == DeploymentSettings.unapproved_days
