"""How large AWS takes things, where the tests' world stands in for it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
ITEM = 400 * 1024
# https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
STATE = 256 * 1024
# EventBridge, SQS and Lambda take 1 MB since 2026, SNS 256 KB; Signoff's own events stay where all of them were.
# https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
EVENT = MESSAGE = 256 * 1024


def item_size(item: Mapping[str, Any]) -> int:
    """Return the size of a DynamoDB item: that of its names and values, in bytes.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def _value_size(typed: Mapping[str, Any]) -> int:
    ((kind, value),) = typed.items()
    if kind == "M":
        return 3 + item_size(value) + len(value)
    if kind == "L":
        return 3 + sum(1 + _value_size(each) for each in value)
    return len(value.encode()) if kind == "S" else 21 if kind == "N" else 1


def refuse_large_item(item: Mapping[str, Any]) -> None:
    """Raise what DynamoDB answers to an item that is too large."""
    if item_size(item) > ITEM:
        message = "Item size has exceeded the maximum allowed size"
        raise ClientError({"Error": {"Code": "ValidationException", "Message": message}}, "TransactWriteItems")


def fits_state(payload: Any) -> Any:
    """Return what a task of the workflow is given or returns, which has to fit into a state."""
    size = len(json.dumps(payload).encode())
    assert size <= STATE, f"States.DataLimitExceeded: {size:,} bytes"
    return payload
