"""A dead-letter queue's messages are moved as SQS moves them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from ministack.core.responses import AccountRegionScopedDict, request_scope
from ministack.services import sqs

from local.patches.queues import _Tasks

ARN = "arn:aws:sqs:us-east-1:123456789012:"


@pytest.fixture(autouse=True)
def account() -> Iterator[None]:
    """An account with a queue, its dead-letter queue, and a queue of neither."""
    with request_scope("123456789012", "us-east-1"):
        for name in ("dead", "other"):
            sqs._act_create_queue({"QueueName": name}, "")
        redrive = json.dumps({"deadLetterTargetArn": f"{ARN}dead", "maxReceiveCount": 1})
        sqs._act_create_queue({"QueueName": "work", "Attributes": {"RedrivePolicy": redrive}}, "")
        yield
        for name in ("dead", "other", "work"):
            sqs._act_delete_queue({}, url(name))


def url(name: str) -> str:
    found: str = sqs._act_get_queue_url({"QueueName": name}, "")["QueueUrl"]
    return found


def send(name: str, body: str, source: str | None = None) -> None:
    sqs._act_send_message({"MessageBody": body}, url(name))
    if source:
        sqs._queue_by_arn(f"{ARN}{name}")["messages"][-1]["sys"]["DeadLetterQueueSourceArn"] = f"{ARN}{source}"


def bodies(name: str) -> list[str]:
    return [message["body"] for message in sqs._queue_by_arn(f"{ARN}{name}")["messages"]]


def moved(**asked: str) -> dict[str, Any]:
    tasks = _Tasks(AccountRegionScopedDict())
    tasks.start({"SourceArn": f"{ARN}dead", **asked}, "")
    (task,) = tasks.list({"SourceArn": f"{ARN}dead"}, "")["Results"]
    assert "TaskHandle" not in task
    return task


def test_messages_go_to_the_destination_that_is_named_wherever_they_came_from() -> None:
    send("dead", "failed", source="work")
    send("dead", "undelivered")
    assert moved(DestinationArn=f"{ARN}other")["Status"] == "COMPLETED"
    assert (bodies("dead"), bodies("other")) == ([], ["failed", "undelivered"])


def test_without_a_destination_they_go_back_to_the_queue_that_they_came_from() -> None:
    send("dead", "failed", source="work")
    assert moved()["ApproximateNumberOfMessagesMoved"] == 1
    assert bodies("work") == ["failed"]


def test_a_message_that_came_from_no_queue_fails_the_task_without_a_destination() -> None:
    send("dead", "undelivered")
    task = moved()
    assert (task["Status"], task["FailureReason"]) == ("FAILED", "CouldNotDetermineMessageSource")
    assert bodies("dead") == ["undelivered"]


def test_a_queue_that_is_nobodys_dead_letter_queue_is_refused() -> None:
    with pytest.raises(sqs._Err, match="Dead Letter Queue"):
        _Tasks(AccountRegionScopedDict()).start({"SourceArn": f"{ARN}other"}, "")
