"""The AWS clients, created when first needed, once in a function's life."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, wraps
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, IncompleteReadError

from signoff.errors import Transient

# Short connection timeouts and standard retries: retrying costs less than waiting on a dead connection.
# A connection for each call that is made at one time (`signoff.aws.parallel`), also where parts of several objects are.
_CONFIG = Config(
    connect_timeout=5,
    read_timeout=60,
    max_pool_connections=50,
    retries={"mode": "standard", "max_attempts": 5},
    user_agent_extra="signoff",
)

# The codes that botocore's standard retry mode treats as throttling or as transient, and S3's for a conditional write
# that met another one: its documentation says to try again.
# https://boto3.amazonaws.com/v1/documentation/api/latest/guide/retries.html
_TRANSIENT = {
    *("Throttling", "ThrottlingException", "ThrottledException", "RequestThrottledException", "RequestThrottled"),
    *("TooManyRequestsException", "ProvisionedThroughputExceededException", "TransactionInProgressException"),
    *("RequestLimitExceeded", "BandwidthLimitExceeded", "LimitExceededException", "SlowDown"),
    *("PriorRequestNotComplete", "RequestTimeout", "RequestTimeoutException", "ConditionalRequestConflict"),
}


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
        return status == 429 or status >= 500 or error_code(error) in _TRANSIENT
    return isinstance(error, HTTPClientError | IncompleteReadError)


def naming_transient_errors(handler: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Return `handler` so that it raises `Transient`, which the workflow retries, for transient errors."""

    @wraps(handler)
    def named(event: Any, context: Any) -> Any:
        try:
            return handler(event, context)
        except (ClientError, BotoCoreError) as error:
            if transient(error):
                raise Transient(str(error)) from error
            raise

    return named
