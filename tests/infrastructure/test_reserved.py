"""What a policy reserves: event sources for their publishers, and a group's prefix for its submitters."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.access.principals import principal_arns
from infra.app import STACK, build
from signoff.identity.principals import listed
from tests.infrastructure.conftest import read_template
from tests.support.iam import denied
from tests.support.shared_registry import bus_policy
from tests.support.template import ACCOUNT, REGION, SynthesizedTemplate

BUS = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/signoff"
ROLE = f"arn:aws:iam::{ACCOUNT}:role"
SSO = f"{ROLE}/aws-reserved/sso.amazonaws.com/AWSReservedSSO_{{}}_0123456789abcdef"
ELSEWHERE = "arn:aws:iam::222222222222:role/team/Trainer"
POLICIES: dict[str, dict[str, Any]] = {
    "default": {},
    "groups/Churn": {
        "accounts": {"submit": ["222222222222"]},
        "submissions": {"submitters": [f"{ROLE}/Trainer", "arn:aws:iam::222222222222:role/Trainer"]},
        "approvals": {"identity": "asserted", "publishers": {"acme.tickets": [f"{ROLE}/Tickets"]}},
    },
    "groups/people": {"submissions": {"submitters": ["arn:aws:identitycenter:::user/alice@example.com"]}},
    "projects/trusting": {
        "approvals": {
            "identity": "asserted",
            "publishers": {"acme.chat": [f"arn:aws:sts::{ACCOUNT}:assumed-role/Chat/bot"]},
        }
    },
}


@pytest.fixture(scope="module")
def reserving(tmp_path_factory: pytest.TempPathFactory) -> SynthesizedTemplate:
    folder = tmp_path_factory.mktemp("reserving")
    for name, document in POLICIES.items():
        path = folder / "policies" / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document))
    choices = {"policies": str(folder / "policies"), "bundle": "source", "projects": "true"}
    build(choices, folder / "out").synth()
    return read_template(Path(folder / "out"), STACK)


def may_speak(template: SynthesizedTemplate, source: str, principal: str) -> bool:
    account = principal.split(":")[4]
    context = {"events:source": source, "aws:PrincipalArn": principal, "aws:PrincipalAccount": account}
    return not denied(bus_policy(template), "events:PutEvents", BUS, context)


def may_upload(template: SynthesizedTemplate, key: str, principal: str, action: str = "s3:PutObject") -> bool:
    document = template.one("AWS::S3::BucketPolicy", "Artifacts/Policy")["PolicyDocument"]
    context = {"aws:PrincipalArn": principal, "aws:SecureTransport": "true"}
    return not denied(document, action, f"arn:aws:s3:::signoff-artifacts/{key}", context)


@pytest.mark.parametrize("role", [f"{ROLE}/Tickets", f"{ROLE}/team/blue/Tickets"])
def test_a_publisher_speaks_as_its_source_whatever_its_roles_path_is(reserving, role):
    assert may_speak(reserving, "acme.tickets", role)


@pytest.mark.parametrize("who", [f"{ROLE}/Other", f"{ROLE}/Tickets2", f"arn:aws:iam::{ACCOUNT}:user/Tickets"])
def test_nobody_else_speaks_as_a_publishers_source(reserving, who):
    assert not may_speak(reserving, "acme.tickets", who)
    assert may_speak(reserving, "signoff.cli", who)


def test_one_publisher_does_not_speak_as_another(reserving):
    assert not may_speak(reserving, "acme.chat", f"{ROLE}/Tickets")
    assert not may_speak(reserving, "acme.tickets", f"{ROLE}/Chat")


def test_the_publisher_of_a_projects_policy_that_is_named_by_its_session_is_known_by_its_role(reserving):
    assert may_speak(reserving, "acme.chat", f"{ROLE}/Chat")


def test_without_publishers_no_source_is_reserved(template):
    assert len(bus_policy(template)["Statement"]) == 2
    assert may_speak(template, "acme.tickets", f"{ROLE}/Other")


@pytest.mark.parametrize("key", ["Churn/1/model.tar.gz", "churn/1/model.tar.gz"])
def test_only_submitters_upload_to_their_group_in_any_account(reserving, key):
    assert may_upload(reserving, key, f"{ROLE}/Trainer")
    assert may_upload(reserving, key, ELSEWHERE)
    assert not may_upload(reserving, key, f"{ROLE}/Administrator")
    assert not may_upload(reserving, key, "arn:aws:iam::222222222222:role/Other")


def test_signoff_itself_puts_its_report_beside_a_refused_submission(reserving):
    report = "Churn/1/registration-report.json"
    assert may_upload(reserving, report, reserving.role("RegisterModelRole"))
    assert not may_upload(reserving, report, reserving.role("SweepRole"))


def test_a_user_of_identity_center_uploads_by_any_permission_set_and_the_proof_says_who(reserving):
    assert may_upload(reserving, "people/1/model.tar.gz", SSO.format("DataScientist"))
    assert not may_upload(reserving, "people/1/model.tar.gz", f"{ROLE}/AWSReservedSSO_Fake_0123456789abcdef")


def test_a_group_without_submitters_and_reading_stay_as_open_as_they_were(reserving):
    assert may_upload(reserving, "anything/1/model.tar.gz", f"{ROLE}/Administrator")
    assert may_upload(reserving, "Churn/1/model.tar.gz", f"{ROLE}/Administrator", "s3:GetObject")


@pytest.mark.parametrize(
    ("pattern", "arns"),
    [
        ("arn:aws:iam::*:user/approver", ["arn:aws:iam::*:user/approver"]),
        ("arn:*:iam::1:role/risk-*", ["arn:*:iam::1:role/*/risk-*", "arn:*:iam::1:role/risk-*"]),
        ("arn:aws:iam::1:role/team/risk", ["arn:aws:iam::1:role/team/risk"]),
        ("arn:aws:sts::1:federated-user", ["arn:aws:sts::1:federated-user/*"]),
        (
            "arn:aws:iam::1:role/AWSReservedSSO_A_*",
            [
                "arn:aws:iam::1:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_A_*",
                "arn:aws:iam::1:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_A_*",
            ],
        ),
    ],
)
def test_a_pattern_of_a_policy_becomes_patterns_of_principals(pattern, arns):
    assert principal_arns([pattern]) == arns


PATTERNS = [
    *(
        f"arn:{start}:role/{name}"
        for start in ("aws:iam::123456789012", "*:iam::*")
        for name in ("*", "risk-*", "risk-?")
    ),
    *(f"arn:aws:iam::123456789012:role/{name}" for name in ("AWSReservedSSO_*", "AWSReserved*", "*_Risk_*")),
    *("arn:aws:identitycenter:::user/*", "arn:*:identitycenter:::user/alice@example.com", "arn:*:iam::1*:*"),
]


@given(
    st.sampled_from(PATTERNS),
    st.sampled_from(["risk-1", "risk-22", "owners", "AWSReservedSSO_Risk_0123", "AWSReservedSSO_Owner_0123"]),
    st.sampled_from(["", "team/", "team/blue/"]),
    st.sampled_from(["alice@example.com", "bob", "risk-1"]),
)
def test_the_functions_list_nobody_whom_aws_has_refused(pattern, name, path, session):
    # Identity Center makes its roles below its own path, and nobody else's is there.
    place = "aws-reserved/sso.amazonaws.com/" if name.startswith("AWSReservedSSO_") else ""
    principal = f"{ROLE}/{place}{path}{name}"
    taken = listed(f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/{session}", [pattern])
    condition = {"ArnNotLike": {"aws:PrincipalArn": principal_arns([pattern])}}
    refusal = {"Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition}]}
    assert not (taken and denied(refusal, "s3:PutObject", "any", {"aws:PrincipalArn": principal}))
