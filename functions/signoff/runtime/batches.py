"""Queues: a batch of SQS messages in, each handled by itself; and messages for `sweep` to re-drive what got lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from signoff.runtime.observability import logger


def each_event(batch: Any, context: Any, handle: Callable[[dict[str, Any]], Any]) -> Any:
    """Call `handle` with each EventBridge event of a batch of SQS messages, and return which are to be tried again."""

    @logged
    def handle_record(record: SQSRecord) -> Any:
        return handle(json.loads(record.body))

    return process_partial_response(
        event=batch,
        record_handler=handle_record,
        processor=BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False),
        context=context,
    )


def package_named(detail: Mapping[str, Any]) -> str:
    """Return the ARN of the package that an event's `detail` is about: SageMaker's, or an announcement of Signoff's."""
    return str(detail["ModelPackageArn"] if "ModelPackageArn" in detail else detail["package"])


def logged(handle: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return `handle` so that what it raises is logged; the batch processor only reports which record failed."""

    def handled(record: Any) -> Any:
        try:
            return handle(record)
        except Exception:
            logger().exception("a record could not be handled and will be tried again")
            raise

    return handled
