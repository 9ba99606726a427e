"""Batches, of a queue's messages or of a stream's records: each handled by itself, and those that failed reported."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from signoff.runtime.observability import logger

Record = dict[str, Any]


def each_event(batch: Mapping[str, Any], handle: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    """Call `handle` with each EventBridge event of a batch of SQS messages, and return which are to be tried again."""
    return each_record(batch, lambda record: handle(json.loads(record["body"])), lambda record: record["messageId"])


def each_record(
    batch: Mapping[str, Any], handle: Callable[[Record], Any], id_of: Callable[[Record], str]
) -> dict[str, Any]:
    """Call `handle` with each record of a batch, and return the ids of those that raised, as Lambda takes them.

    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting
    Powertools does the same, and takes longer to import than all else of Powertools that the functions use.
    """
    failures = []
    for record in batch["Records"]:
        try:
            handle(record)
        except Exception:
            logger().exception("a record could not be handled and will be tried again")
            failures.append({"itemIdentifier": id_of(record)})
    return {"batchItemFailures": failures}


def package_named(detail: Mapping[str, Any]) -> str:
    """Return the ARN of the package that an event's `detail` is about: SageMaker's, or an announcement of Signoff's."""
    return str(detail["ModelPackageArn"] if "ModelPackageArn" in detail else detail["package"])
