"""Who signed is what STS says, and nothing else; an answer that says nothing is asked for again."""

import logging
import traceback
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import boto3
import pytest
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, HTTPClientError, ReadTimeoutError
from hypothesis import example, given
from hypothesis import strategies as st

from signoff.aws.sts import IdentityVerifier
from signoff.errors import ProofRefused, SignoffError, Transient
from signoff.identity.proofs import Claim, Signer
from signoff_cli.statements.signature import sign_statement
from tests.support.clock import Clock
from tests.support.fake_sts import FakeSts

AUDIENCE = "arn:aws:events:us-east-1:123456789012:event-bus/signoff"
ANN, BEN = "arn:aws:iam::123456789012:user/ann", "arn:aws:iam::123456789012:user/ben"
SESSION = "arn:aws:sts::123456789012:assumed-role/ops/cam"
DECISION = {
    "statement": "decision",
    "audience": AUDIENCE,
    "package": "arn:aws:sagemaker:us-east-1:123456789012:model-package/iris/1",
    "decision": "approve",
    "reason": "Precise enough",
    "evidence": "e" * 64,
}


class Gate:
    """A function's view of callers: an STS, and statements that arrive."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.sts = FakeSts(self.clock)
        self.identity_verifier = self.asking(self.sts.send)

    def asking(self, send: Callable[[str, Mapping[str, str]], tuple[int, bytes]]) -> IdentityVerifier:
        return IdentityVerifier(self.sts.endpoint, self.sts.region, AUDIENCE, self.clock, send)

    def signed(self, by: str = ANN, **changes: Any) -> dict[str, Any]:
        return self.sts.signed({**DECISION, **changes}, by)

    def who(self, statement: Mapping[str, Any], kind: str = "decision") -> str:
        return self.identity_verifier.confirm(self.identity_verifier.read(statement, kind)).arn

    def refused(self, statement: Mapping[str, Any], kind: str = "decision") -> str:
        with pytest.raises(ProofRefused) as refused:
            self.who(statement, kind)
        return refused.value.name

    def claim(self) -> Claim:
        return self.identity_verifier.read(self.signed(SESSION), "decision")


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.mark.parametrize(
    "arn",
    [
        *(ANN, SESSION, "arn:aws:iam::123456789012:root", "arn:aws:iam::123456789012:user/team/risk/dora"),
        "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/eve@example.com",
        *("arn:aws-us-gov:iam::123456789012:user/finn", "arn:aws-cn:sts::123456789012:federated-user/gus"),
        *("arn:aws-iso-b:iam::123456789012:user/hal", "arn:aws-eusc:iam::123456789012:user/ida"),
    ],
)
def test_whoever_signed_is_named_by_sts(gate: Gate, arn: str) -> None:
    assert gate.who(gate.signed(arn)) == arn


def test_what_sts_is_asked_is_our_own_request_to_the_one_endpoint(gate: Gate) -> None:
    gate.who(gate.signed())
    ((url, headers),) = gate.sts.requests
    assert url.startswith("https://sts.us-east-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-")
    assert headers["host"] == "sts.us-east-1.amazonaws.com"
    assert set(headers) == {"host", "x-signoff-digest"}


def test_reading_asks_nobody(gate: Gate) -> None:
    gate.identity_verifier.read(gate.signed(), "decision")
    assert gate.sts.requests == []


def test_the_endpoint_is_that_of_the_functions_own_client() -> None:
    sts = boto3.client("sts", region_name="eu-central-1", aws_access_key_id="A" * 20, aws_secret_access_key="x")
    clock = Clock()
    there = FakeSts(clock, "eu-central-1")
    claim = IdentityVerifier.of(sts, AUDIENCE, clock).read(there.signed(DECISION, ANN), "decision")
    assert claim.proof.region == "eu-central-1"
    with pytest.raises(ProofRefused, match=r"^WrongHost"):
        IdentityVerifier.of(sts, AUDIENCE, clock).read(FakeSts(clock).signed(DECISION, ANN), "decision")


@pytest.mark.parametrize(
    "tampered",
    [
        {"reason": "Another reason"},
        {"reason": "Precise enough "},
        {"package": DECISION["package"].replace("/1", "/2")},
        {"decision": "reject"},
        {"evidence": "f" * 64},
        {"time": "2026-03-02T09:15:21.000Z"},
        {"break_glass": True},
        {"approver": BEN},
        {"more": None},
    ],
    ids=str,
)
def test_a_statement_changed_after_signing_is_not_proven(gate: Gate, tampered: dict[str, Any]) -> None:
    assert gate.refused({**gate.signed(), **tampered}) == "NotProven"


def test_a_statement_that_lost_a_part_is_not_proven(gate: Gate) -> None:
    assert gate.refused({name: value for name, value in gate.signed().items() if name != "evidence"}) == "NotProven"


def test_a_statement_whose_audience_is_changed_to_ours_is_not_proven(gate: Gate) -> None:
    elsewhere = gate.signed(audience=AUDIENCE.replace("123456789012", "999999999999"))
    assert gate.refused(elsewhere) == "WrongAudience"
    assert gate.refused({**elsewhere, "audience": AUDIENCE}) == "NotProven"


def test_a_statement_whose_kind_is_changed_is_not_proven(gate: Gate) -> None:
    assert gate.refused({**gate.signed(), "statement": "annotation"}, "annotation") == "NotProven"


def test_a_proof_moved_to_another_statement_is_not_proven(gate: Gate) -> None:
    approved, other = gate.signed(), gate.signed(package=f"{DECISION['package']}0")
    assert gate.refused({**other, "proof": approved["proof"]}) == "NotProven"


def test_a_statement_in_other_spelling_of_the_same_json_is_proven(gate: Gate) -> None:
    assert gate.who(dict(reversed(gate.signed().items()))) == ANN


def test_another_persons_access_key_id_is_not_proven(gate: Gate) -> None:
    statement = gate.signed()
    mine, theirs = gate.sts.credentials(ANN).access_key, gate.sts.credentials(BEN).access_key
    assert gate.refused({**statement, "proof": statement["proof"].replace(mine, theirs)}) == "NotProven"


def test_another_secret_is_not_proven(gate: Gate) -> None:
    guessed = ReadOnlyCredentials(gate.sts.credentials(ANN).access_key, "guessed", None)
    assert (
        gate.refused(sign_statement(DECISION, guessed, gate.sts.endpoint, gate.sts.region, gate.clock())) == "NotProven"
    )


def test_keys_that_sts_does_not_know_are_not_proven(gate: Gate) -> None:
    unknown = FakeSts(gate.clock).signed(DECISION, BEN)
    assert gate.refused(unknown) == "NotProven"


def test_a_session_without_its_token_is_not_proven(gate: Gate) -> None:
    statement = gate.signed(SESSION)
    token = quote(str(gate.sts.credentials(SESSION).token), safe="")
    without = statement["proof"].replace(f"&X-Amz-Security-Token={token}", "")
    assert without != statement["proof"]
    assert gate.refused({**statement, "proof": without}) == "NotProven"


def test_another_sessions_token_is_not_proven(gate: Gate) -> None:
    statement = gate.signed(SESSION)
    mine, theirs = (quote(str(gate.sts.credentials(arn).token), safe="") for arn in (SESSION, SESSION + "2"))
    assert gate.refused({**statement, "proof": statement["proof"].replace(mine, theirs)}) == "NotProven"


def test_a_session_that_ended_is_not_proven(gate: Gate) -> None:
    statement = gate.signed(SESSION)
    gate.sts.expire(SESSION)
    with pytest.raises(ProofRefused, match="ExpiredToken"):
        gate.who(statement)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("X-Amz-Date=20260302T091520Z", "X-Amz-Date=20260302T091820Z"),
        ("X-Amz-Expires=900", "X-Amz-Expires=899"),
        ("X-Amz-Signature=", "X-Amz-Signature=" + "0" * 64),
    ],
)
def test_a_proof_with_another_date_expiry_or_signature_is_not_proven(gate: Gate, old: str, new: str) -> None:
    statement = gate.signed()
    start, found, rest = statement["proof"].partition(old)
    assert found
    assert gate.refused({**statement, "proof": start + new + ("" if old.endswith("=") else rest)}) == "NotProven"


def test_a_proof_for_another_region_is_refused_before_anybody_is_asked(gate: Gate) -> None:
    elsewhere = FakeSts(gate.clock, "eu-west-1")
    assert gate.refused(elsewhere.signed(DECISION, ANN)) == "WrongHost"
    scoped = FakeSts(gate.clock, "eu-west-1", endpoint=gate.sts.endpoint)
    assert gate.refused(scoped.signed(DECISION, ANN)) == "WrongRegion"
    assert gate.sts.requests == []


def test_a_proof_that_arrives_too_late_is_refused_and_says_to_sign_again(gate: Gate) -> None:
    statement = gate.signed()
    gate.clock.forward(minutes=15)
    assert gate.who(statement) == ANN
    gate.clock.forward(seconds=1)
    with pytest.raises(ProofRefused, match=r"^ProofExpired: .*sign again"):
        gate.who(statement)
    assert len(gate.sts.requests) == 1


def test_a_late_proof_can_still_be_read_so_that_what_it_decided_is_known_again(gate: Gate) -> None:
    statement = gate.signed()
    first = gate.identity_verifier.read(statement, "decision")
    gate.clock.forward(days=30)
    assert gate.identity_verifier.read(statement, "decision").id == first.id


def test_a_proof_from_the_future_is_refused(gate: Gate) -> None:
    statement = gate.signed()
    gate.clock.forward(minutes=-6)
    assert gate.refused(statement) == "ProofNotYetValid"


def test_the_expiry_holds_though_sts_would_take_longer_and_never_beyond_a_quarter_of_an_hour(gate: Gate) -> None:
    claim = gate.claim()
    gate.clock.forward(minutes=14)
    assert gate.identity_verifier.confirm(claim).arn == SESSION
    short = Claim(type(claim.proof)(**{**vars(claim.proof), "expires": 60}), claim.digest)
    with pytest.raises(ProofRefused, match=r"^ProofExpired: .*for 60 seconds"):
        gate.identity_verifier.confirm(short)
    gate.clock.forward(minutes=2)
    long = Claim(type(claim.proof)(**{**vars(claim.proof), "expires": 3600}), claim.digest)
    with pytest.raises(ProofRefused, match=r"^ProofExpired: .*for 900 seconds"):
        gate.identity_verifier.confirm(long)


# What STS answers


def answered(gate: Gate, status: int, body: bytes) -> SignoffError:
    """The error that an answer comes to."""
    with pytest.raises((ProofRefused, Transient)) as raised:
        gate.asking(lambda *_: (status, body)).confirm(gate.claim())
    return raised.value


def xml_error(code: str) -> bytes:
    return (
        '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>'
        f"<Code>{code}</Code><Message>m</Message></Error><RequestId>r</RequestId></ErrorResponse>"
    ).encode()


def xml_identity(arn: str, user_id: str = "<UserId>AIDAEXAMPLE</UserId>") -> bytes:
    return (
        '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
        f"<Arn>{arn}</Arn>{user_id}</GetCallerIdentityResult></GetCallerIdentityResponse>"
    ).encode()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 304, 399])
def test_a_redirect_is_not_followed_and_proves_nothing(gate: Gate, status: int) -> None:
    error = answered(gate, status, xml_identity(ANN))
    assert isinstance(error, ProofRefused)
    assert error.name == "NotProven"
    assert "redirect" in error.reason


@pytest.mark.parametrize("code", ["SignatureDoesNotMatch", "InvalidClientTokenId", "ExpiredToken", "AccessDenied"])
def test_what_sts_refuses_is_not_proven_and_its_code_is_named(gate: Gate, code: str) -> None:
    error = answered(gate, 403, xml_error(code))
    assert isinstance(error, ProofRefused)
    assert str(error).startswith(f"NotProven: STS does not confirm the proof ({code}); sign what you send, with cred")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        *((500, xml_error("InternalFailure")), (503, xml_error("ServiceUnavailable")), (502, b"<html>"), (504, b"")),
        *((400, xml_error("Throttling")), (429, xml_error("TooManyRequestsException")), (403, b"no XML")),
        *((400, b"<html><body>Blocked</body></html>"), (403, b""), (400, xml_error("no code at all")), (407, b"Proxy")),
        *((400, b"<E><Error>text</Error></E>"), (400, b"<E><Error><Code><X>y</X></Code></Error></E>")),
        *((200, b""), (200, b"no XML"), (200, b"{}"), (200, b"<a/>"), (200, b"\xff\xfe\x00"), (204, b"")),
        *((200, xml_error("AccessDenied")), (200, b'{"GetCallerIdentityResponse": {}}'), (100, b""), (600, b"")),
        *((201, xml_identity(ANN)), (206, xml_identity(ANN))),
    ],
)
def test_an_answer_to_wait_for_or_not_to_be_read_is_asked_for_again(gate: Gate, status: int, body: bytes) -> None:
    assert isinstance(answered(gate, status, body), Transient)


@pytest.mark.parametrize(
    "arn",
    [
        *("", "ann", "123456789012", "arn:aws:iam::123456789012:", "arn:aws:iam::12345678901:user/ann"),
        *("arn:aws:s3:::bucket", "arn:aws:iam:us-east-1:123456789012:user/ann", "arn:other:iam::123456789012:user/ann"),
        *("arn:aws:iam::123456789012:user/ann ben", " arn:aws:iam::123456789012:user/ann", "arn:aws:iam::aws:user/ann"),
        *("arn:aws:iam::123456789012:user/ann\n", "arn:aws:sts::123456789012:user/\u00e4nn"),
    ],
)
def test_a_caller_whose_arn_is_none_is_nobody(gate: Gate, arn: str) -> None:
    error = answered(gate, 200, xml_identity(arn))
    assert isinstance(error, Transient)
    assert "ARN" in str(error)


@pytest.mark.parametrize("user_id", ["", "<UserId/>", "<UserId>a b</UserId>", f"<UserId>{'A' * 257}</UserId>"])
def test_a_caller_without_an_id_of_iams_is_asked_for_again(gate: Gate, user_id: str) -> None:
    error = answered(gate, 200, xml_identity(ANN, user_id))
    assert isinstance(error, Transient)
    assert "UserId" in str(error)


def test_who_signed_is_known_by_arn_and_by_the_id_that_iam_gives_to_no_other(gate: Gate) -> None:
    gate.sts.identify(ANN, "AIDAEXAMPLE")
    claim = gate.identity_verifier.read(gate.signed(), "decision")
    assert gate.identity_verifier.confirm(claim) == Signer(ANN, "AIDAEXAMPLE")


@given(status=st.sampled_from([200, 302, 400, 403, 500]), body=st.binary() | st.text().map(str.encode))
@example(200, b"<a><GetCallerIdentityResult/></a>")
@example(
    200,
    b"<a><GetCallerIdentityResult>1</GetCallerIdentityResult><GetCallerIdentityResult>2</GetCallerIdentityResult></a>",
)
@example(200, b"<a><ResponseMetadata>r</ResponseMetadata><GetCallerIdentityResult/></a>")
@example(200, b"<a><GetCallerIdentityResult><Arn>1</Arn><Arn>2</Arn></GetCallerIdentityResult></a>")
@example(400, b"<a><ResponseMetadata>r</ResponseMetadata></a>")
@example(400, b"<a><Error/><Error/></a>")
@example(400, b"<a>text</a>")
@example(400, b"<a/>")
@example(400, b"[]")
@example(400, b'<!DOCTYPE a [<!ENTITY b "c">]><a><Error><Code>&b;</Code></Error></a>')
def test_whatever_is_answered_is_a_refusal_or_asked_for_again(status: int, body: bytes) -> None:
    assert isinstance(answered(Gate(), status, body), SignoffError)


# What gets about


URL = "https://sts.us-east-1.amazonaws.com/?X-Amz-Signature=secret"


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url=URL, error="refused"),
        ConnectTimeoutError(endpoint_url=URL, error="slow"),
        ReadTimeoutError(endpoint_url=URL, error="slow"),
        HTTPClientError(error=OSError(URL)),
        ConnectionResetError(URL),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_connection_that_fails_is_tried_again_and_says_nothing_of_the_request(gate: Gate, error: Exception) -> None:
    def fail(*_: Any) -> tuple[int, bytes]:
        raise error

    with pytest.raises(Transient) as raised:
        gate.asking(fail).confirm(gate.claim())
    assert type(error).__name__ in str(raised.value)
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None
    assert "X-Amz-Signature" not in "".join(traceback.format_exception(raised.value))


def test_no_refusal_shows_signature_or_token(gate: Gate) -> None:
    token = str(gate.sts.credentials(SESSION).token)
    statement = {**gate.signed(SESSION), "reason": "tampered"}
    with pytest.raises(ProofRefused) as refused:
        gate.who(statement)
    shown = "".join(traceback.format_exception(refused.value))
    secrets = (statement["proof"], statement["proof"].rpartition("=")[2], token, quote(token, safe=""))
    assert not any(secret in shown for secret in secrets)


@pytest.mark.parametrize("name", ["urllib3.connectionpool", "urllib3.util.retry", "botocore.httpsession"])
def test_loggers_that_write_urls_keep_proofs_to_themselves(caplog: pytest.LogCaptureFixture, name: str) -> None:
    sts = FakeSts(Clock())
    IdentityVerifier(sts.endpoint, sts.region, AUDIENCE, sts.clock)
    with caplog.at_level(logging.DEBUG, logger=name):
        logging.getLogger(name).debug('%s "%s"', sts.endpoint, URL)
        logging.getLogger(name).debug("Exception", exc_info=OSError(URL))
        logging.getLogger(name).debug("Starting new connection to %s", sts.endpoint)
    assert [record.getMessage() for record in caplog.records] == [f"Starting new connection to {sts.endpoint}"]


def test_the_fake_takes_a_signature_for_a_quarter_of_an_hour_as_sts_does(gate: Gate) -> None:
    statement = gate.signed()
    claim = gate.identity_verifier.read(statement, "decision")
    later = Clock(gate.clock.now + timedelta(minutes=16))
    gate.sts.clock = later
    with pytest.raises(ProofRefused, match="SignatureDoesNotMatch"):
        gate.identity_verifier.confirm(claim)
