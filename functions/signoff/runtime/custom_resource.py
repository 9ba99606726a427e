"""CloudFormation's requests to a custom resource, and the response that it waits for.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/crpg-ref-requesttypes.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import urllib3
from urllib3.util import Retry

from signoff.errors import EventFault
from signoff.runtime.observability import logger

_LONGEST_REASON = 1000  # a response is limited to 4,096 bytes
_RETRIES = Retry(4, backoff_factor=1, status_forcelist=(500, 502, 503, 504))
_SECONDS = 10.0


def put(url: str, body: bytes) -> None:
    """Send a response to the signed URL of a request. Raises `EventFault` when it is not accepted."""
    # The URL is signed for a request without a content type.
    options: dict[str, Any] = {"headers": {"Content-Type": ""}, "retries": _RETRIES, "timeout": _SECONDS}
    answer = urllib3.PoolManager().request("PUT", url, body=body, **options)
    if answer.status >= 400:
        raise EventFault(
            f"CloudFormation did not accept the response: HTTP {answer.status}; it may have given up waiting"
        )


@dataclass(frozen=True)
class CustomResourceRequest:
    """One request about one custom resource; `kind` is `Create`, `Update` or `Delete`.

    `identity` is what CloudFormation knows the resource by, which is None before it is created; a request that is
    delivered twice carries the same `request_id`, and `stack` is the stack's ARN.
    """

    kind: str
    request_id: str
    stack: str
    url: str
    logical_id: str
    identity: str | None
    properties: Mapping[str, Any]

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> CustomResourceRequest:
        """Return the request that is in CloudFormation's event. Raises `EventFault` for any other event."""
        try:
            return cls(
                kind=event["RequestType"],
                request_id=event["RequestId"],
                stack=event["StackId"],
                url=event["ResponseURL"],
                logical_id=event["LogicalResourceId"],
                identity=event.get("PhysicalResourceId"),
                properties=event["ResourceProperties"],
            )
        except KeyError as absent:
            raise EventFault(f"this is not a CloudFormation request: it lacks {absent}") from None

    def answer(self, act: Callable[[CustomResourceRequest], str], put: Callable[[str, bytes], None] = put) -> None:
        """Let `act` handle the request and return the resource's identity, and `put` the outcome to CloudFormation.

        Failures are reported too, because the deployment would otherwise wait for its timeout. When that is impossible,
        this raises, and Lambda retries the request.
        """
        try:
            outcome = {"Status": "SUCCESS", "PhysicalResourceId": act(self)}
        except Exception as error:  # CloudFormation must get a response to any failure
            logger().exception("the request failed", extra={"request": self.kind, "stack": self.stack})
            reason = f"{type(error).__name__}: {error}"[:_LONGEST_REASON]
            identity = self.identity or f"{self.stack}/{self.logical_id}"
            outcome = {"Status": "FAILED", "Reason": reason, "PhysicalResourceId": identity}
        response = {
            "RequestId": self.request_id,
            "StackId": self.stack,
            "LogicalResourceId": self.logical_id,
            **outcome,
        }
        put(self.url, json.dumps(response).encode())
