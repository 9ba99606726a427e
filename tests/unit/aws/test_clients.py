"""What a function lets out: errors of the moment under the one name that the workflow tries again."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, FlexibleChecksumError, ReadTimeoutError

from signoff.aws.clients import naming_transient_errors, trying_again
from signoff.errors import Transient


def refused(code: str, status: int = 400) -> ClientError:
    answer: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "DescribeModelPackage")


def cancelled(*reasons: str) -> ClientError:
    answer: Any = {
        "Error": {"Code": "TransactionCanceledException"},
        "CancellationReasons": [{"Code": reason} for reason in reasons],
        "ResponseMetadata": {"HTTPStatusCode": 400},
    }
    return ClientError(answer, f"TransactWriteItems for {', '.join(reasons)}")


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
        refused("OperationAborted", 409),
        refused("ConflictException"),
        refused("ResourceInUse"),
        refused("TooManyUpdates"),
        refused("TransactionConflictException"),
        refused("KmsThrottlingException"),
        cancelled("None", "TransactionConflict"),
        cancelled("None", "ThrottlingError"),
        cancelled("ProvisionedThroughputExceeded"),
        ReadTimeoutError(endpoint_url="https://sagemaker"),
        EndpointConnectionError(endpoint_url="https://sagemaker"),
        FlexibleChecksumError(error_msg="received other bytes"),
    ],
    ids=str,
)
def test_what_may_pass_in_a_moment_is_transient(error: Exception):
    found = raised(error)
    assert isinstance(found, Transient)
    assert found.__cause__ is error


@pytest.mark.parametrize(
    "error",
    [
        refused("AccessDeniedException"),
        refused("ResourceLimitExceeded"),
        cancelled("None", "ConditionalCheckFailed"),
        ValueError("a fault of ours"),
    ],
    ids=str,
)
def test_what_stays_wrong_keeps_its_name(error: Exception):
    assert raised(error) is error


@pytest.mark.parametrize(("failures", "answers"), [(2, True), (3, False)])
def test_what_nobody_else_would_call_again_is_called_three_times(failures: int, answers: bool):
    errors = [refused("ThrottlingException") for _ in range(failures)]

    def act(answer: str) -> str:
        if errors:
            raise errors.pop()
        return answer

    if answers:
        assert trying_again(act)("done") == "done"
    else:
        with pytest.raises(Transient):
            trying_again(act)("done")
