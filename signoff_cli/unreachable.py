"""Endpoints that cannot be reached: a person hears of a wrong one at once, and not after five attempts."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, ProxyConnectionError

_UNREACHABLE = (EndpointConnectionError, ConnectTimeoutError, ProxyConnectionError)


def fail_fast(client: Any) -> Any:
    """Return a boto3 `client` that tries once to connect; once it was answered, it tries again as it is configured to.

    https://botocore.amazonaws.com/v1/documentation/api/latest/topics/events.html (needs-retry)
    """
    reached = False

    def look(response: Any = None, caught_exception: Exception | None = None, **_: Any) -> None:
        nonlocal reached
        if response is not None:
            reached = True
        elif not reached and isinstance(caught_exception, _UNREACHABLE):
            raise caught_exception

    client.meta.events.register("needs-retry", look, unique_id="signoff-unreachable")
    return client
