"""Batches of queue messages or stream records: each is handled separately, and failures are reported."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from zlib import crc32

from signoff.aws import sqs
from signoff.aws.clients import client
from signoff.runtime.observability import logger

Record = dict[str, Any]

# How long a message that failed is hidden, in seconds: what was throttled may pass in a moment, an outage takes longer.
_FIRST, _LONGEST = 2, 900


def each_event(batch: Mapping[str, Any], handle: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    """Call `handle` with each EventBridge event of a batch of SQS messages, and return the failures.

    Each of those comes back after `hidden_seconds`; if its function dies, after its queue's visibility timeout.
    """
    failed = each_record(batch, lambda record: handle(json.loads(record["body"])), _message_id)
    ids = {failure["itemIdentifier"] for failure in failed["batchItemFailures"]}
    for record in batch["Records"]:
        if _message_id(record) in ids:
            _bring_back(record)
    return failed


def hidden_seconds(receives: int, message: str) -> int:
    """Return for how many seconds a message is hidden that has failed after so many `receives`.

    They double up to 15 minutes. Of messages that failed together, each comes back at a time of its own, in the second
    half of that, by its id.
    https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
    """
    longest = min(_FIRST << min(receives - 1, 20), _LONGEST)
    return longest - crc32(message.encode()) % (longest // 2 + 1)


def _message_id(record: Record) -> str:
    return str(record["messageId"])


def _bring_back(record: Record) -> None:
    try:
        receives = int(record["attributes"]["ApproximateReceiveCount"])
        sqs.hide(client("sqs"), record, hidden_seconds(receives, _message_id(record)))
    except Exception:  # the message comes back all the same, when its queue's visibility timeout is over
        logger().exception("a message comes back later than it could")


def each_record(
    batch: Mapping[str, Any], handle: Callable[[Record], Any], id_of: Callable[[Record], str]
) -> dict[str, Any]:
    """Call `handle` with each record of a batch, and return the ids of those that raised, as Lambda takes them.

    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting
    Powertools does the same, but takes longer to import than everything else that the functions use of it.
    """
    failures = []
    for record in batch["Records"]:
        try:
            handle(record)
        except Exception:
            # By this id `signoff doctor` finds what was wrong with a message that became a dead letter.
            logger().exception("a record could not be handled and will be retried", extra={"record": id_of(record)})
            failures.append({"itemIdentifier": id_of(record)})
    return {"batchItemFailures": failures}


def package_named(detail: Mapping[str, Any]) -> str:
    """Return the ARN of the package in the `detail` of an event of SageMaker or Signoff."""
    return str(detail["ModelPackageArn"] if "ModelPackageArn" in detail else detail["package"])
