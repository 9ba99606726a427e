"""The AWS clients, created when first needed, once in a function's life."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache, wraps
from typing import Any, ParamSpec, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    FlexibleChecksumError,
    HTTPClientError,
    IncompleteReadError,
)
from botocore.exceptions import ConnectionError as BotoConnectionError

from signoff.errors import Transient

# Short connection timeouts and standard retries: retrying costs less than waiting on a dead connection.
# A connection for each call that is made at one time (`signoff.aws.parallel`), also where parts of several objects are.
_CONFIG = Config(
    connect_timeout=2,
    read_timeout=60,
    max_pool_connections=50,
    retries={"mode": "standard", "max_attempts": 5},
    user_agent_extra="signoff",
)

# Beside whatever is called throttling, the codes that botocore's standard retry mode treats as transient, and those of
# writes that met another one. The services' documentation says of each to try again.
# https://boto3.amazonaws.com/v1/documentation/api/latest/guide/retries.html
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html (CancellationReasons)
_TRANSIENT = {
    *("TooManyRequestsException", "ProvisionedThroughputExceededException", "TransactionInProgressException"),
    *("RequestLimitExceeded", "BandwidthLimitExceeded", "LimitExceededException", "SlowDown"),
    *("PriorRequestNotComplete", "RequestTimeout", "RequestTimeoutException"),
    # S3, DynamoDB (errors, and reasons why a transaction was cancelled), SageMaker, SSM
    *("ConditionalRequestConflict", "OperationAborted"),
    *("TransactionConflictException", "TransactionConflict", "ProvisionedThroughputExceeded"),
    *("ConflictException", "ResourceInUse", "TooManyUpdates"),
}
_TRIES = 3

P = ParamSpec("P")
T = TypeVar("T")


@cache
def client(service: str, region: str | None = None) -> Any:
    """Return the client of `service`, with region, credentials and endpoint from the environment.

    `region` overrides the region.
    """
    return boto3.client(service, region_name=region, config=_CONFIG)


def client_as(session: Mapping[str, Any], service: str, region: str) -> Any:
    """Return the client of `service` in `region` with the credentials of a `session`, as returned by STS."""
    return boto3.client(
        service,
        region_name=region,
        aws_access_key_id=session["AccessKeyId"],
        aws_secret_access_key=session["SecretAccessKey"],
        aws_session_token=session["SessionToken"],
        config=_CONFIG,
    )


def error_code(error: ClientError) -> str:
    """Return the code of AWS's error, for example `ValidationException`."""
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def ignoring(codes: Collection[str]) -> Iterator[None]:
    """Suppress AWS errors with one of these codes in the block."""
    try:
        yield
    except ClientError as error:
        if error_code(error) not in codes:
            raise


def error_message(error: ClientError) -> str:
    """Return AWS's message of an error."""
    return str(error.response.get("Error", {}).get("Message", error))


def transient(error: BaseException) -> bool:
    """Return whether a call that failed with `error`, after botocore's own retries, may succeed a moment later."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return status == 429 or status >= 500 or any(map(_passes, _codes(error)))
    return isinstance(error, BotoConnectionError | HTTPClientError | IncompleteReadError | FlexibleChecksumError)


def _codes(error: ClientError) -> list[str]:
    """Return the code of an error and, of a cancelled transaction, those of its reasons."""
    reasons = error.response.get("CancellationReasons", ())
    return [error_code(error), *(str(reason.get("Code")) for reason in reasons)]


def _passes(code: str) -> bool:
    return code in _TRANSIENT or "throttl" in code.lower()


def trying_again(act: Callable[P, T]) -> Callable[P, T]:
    """Return `act` so that it is called again after a transient error, twice at most.

    For what nobody else would call again. Raises `Transient` when it fails each time.
    """

    @wraps(act)
    def tried(*given: P.args, **named: P.kwargs) -> T:
        for _ in range(_TRIES - 1):
            with suppress(Transient):
                return once(*given, **named)
        return once(*given, **named)

    once = naming_transient_errors(act)
    return tried


def naming_transient_errors(act: Callable[P, T]) -> Callable[P, T]:
    """Return `act` so that it raises `Transient`, which the workflow retries, for transient errors."""

    @wraps(act)
    def named(*given: P.args, **more: P.kwargs) -> T:
        try:
            return act(*given, **more)
        except (ClientError, BotoCoreError) as error:
            if transient(error):
                raise Transient(str(error)) from error
            raise

    return named
