"""The sample events in events/, as the functions of a deployed stack would get them."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

EVENTS = Path(__file__).resolve().parents[2] / "events"
GROUP = "breast-cancer"
Event = dict[str, Any]


class UnknownSample(Exception):
    """Raised for an unknown sample event; the message lists the known ones."""


def names() -> list[str]:
    """The names of all sample events."""
    return sorted(path.stem for path in EVENTS.glob("*.json"))


def sample(name: str, outputs: Mapping[str, str]) -> Event:
    """The sample event of that name, with the buckets of the stack whose outputs are given in place of its own.

    Raises UnknownSample.
    """
    path = EVENTS / f"{name}.json"
    if name not in names():
        raise UnknownSample(f"There is no event {name!r} in {EVENTS}: choose one of {', '.join(names())}")
    text = path.read_text()
    for example, output in (("signoff-artifacts", "ArtifactsBucket"), ("signoff-vault", "VaultBucket")):
        text = text.replace(example, outputs[output])
    event: Event = json.loads(text)
    return event


def queue_batch(event: Event, queue_arn: str) -> Event:
    """What Lambda hands to a function that reads a queue to which a rule sent `event`.

    https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
    """
    body = json.dumps(event)
    message = {
        "messageId": event["id"],
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1545082649183",
            "SenderId": "AIDAIENQZJOLO23YVJ4VO",
            "ApproximateFirstReceiveTimestamp": "1545082649185",
        },
        "messageAttributes": {},
        "md5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": event["region"],
    }
    return {"Records": [message]}


def stream_batch(items: Iterable[Mapping[str, Any]], stream_arn: str) -> Event:
    """What Lambda hands to a function that reads a DynamoDB stream of new images in which `items` were inserted.

    https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
    """
    return {
        "Records": [
            {
                "eventID": hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest(),
                "eventName": "INSERT",
                "eventVersion": "1.1",
                "eventSource": "aws:dynamodb",
                "awsRegion": stream_arn.split(":")[3],
                "dynamodb": {"NewImage": dict(item), "SequenceNumber": str(number), "StreamViewType": "NEW_IMAGE"},
                "eventSourceARN": stream_arn,
            }
            for number, item in enumerate(items, start=1)
        ]
    }
