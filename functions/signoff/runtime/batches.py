"""Batches of queue messages or stream records: each is handled separately, and failures are reported."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from signoff.runtime.observability import logger

Record = dict[str, Any]


def each_event(batch: Mapping[str, Any], handle: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    """Call `handle` with each EventBridge event of a batch of SQS messages, and return the failures."""
    return each_record(batch, lambda record: handle(json.loads(record["body"])), lambda record: record["messageId"])


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
            logger().exception("a record could not be handled and will be retried")
            failures.append({"itemIdentifier": id_of(record)})
    return {"batchItemFailures": failures}


def package_named(detail: Mapping[str, Any]) -> str:
    """Return the ARN of the package in the `detail` of an event of SageMaker or Signoff."""
    return str(detail["ModelPackageArn"] if "ModelPackageArn" in detail else detail["package"])
