"""Who signs gets a proof that is taken: by the command, and by a bot with the lines in docs/proof.md."""

import json
import re
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.credentials import ReadOnlyCredentials
from hypothesis import given
from hypothesis import strategies as st

from signoff.aws.sts import IdentityVerifier
from signoff.errors import ProofRefused
from signoff_cli.errors import CommandFailed
from signoff_cli.statements.signature import sign_as_caller, sign_statement
from tests.support.clock import START, Clock
from tests.support.fake_sts import FakeSts
from tests.support.repository import ROOT

PAGE = ROOT / "docs" / "proof.md"
AUDIENCE = "arn:aws:events:us-east-1:123456789012:event-bus/signoff"
ANN, SESSION = "arn:aws:iam::123456789012:user/ann", "arn:aws:sts::123456789012:assumed-role/ops/ben"
DECISION = {
    "statement": "decision",
    "audience": AUDIENCE,
    "package": "p",
    "decision": "approve",
    "reason": "Good: \u00fc",
}


def confirmed(sts: FakeSts, statement: dict[str, Any]) -> str:
    callers = IdentityVerifier(sts.endpoint, sts.region, AUDIENCE, sts.clock, sts.send)
    return callers.confirm(callers.read(statement, str(DECISION["statement"]))).arn


def snippet() -> Any:
    """The function that docs/proof.md gives to bots."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    namespace: dict[str, Any] = {}
    exec(code, namespace)  # noqa: S102 - the page's own lines are what is tested
    return namespace["signed"]


class Session:
    """A boto3 session that makes its client once, which takes longer than all else here."""

    def __init__(self, keys: ReadOnlyCredentials) -> None:
        session = boto3.Session(keys.access_key, keys.secret_key, keys.token)
        self.get_credentials = session.get_credentials
        self.client = cache(session.client)


@cache
def session_of(keys: ReadOnlyCredentials) -> Session:
    return Session(keys)


def set_caller(monkeypatch: pytest.MonkeyPatch, keys: ReadOnlyCredentials) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", keys.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", keys.secret_key)
    if keys.token:
        monkeypatch.setenv("AWS_SESSION_TOKEN", keys.token)


@pytest.mark.parametrize("arn", [ANN, SESSION])
def test_what_is_signed_with_somebodys_credentials_is_theirs(arn: str) -> None:
    sts = FakeSts(Clock())
    statement = sign_statement(DECISION, sts.credentials(arn), sts.endpoint, sts.region, sts.clock())
    assert confirmed(sts, statement) == arn
    assert statement == {**DECISION, "time": "2026-03-02T09:15:20.000Z", "proof": statement["proof"]}


def test_signing_leaves_the_statement_it_was_given_alone() -> None:
    sts, given_ = FakeSts(Clock()), dict(DECISION)
    sign_statement(given_, sts.credentials(ANN), sts.endpoint, sts.region, sts.clock())
    assert given_ == DECISION


def test_a_time_that_is_stated_stays() -> None:
    sts = FakeSts(Clock())
    stated = {**DECISION, "time": "2026-03-02T10:16:00+01:00"}
    statement = sign_statement(stated, sts.credentials(ANN), sts.endpoint, sts.region, sts.clock())
    assert statement["time"] == stated["time"]
    assert confirmed(sts, statement) == ANN


def test_what_was_signed_before_is_signed_anew() -> None:
    sts = FakeSts(Clock())
    first = sts.signed(DECISION, SESSION)
    assert confirmed(sts, sts.signed(first, ANN)) == ANN


def test_the_signers_time_zone_does_not_matter() -> None:
    sts = FakeSts(Clock())
    local = START.astimezone(timezone(timedelta(hours=-7)))
    assert sign_statement(DECISION, sts.credentials(ANN), sts.endpoint, sts.region, local) == sts.signed(DECISION, ANN)


def test_the_same_statement_at_the_same_moment_has_the_same_proof() -> None:
    sts = FakeSts(Clock())
    once, again = sts.signed(DECISION, ANN), sts.signed(DECISION, ANN)
    sts.clock.forward(seconds=1)
    assert once == again
    assert sts.signed(DECISION, ANN) != once


def test_a_statement_that_has_no_canonical_form_is_not_signed() -> None:
    with pytest.raises(ProofRefused, match="MalformedProof"):
        FakeSts(Clock()).signed({**DECISION, "score": float("nan")}, ANN)


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "us-gov-west-1"])
def test_the_command_signs_as_whom_the_environment_names_for_the_sts_of_a_region(
    monkeypatch: pytest.MonkeyPatch, region: str
) -> None:
    sts = FakeSts(Clock(), region)
    set_caller(monkeypatch, sts.credentials(SESSION))
    assert confirmed(sts, sign_as_caller(DECISION, region, sts.clock)) == SESSION


def test_the_command_signs_for_the_engine_that_the_environment_names(monkeypatch: pytest.MonkeyPatch) -> None:
    sts = FakeSts(Clock(), endpoint="http://127.0.0.1:4566")
    set_caller(monkeypatch, sts.credentials(ANN))
    monkeypatch.setenv("AWS_ENDPOINT_URL", sts.endpoint)
    assert confirmed(sts, sign_as_caller(DECISION, "us-east-1", sts.clock)) == ANN


def test_the_command_signs_for_the_regions_sts_where_a_profile_prefers_the_global_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sts = FakeSts(Clock())
    set_caller(monkeypatch, sts.credentials(ANN))
    monkeypatch.setenv("AWS_STS_REGIONAL_ENDPOINTS", "legacy")
    assert confirmed(sts, sign_as_caller(DECISION, sts.region, sts.clock)) == ANN


def test_the_command_signs_now() -> None:
    with pytest.MonkeyPatch.context() as environment:
        sts = FakeSts(Clock(datetime.now(UTC)))
        set_caller(environment, sts.credentials(ANN))
        assert confirmed(sts, sign_as_caller(DECISION, "us-east-1")) == ANN


def test_without_credentials_nothing_is_signed_and_it_says_where_they_come_from() -> None:
    with pytest.raises(CommandFailed, match="no AWS credentials; set AWS_PROFILE"):
        sign_as_caller(DECISION, "us-east-1")


# docs/proof.md


@pytest.mark.parametrize("arn", [ANN, SESSION])
def test_what_the_pages_lines_sign_is_taken(arn: str) -> None:
    sts = FakeSts(Clock(datetime.now(UTC)))
    statement = snippet()(DECISION, session_of(sts.credentials(arn)), sts.region)
    assert confirmed(sts, json.loads(json.dumps(statement))) == arn


def test_what_the_pages_lines_sign_is_refused_when_it_is_changed() -> None:
    sts = FakeSts(Clock(datetime.now(UTC)))
    statement = snippet()(DECISION, session_of(sts.credentials(ANN)), sts.region)
    with pytest.raises(ProofRefused, match="NotProven"):
        confirmed(sts, {**statement, "reason": "Bad"})


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(codec="ascii")), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(PLAIN)
def test_the_pages_lines_sign_whatever_statements_hold(more: Any) -> None:
    sts = FakeSts(Clock(datetime.now(UTC)))
    statement = snippet()({**DECISION, "more": more}, session_of(sts.credentials(ANN)), sts.region)
    assert confirmed(sts, statement) == ANN


def test_the_page_names_every_reason_for_which_a_proof_is_refused() -> None:
    source = ROOT / "functions" / "signoff"
    code = "".join((source / name).read_text(encoding="utf-8") for name in ("identity/proofs.py", "aws/sts.py"))
    names = set(re.findall(r'ProofRefused\(\s*"(\w+)"', code))
    assert len(names) == 10
    assert names <= set(re.findall(r"`(\w+)`", PAGE.read_text(encoding="utf-8")))
