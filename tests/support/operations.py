"""A deployed stack as `signoff doctor` sees it: parts by their names, and a queue that lies in memory."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from signoff_cli.operations.parts import Parts

TYPES = {
    "RegisterQueue": "AWS::SQS::Queue",
    "RegisterDeadLetters": "AWS::SQS::Queue",
    "ValidationDeadLetters": "AWS::SQS::Queue",
    "AnnounceDeadLetters": "AWS::SQS::Queue",
    "OthersDeadLetters": "AWS::SQS::Queue",
    "Bus": "AWS::Events::EventBus",
    "RulesObjectCreated": "AWS::Events::Rule",
    "RulesDecisionMade": "AWS::Events::Rule",
    "RegisterModelInbox": "AWS::Lambda::EventSourceMapping",
    "AlarmsRegisterDeadLettersWaiting": "AWS::CloudWatch::Alarm",
    "AlarmsSweepErrors": "AWS::CloudWatch::Alarm",
    "RegisterModelLogs": "AWS::Logs::LogGroup",
    "SweepLogs": "AWS::Logs::LogGroup",
    "Announce": "AWS::Lambda::Function",
    "Sweep": "AWS::Lambda::Function",
}


def summaries() -> list[dict[str, str]]:
    """What ListStackResources answers: each name with CDK's hash, each id with the stack's name."""
    return [
        {"LogicalResourceId": f"{name}0A1B2C3D", "PhysicalResourceId": _physical(name, kind), "ResourceType": kind}
        for name, kind in TYPES.items()
    ]


def _physical(name: str, kind: str) -> str:
    """The id that CloudFormation gives a resource: of a rule on another bus than the default, the bus with it."""
    if kind.endswith("Queue"):
        return f"https://sqs/1/{name}"
    if kind.endswith("EventSourceMapping"):
        return str(uuid5(NAMESPACE_URL, name))
    if name == "Bus":
        return "signoff"
    return f"{'signoff|' if name == 'RulesDecisionMade' else ''}Signoff-{name}"


def parts() -> Parts:
    """The parts of such a stack."""
    return Parts(summaries())


class FakeSqs:
    """SQS with standard queues, as far as dead letters need it: what is received is hidden until it is given back."""

    def __init__(self) -> None:
        self.queues: dict[str, list[dict[str, Any]]] = {}
        self.hidden: dict[str, list[dict[str, Any]]] = {}
        self.task: dict[str, Any] | None = None
        self.asked: list[str] = []

    def put(self, url: str, body: str, attributes: Mapping[str, str] = MappingProxyType({})) -> str:
        """Put a message with these attributes; returns its id."""
        number = f"m{sum(map(len, self.queues.values())) + sum(map(len, self.hidden.values())) + 1}"
        named = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
        message = {"MessageId": number, "ReceiptHandle": f"r-{number}", "Body": body, "MessageAttributes": named}
        self.queues.setdefault(url, []).append({**message, "Attributes": {"SentTimestamp": "1772442920000"}})
        return number

    def get_queue_attributes(self, QueueUrl: str, AttributeNames: list[str]) -> dict[str, Any]:  # noqa: N803
        held = {
            "ApproximateNumberOfMessages": len(self.queues.get(QueueUrl, ())),
            "ApproximateNumberOfMessagesNotVisible": len(self.hidden.get(QueueUrl, ())),
            "QueueArn": f"arn:aws:sqs:us-east-1:1:{QueueUrl.rpartition('/')[2]}",
        }
        return {"Attributes": {name: str(held[name]) for name in AttributeNames}}

    def receive_message(self, QueueUrl: str, MaxNumberOfMessages: int, **_: Any) -> dict[str, Any]:  # noqa: N803
        self.asked.append("receive")
        waiting = self.queues.get(QueueUrl, [])
        taken, self.queues[QueueUrl] = waiting[:MaxNumberOfMessages], waiting[MaxNumberOfMessages:]
        self.hidden.setdefault(QueueUrl, []).extend(taken)
        return {"Messages": taken} if taken else {}

    def change_message_visibility_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> None:  # noqa: N803
        given = {entry["ReceiptHandle"] for entry in Entries if entry["VisibilityTimeout"] == 0}
        hidden = self.hidden.get(QueueUrl, [])
        self.queues[QueueUrl] += [each for each in hidden if each["ReceiptHandle"] in given]
        self.hidden[QueueUrl] = [each for each in hidden if each["ReceiptHandle"] not in given]

    def delete_message(self, QueueUrl: str, ReceiptHandle: str) -> None:  # noqa: N803
        self.hidden[QueueUrl] = [each for each in self.hidden[QueueUrl] if each["ReceiptHandle"] != ReceiptHandle]

    def send_message(self, QueueUrl: str, MessageBody: str) -> None:  # noqa: N803
        self.put(QueueUrl, MessageBody)

    def start_message_move_task(self, SourceArn: str, DestinationArn: str) -> dict[str, str]:  # noqa: N803
        self.asked.append("move")
        source, to = (f"https://sqs/1/{arn.rpartition(':')[2]}" for arn in (SourceArn, DestinationArn))
        moved = self.queues.pop(source, [])
        self.queues.setdefault(to, []).extend(moved)
        done = {"Status": "COMPLETED", "ApproximateNumberOfMessagesMoved": len(moved)}
        self.task = self.task or {"first": {"Status": "RUNNING", "ApproximateNumberOfMessagesMoved": 0}, "then": done}
        return {"TaskHandle": "t"}

    def list_message_move_tasks(self, SourceArn: str, MaxResults: int) -> dict[str, Any]:  # noqa: N803
        assert self.task is not None
        return {"Results": [self.task.pop("first", None) or self.task["then"]]}
