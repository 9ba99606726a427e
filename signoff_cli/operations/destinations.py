"""Where dead letters belong, by their queue, and how each kind is sent there.

Sending a letter twice does no harm: whatever handles it takes every event any number of times.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from signoff_cli.errors import CommandFailed
from signoff_cli.operations.letters import Letter
from signoff_cli.operations.parts import DEAD_LETTERS, FUNCTION, QUEUE, Parts

Clients = Callable[[str], Any]


class NotSent(CommandFailed):
    """Raised for a letter that cannot be sent to where it belongs."""


@dataclass(frozen=True)
class Destination:
    """Where letters go, in words, and what sends one. `queue` is the URL of the queue that they came from, if any."""

    name: str
    send: Callable[[Letter], None]
    queue: str | None = None


def destination_of(letters: str, parts: Parts, clients: Clients, validate: Callable[[str], Any]) -> Destination:
    """Return where the letters of the dead-letter queue of that name belong.

    `validate` starts the validation of a package. Raises `CommandFailed` for a queue of which nothing is known.
    """
    source = f"{letters.removesuffix(DEAD_LETTERS)}Queue"
    if source in parts.of(QUEUE):
        url, sqs = parts.one(QUEUE, source), clients("sqs")
        return Destination(source, lambda each: sqs.send_message(QueueUrl=url, MessageBody=each.body), url)
    ways = {
        "ValidationDeadLetters": Destination(
            "new executions of the validation workflow", lambda each: validate(_package(each))
        ),
        "AnnounceDeadLetters": Destination(
            "the function Announce, with the entries of the ledger's stream",
            lambda each: _announce(each, clients, parts.one(FUNCTION, "Announce")),
        ),
        "OthersDeadLetters": Destination("the other accounts' buses", lambda each: _forward(each, clients("events"))),
    }
    if letters not in ways:
        raise CommandFailed(f"this version of the command does not know where letters of {letters} belong")
    return ways[letters]


def _package(letter: Letter) -> str:
    try:
        return str(json.loads(letter.body)["detail"]["ModelPackageArn"])
    except (ValueError, KeyError, TypeError):
        raise NotSent("it is no event of a package") from None


def _forward(letter: Letter, events: Any) -> None:
    """Put the event on the bus that its rule could not put it on, as it was."""
    if letter.target is None:
        raise NotSent("it does not say which bus it was for (TARGET_ARN)")
    try:
        event = json.loads(letter.body)
        entry = {
            "EventBusName": letter.target,
            "Source": event["source"],
            "DetailType": event["detail-type"],
            "Detail": json.dumps(event["detail"]),
            "Resources": list(event.get("resources", ())),
            "Time": datetime.fromisoformat(event["time"]),
        }
    except (ValueError, KeyError, TypeError):
        raise NotSent("it is no whole event") from None
    answer = events.put_events(Entries=[entry])
    if answer["FailedEntryCount"]:
        failed = answer["Entries"][0]
        raise NotSent(f"{failed.get('ErrorCode')}: {failed.get('ErrorMessage')}")


def _announce(letter: Letter, clients: Clients, function: str) -> None:
    """Have Announce handle the records again that it gave up: the letter names them, and the stream has them."""
    payload = json.dumps({"Records": _records(letter, clients("dynamodbstreams"))}, default=_seconds)
    answer = clients("lambda").invoke(FunctionName=function, Payload=payload)
    said = json.loads(answer["Payload"].read())
    if answer.get("FunctionError") or not isinstance(said, dict) or said.get("batchItemFailures") != []:
        raise NotSent(f"Announce failed again: {json.dumps(said)[:300]}")


def _records(letter: Letter, streams: Any) -> list[dict[str, Any]]:
    """Return the stream's records that a letter names, as Lambda hands them to a function.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html (a stream keeps them for 24 hours)
    """
    try:
        batch = json.loads(letter.body)["DDBStreamBatchInfo"]
        first, last, size = batch["startSequenceNumber"], int(batch["endSequenceNumber"]), int(batch["batchSize"])
        shard = {"StreamArn": batch["streamArn"], "ShardId": batch["shardId"]}
    except (ValueError, KeyError, TypeError):
        raise NotSent("it is no record of a batch of the ledger's stream") from None
    at = {"ShardIteratorType": "AT_SEQUENCE_NUMBER", "SequenceNumber": first}
    try:
        iterator = streams.get_shard_iterator(**shard, **at)["ShardIterator"]
        found = streams.get_records(ShardIterator=iterator)["Records"]
    except (streams.exceptions.TrimmedDataAccessException, streams.exceptions.ResourceNotFoundException):
        found = []
    records = [each for each in found if int(each["dynamodb"]["SequenceNumber"]) <= last]
    if len(records) != size:
        raise NotSent(
            f"of its {size} ledger entries the stream, which keeps them for a day, has {len(records)}: people and "
            f"buses were not told of them. The ledger has them (`signoff list`); then drop it: --drop {letter.id}"
        )
    return records


def _seconds(moment: datetime) -> float:
    return moment.timestamp()
