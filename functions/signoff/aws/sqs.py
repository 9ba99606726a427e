"""SQS: messages that replace lost events, and messages that come back sooner than their queue says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

REGISTRY_EVENT = "SageMaker Model Package State Change"
UPLOAD_EVENT = "Object Created"
SWEEP_SOURCE = "signoff.sweep"
DELETED = "DeletedPackage"  # in the detail of the sweep's messages: the ledger's key of a deleted package


class Queue:
    """An SQS queue in front of a function."""

    def __init__(self, sqs: Any, url: str) -> None:
        self._sqs = sqs
        self._url = url

    def send(self, detail_type: str, detail: Mapping[str, Any]) -> None:
        """Put an event on the queue as EventBridge would have."""
        body = {"source": SWEEP_SOURCE, "detail-type": detail_type, "detail": dict(detail)}
        self._sqs.send_message(QueueUrl=self._url, MessageBody=json.dumps(body))


def hide(sqs: Any, record: Mapping[str, Any], seconds: int) -> None:
    """Hide the message of a `record`, as Lambda gives it, for so many seconds from now.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
    """
    account, name = record["eventSourceARN"].split(":")[4:]
    url = f"{sqs.meta.endpoint_url}/{account}/{name}"
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=record["receiptHandle"], VisibilityTimeout=seconds)
