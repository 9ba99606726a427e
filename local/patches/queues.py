"""SQS: moving the messages of a dead-letter queue (StartMessageMoveTask, ListMessageMoveTasks).

A task is done when its request is answered. As on AWS, a message goes to the destination that the request names, or
else to the queue that it came from; one that came from no queue, such as an event that a rule could not deliver, has
none, and the task fails.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
"""

import time
from typing import Any
from uuid import uuid4

Request = dict[str, Any]
_SOURCE = "DeadLetterQueueSourceArn"


def install() -> None:
    """Patch SQS in the running emulator."""
    from ministack.core.responses import AccountRegionScopedDict
    from ministack.services import sqs

    tasks = _Tasks(AccountRegionScopedDict())
    sqs._HANDLERS["StartMessageMoveTask"] = tasks.start
    sqs._HANDLERS["ListMessageMoveTasks"] = tasks.list


class _Tasks:
    """The tasks of each dead-letter queue, the newest first."""

    def __init__(self, by_source: Any) -> None:
        self._by_source = by_source

    def start(self, request: Request, _: str) -> Request:
        """Move the messages, and return the task's handle."""
        source, destination = _queue(request["SourceArn"]), request.get("DestinationArn")
        if not _is_for_dead_letters(request["SourceArn"]):
            raise _refused("InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue.")
        if destination:
            _queue(destination)
        task: Request = {"TaskHandle": uuid4().hex, "StartedTimestamp": int(time.time() * 1000)}
        task.update(_moved(source, destination))
        task |= {name: request[name] for name in ("SourceArn", "DestinationArn") if name in request}
        self._by_source.setdefault(request["SourceArn"], []).insert(0, task)
        return {"TaskHandle": task["TaskHandle"]}

    def list(self, request: Request, _: str) -> Request:
        """Return the newest tasks: one, unless the request asks for more. Only those that run have a handle."""
        _queue(request["SourceArn"])
        tasks = self._by_source.get(request["SourceArn"], [])[: int(request.get("MaxResults", 1))]
        return {"Results": [{name: each[name] for name in each if name != "TaskHandle"} for each in tasks]}


def _moved(source: Request, destination: str | None) -> Request:
    from ministack.services import sqs

    sqs._expire_retained(source)
    visible = [message for message in source["messages"] if message["visible_at"] <= time.time()]
    counts: Request = {"ApproximateNumberOfMessagesToMove": len(visible), "ApproximateNumberOfMessagesMoved": 0}
    for message in visible:
        target = sqs._queue_by_arn(destination or message.get("sys", {}).get(_SOURCE, ""))
        if target is None:
            return {**counts, "Status": "FAILED", "FailureReason": "CouldNotDetermineMessageSource"}
        source["messages"].remove(message)
        anew: Request = {
            "receipt_handle": None,
            "receive_count": 0,
            "first_receive_at": None,
            "visible_at": time.time(),
        }
        sent = {name: value for name, value in message.get("sys", {}).items() if name != _SOURCE}
        target["messages"].append({**message, **anew, "sys": sent})
        counts["ApproximateNumberOfMessagesMoved"] += 1
    sqs.esm_wake.set()
    return {**counts, "Status": "COMPLETED"}


def _queue(arn: str) -> Request:
    from ministack.services import sqs

    queue: Request | None = sqs._queue_by_arn(arn)
    if queue is None:
        what = "The resource that you specified for the SourceArn parameter doesn't exist."
        raise _refused("ResourceNotFoundException", what)
    return queue


def _is_for_dead_letters(arn: str) -> bool:
    from ministack.services import sqs

    return any(arn in queue["attributes"].get("RedrivePolicy", "") for queue in sqs._queues.values())


def _refused(code: str, message: str) -> Exception:
    from ministack.services import sqs

    error: Exception = sqs._Err(code, message, 400)
    return error
