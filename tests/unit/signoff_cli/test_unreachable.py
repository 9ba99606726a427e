"""What becomes of a call whose endpoint cannot be reached."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError
from botocore.parsers import ResponseParserError

from signoff_cli.errors import explain
from signoff_cli.unreachable import fail_fast

_RETRIES = Config(retries={"mode": "standard", "max_attempts": 3})


class Endpoint:
    """Answers, or raises, what is next in line."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)

    def __call__(self, **_: Any) -> Any:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def client(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a client of SSM that waits for nothing between attempts."""
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "eu-west-1"}
    made = boto3.client("ssm", endpoint_url="http://127.0.0.1:9", config=_RETRIES, **keys)
    made.meta.events.register("before-send.ssm", endpoint)
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))
    return fail_fast(fail_fast(made))


def answer(status: int = 200) -> Any:
    return SimpleNamespace(status_code=status, headers={}, content=b"{}", text="{}")


REFUSED = EndpointConnectionError(endpoint_url="http://127.0.0.1:9")
SILENT = ConnectTimeoutError(endpoint_url="http://127.0.0.1:9")


@pytest.mark.parametrize("error", [REFUSED, SILENT])
def test_an_endpoint_that_cannot_be_reached_is_tried_once(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = Endpoint(error, answer())
    with pytest.raises(type(error)) as raised:
        client(endpoint, monkeypatch).get_parameters(Names=["a"])
    assert len(endpoint.answers) == 1
    assert "check AWS_ENDPOINT_URL" in explain(raised.value)


def test_what_is_not_aws_is_told_as_such() -> None:
    assert explain(ResponseParserError("no element found")) == "what answered is not AWS; check AWS_ENDPOINT_URL"


def test_what_was_reached_before_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = Endpoint(answer(), REFUSED, SILENT, answer())
    ssm = client(endpoint, monkeypatch)
    for _ in range(2):
        ssm.get_parameters(Names=["a"])
    assert endpoint.answers == []


def test_an_answer_that_asks_to_try_again_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = Endpoint(answer(503), answer())
    client(endpoint, monkeypatch).get_parameters(Names=["a"])
    assert endpoint.answers == []
