"""What a function lets out: errors of the moment under the one name that the workflow tries again."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from signoff.aws.clients import naming_transient_errors
from signoff.errors import Transient


def refused(code: str, status: int = 400) -> ClientError:
    answer: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "DescribeModelPackage")


def raised(error: Exception) -> BaseException:
    def handler(_event: Any, _context: Any) -> None:
        raise error

    with pytest.raises(Exception) as found:  # noqa: PT011 -- which one it is, is what the tests ask
        naming_transient_errors(handler)({}, None)
    return found.value


@pytest.mark.parametrize(
    "error",
    [
        refused("ThrottlingException"),
        refused("SlowDown", 503),
        refused("ConditionalRequestConflict", 409),
        refused("InternalError", 500),
        refused("TooManyRequests", 429),
        ReadTimeoutError(endpoint_url="https://sagemaker"),
    ],
    ids=lambda error: str(error)[:60],
)
def test_what_may_pass_in_a_moment_is_transient(error: Exception):
    found = raised(error)
    assert isinstance(found, Transient)
    assert found.__cause__ is error


@pytest.mark.parametrize("error", [refused("AccessDeniedException"), ValueError("a fault of ours")], ids=str)
def test_what_stays_wrong_keeps_its_name(error: Exception):
    assert raised(error) is error
