"""Batches of queue messages or stream records: each is handled separately, and failures are reported."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from zlib import crc32

from signoff.aws import sqs
from signoff.aws.clients import client
from signoff.errors import EventFault
from signoff.runtime.events import event_in
from signoff.runtime.observability import logger

Record = dict[str, Any]

# How long a message that failed is hidden, in seconds: what was throttled may pass in a moment, an outage takes longer.
_FIRST, _LONGEST = 2, 900


def each_event(
    batch: Mapping[str, Any],
    handle: Callable[[dict[str, Any]], Any],
    malformed: Callable[[EventFault], Any] | None = None,
) -> dict[str, Any]:
    """Call `handle` with each EventBridge event of a batch of SQS messages, and return the failures.

    A message that is no event is a failure too, and so ends in the dead-letter queue, unless `malformed` handles it.
    """

    def handled(record: Record) -> None:
        try:
            event = event_in(record["body"])
        except EventFault as fault:
            if malformed is None:
                raise
            malformed(fault)
        else:
            handle(event)

    return each_message(batch, handled)


def each_message(batch: Mapping[str, Any], handle: Callable[[Record], Any]) -> dict[str, Any]:
    """Call `handle` with each SQS message of a batch, and return the failures, as Lambda takes them.

    Each of those comes back after `hidden_seconds`; if its function dies, after its queue's visibility timeout.
    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting
    Powertools does the same, but takes longer to import than everything else that the functions use of it.
    """
    failed = [record for record in batch["Records"] if not _handled(record, handle, _message_id(record))]
    for record in failed:
        _bring_back(record)
    return _failures(*map(_message_id, failed))


def each_record(batch: Mapping[str, Any], handle: Callable[[Record], Any]) -> dict[str, Any]:
    """Call `handle` with each record of a batch of a table's stream until it raises, and return where it did.

    Lambda reads the stream again from there, whatever was handled behind it.
    https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
    """
    for record in batch["Records"]:
        number = str(record["dynamodb"]["SequenceNumber"])
        if not _handled(record, handle, number):
            return _failures(number)
    return _failures()


def hidden_seconds(receives: int, message: str) -> int:
    """Return for how many seconds a message is hidden that has failed after so many `receives`.

    They double up to 15 minutes. Of messages that failed together, each comes back at a time of its own, in the second
    half of that, by its id.
    https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
    """
    longest = min(_FIRST << min(receives - 1, 20), _LONGEST)
    return longest - crc32(message.encode()) % (longest // 2 + 1)


def _handled(record: Record, handle: Callable[[Record], Any], number: str) -> bool:
    try:
        handle(record)
    except Exception:
        # By this id `signoff doctor` finds what was wrong with a message that became a dead letter.
        logger().exception("a record could not be handled and will be retried", extra={"record": number})
        return False
    return True


def _failures(*numbers: str) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": number} for number in numbers]}


def _message_id(record: Record) -> str:
    return str(record["messageId"])


def _bring_back(record: Record) -> None:
    try:
        receives = int(record["attributes"]["ApproximateReceiveCount"])
        sqs.hide(client("sqs"), record, hidden_seconds(receives, _message_id(record)))
    except Exception:  # the message comes back all the same, when its queue's visibility timeout is over
        logger().exception("a message comes back later than it could")
