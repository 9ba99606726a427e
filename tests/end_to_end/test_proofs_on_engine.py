"""Proofs against an STS that really checks signatures, and over a connection that really is one."""

import json
import logging
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from uuid import uuid4

import pytest
from botocore.credentials import ReadOnlyCredentials

from local.engine.process import Engine
from signoff.aws.sts import IdentityVerifier
from signoff.documents.timestamps import text
from signoff.errors import ProofRefused, Transient
from signoff.runtime.clock import utc_now
from signoff_cli.statements.signature import sign_statement
from tests.support.aws import client

AUDIENCE = "arn:aws:events:us-east-1:123456789012:event-bus/signoff"
DECISION = {
    "statement": "decision",
    "audience": AUDIENCE,
    "package": "arn:aws:sagemaker:us-east-1:123456789012:model-package/iris/1",
    "decision": "approve",
    "reason": "Precise enough, \u00fcml\u00e4uts & <signs> too",
    "evidence": "e" * 64,
}


class Account:
    """An engine's account with people in it, and a function there that asks its STS who signed."""

    def __init__(self, engine: Engine) -> None:
        self._iam = client(engine, "iam")
        self._sts = client(engine, "sts")
        self.endpoint, self.region = engine.url, engine.region
        self.identity_verifier = IdentityVerifier.of(self._sts, AUDIENCE, utc_now)

    def user(self) -> tuple[str, ReadOnlyCredentials]:
        """A new IAM user: ARN and keys."""
        name = f"user-{uuid4().hex[:8]}"
        arn = self._iam.create_user(UserName=name)["User"]["Arn"]
        key = self._iam.create_access_key(UserName=name)["AccessKey"]
        return arn, ReadOnlyCredentials(key["AccessKeyId"], key["SecretAccessKey"], None)

    def session(self) -> tuple[str, ReadOnlyCredentials]:
        """A new session of a new role: ARN and keys with their token."""
        statement = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        role = self._iam.create_role(RoleName=f"role-{uuid4().hex[:8]}", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        answer = self._sts.assume_role(RoleArn=role, RoleSessionName="dora")
        keys = answer["Credentials"]
        credentials = ReadOnlyCredentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
        return answer["AssumedRoleUser"]["Arn"], credentials

    def forget(self, keys: ReadOnlyCredentials, arn: str) -> None:
        """Delete a user's access key."""
        self._iam.delete_access_key(UserName=arn.rpartition("/")[2], AccessKeyId=keys.access_key)

    def signed(self, keys: ReadOnlyCredentials, **ago: float) -> dict[str, Any]:
        return sign_statement(DECISION, keys, self.endpoint, self.region, utc_now() - timedelta(**ago))

    def who(self, statement: Mapping[str, Any]) -> str:
        return self.identity_verifier.confirm(self.identity_verifier.read(statement, "decision")).arn

    def refused(self, statement: Mapping[str, Any]) -> str:
        with pytest.raises(ProofRefused) as refused:
            self.who(statement)
        return str(refused.value)


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with Engine.start(auth=True, log=tmp_path_factory.mktemp("proofs") / "engine.log") as engine:
        yield Account(engine)


def test_a_users_proof_is_confirmed_as_that_user(account: Account) -> None:
    arn, keys = account.user()
    assert arn.startswith("arn:aws:iam::123456789012:user/user-")
    assert account.who(account.signed(keys)) == arn


def test_a_sessions_proof_is_confirmed_as_that_session(account: Account) -> None:
    arn, keys = account.session()
    assert arn.endswith("/dora")
    assert account.who(account.signed(keys)) == arn


def test_the_engines_own_users_can_prove_who_they_are(account: Account) -> None:
    from local.engine.users import keys

    approver = ReadOnlyCredentials(*keys("approver"), None)
    assert account.who(account.signed(approver)) == "arn:aws:iam::123456789012:user/approver"


def test_a_proof_of_fourteen_minutes_is_confirmed_and_one_of_sixteen_is_not(account: Account) -> None:
    arn, keys = account.user()
    assert account.who(account.signed(keys, minutes=14)) == arn
    assert account.refused(account.signed(keys, minutes=16)).startswith("ProofExpired: ")


def test_sts_itself_refuses_an_old_signature_should_our_clock_be_slow(account: Account) -> None:
    old = account.signed(account.user()[1], minutes=16)
    slow = IdentityVerifier(account.endpoint, account.region, AUDIENCE, lambda: utc_now() - timedelta(minutes=10))
    with pytest.raises(ProofRefused, match=r"^NotProven"):
        slow.confirm(slow.read(old, "decision"))


def replaced(name: str, value: Callable[[str], str]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """The forgery that changes one parameter of a proof."""

    def forge(statement: dict[str, Any]) -> dict[str, Any]:
        start, _, query = statement["proof"].partition("?")
        pairs = dict(pair.split("=") for pair in query.split("&"))
        pairs[name] = value(pairs[name])
        return {**statement, "proof": f"{start}?" + "&".join(f"{key}={each}" for key, each in pairs.items() if each)}

    return forge


FORGERIES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "another reason": lambda statement: {**statement, "reason": "Bad"},
    "another package": lambda statement: {**statement, "package": statement["package"] + "0"},
    "another decision": lambda statement: {**statement, "decision": "reject"},
    "other evidence": lambda statement: {**statement, "evidence": "f" * 64},
    "another time": lambda statement: {**statement, "time": text(utc_now() + timedelta(seconds=30))},
    "more than was signed": lambda statement: {**statement, "break_glass": True},
    "another second": replaced("X-Amz-Date", lambda date: f"{date[:-3]}{(int(date[-3:-1]) + 1) % 60:02}Z"),
    "a shorter expiry": replaced("X-Amz-Expires", lambda _: "899"),
    "another signature": replaced("X-Amz-Signature", lambda signature: signature[::-1]),
    "no token": replaced("X-Amz-Security-Token", lambda _: ""),
    "half a token": replaced("X-Amz-Security-Token", lambda token: token[: len(token) // 2]),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_proof_of_a_session_is_not_proven(account: Account, forgery: str) -> None:
    genuine = account.signed(account.session()[1])
    assert account.refused(FORGERIES[forgery](genuine)).startswith("NotProven: ")


def test_another_secret_is_not_proven(account: Account) -> None:
    keys = account.user()[1]
    other = keys._replace(secret_key=account.user()[1].secret_key)
    assert account.refused(account.signed(other)).startswith(
        "NotProven: STS does not confirm the proof (SignatureDoesNotMatch)"
    )


def test_another_persons_access_key_id_is_not_proven(account: Account) -> None:
    mine, theirs = account.user()[1], account.user()[1]
    statement = account.signed(mine)
    stolen = {**statement, "proof": statement["proof"].replace(mine.access_key, theirs.access_key)}
    assert account.refused(stolen).startswith("NotProven: STS does not confirm the proof (SignatureDoesNotMatch)")


def test_another_sessions_token_is_not_proven(account: Account) -> None:
    mine, theirs = account.session()[1], account.session()[1]
    assert account.refused(account.signed(mine._replace(token=theirs.token))).startswith("NotProven: ")


def test_an_access_key_that_is_gone_is_not_proven(account: Account) -> None:
    arn, keys = account.user()
    statement = account.signed(keys)
    assert account.who(statement) == arn
    account.forget(keys, arn)
    assert account.refused(statement).startswith("NotProven: STS does not confirm the proof (InvalidClientTokenId)")


def test_nothing_of_a_proof_is_logged_on_its_way(account: Account, caplog: pytest.LogCaptureFixture) -> None:
    keys = account.session()[1]
    statement = account.signed(keys)
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("probe").debug("logged")
        account.who(statement)
        account.refused({**statement, "reason": "tampered"})
    assert "logged" in caplog.text
    assert "X-Amz-Signature" not in caplog.text
    assert str(keys.token) not in caplog.text
    assert statement["proof"].rpartition("=")[2] not in caplog.text


class Answering(HTTPServer):
    """A server that answers each GET with `answer` (status and headers) and notes what it was asked."""

    def __init__(self, status: int, headers: Mapping[str, str]) -> None:
        asked: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(self.path)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        super().__init__(("127.0.0.1", 0), Handler)
        self.asked = asked
        self.url = f"http://127.0.0.1:{self.server_port}"

    def __enter__(self) -> "Answering":
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


KEYS = ReadOnlyCredentials("AKIA" + "A" * 16, "secret", None)


def asked_at(url: str) -> str:
    callers = IdentityVerifier(url, "us-east-1", AUDIENCE, utc_now)
    return callers.confirm(callers.read(sign_statement(DECISION, KEYS, url, "us-east-1", utc_now()), "decision")).arn


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with Answering(200, {}) as elsewhere, Answering(status, {"Location": f"{elsewhere.url}/"}) as sts:
        with pytest.raises(ProofRefused, match=r"^NotProven: .*redirect"):
            asked_at(sts.url)
        assert len(sts.asked) == 1
        assert elsewhere.asked == []


def test_an_sts_that_says_nothing_is_asked_again_later() -> None:
    with Answering(503, {}) as sts, pytest.raises(Transient, match="HTTP 503"):
        asked_at(sts.url)


def test_an_sts_that_is_not_there_is_asked_again_later() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(Transient, match=r"^STS could not be reached \(\w+\)$") as raised:
            asked_at(f"http://127.0.0.1:{taken.getsockname()[1]}")
    assert raised.value.__context__ is None
