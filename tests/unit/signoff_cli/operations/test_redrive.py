"""Dead letters go back to where they belong, each kind by its own way."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from signoff_cli.errors import CommandFailed
from signoff_cli.operations.dead_letters import DeadLetterQueue
from signoff_cli.operations.destinations import destination_of
from signoff_cli.operations.redrive import Redriven, Redriver
from tests.support.answering import Answer, Answering, Refusal
from tests.support.operations import FakeSqs, parts

PACKAGE = "arn:aws:sagemaker:us-east-1:123456789012:model-package/churn/3"
REGISTERED = json.dumps({"detail-type": "SageMaker Model Package State Change", "detail": {"ModelPackageArn": PACKAGE}})


class Redriving:
    """Redriving one dead-letter queue: what waits there, and what was asked of other services."""

    def __init__(self, name: str, **answers: Answer | Refusal) -> None:
        self.sqs, self.validated, self.said, self.paused = FakeSqs(), list[str](), list[str](), 0
        self.aws = Answering({key.replace("__", "."): answer for key, answer in answers.items()})
        self.url = f"https://sqs/1/{name}"
        destination = destination_of(name, parts(), self._client, self.validated.append)
        self.redriver = Redriver(DeadLetterQueue(self.sqs, name, self.url), destination, self.sqs, self._pause)

    def _client(self, service: str) -> Any:
        return self.sqs if service == "sqs" else self.aws(service)

    def _pause(self) -> None:
        self.paused += 1

    def put(self, body: str, **attributes: str) -> str:
        return self.sqs.put(self.url, body, attributes=attributes)

    def run(self, limit: int | None = None) -> Redriven:
        return self.redriver.redrive(limit, self.said.append)

    def left(self) -> list[str]:
        assert not self.sqs.hidden.get(self.url), "everything that was not moved is given back"
        return [each["MessageId"] for each in self.sqs.queues.get(self.url, ())]


def test_what_came_from_a_queue_is_moved_there_by_sqs_and_its_progress_told() -> None:
    redriving = Redriving("RegisterDeadLetters")
    redriving.put("a")
    redriving.put("b")

    done = redriving.run()

    assert (done, redriving.left()) == (Redriven(2), [])
    assert [each["Body"] for each in redriving.sqs.queues["https://sqs/1/RegisterQueue"]] == ["a", "b"]
    assert redriving.sqs.asked == ["move"]
    assert (redriving.said, redriving.paused) == (["0 of ? moved"], 1)


def test_a_task_that_fails_is_told_with_its_reason() -> None:
    redriving = Redriving("RegisterDeadLetters")
    redriving.sqs.task = {"then": {"Status": "FAILED", "FailureReason": "AccessDenied"}}
    assert redriving.run().failed == {"the rest": "FAILED: AccessDenied"}


def test_no_more_are_moved_than_was_asked_for() -> None:
    redriving = Redriving("RegisterDeadLetters")
    numbers = [redriving.put(str(number)) for number in range(25)]

    assert redriving.run(limit=12).moved == 12

    assert sorted(redriving.left()) == sorted(numbers[12:])
    assert len(redriving.sqs.queues["https://sqs/1/RegisterQueue"]) == 12
    assert "move" not in redriving.sqs.asked


def test_what_the_workflow_was_not_started_for_starts_it() -> None:
    redriving = Redriving("ValidationDeadLetters")
    redriving.put(REGISTERED)
    unreadable = redriving.put("{ no JSON")

    done = redriving.run()

    assert redriving.validated == [PACKAGE]
    assert (done.moved, done.failed) == (1, {unreadable: "it is no event of a package"})
    assert redriving.left() == [unreadable]


def announced(failures: list[Any]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def answer(params: dict[str, Any]) -> dict[str, Any]:
        assert [each["dynamodb"]["SequenceNumber"] for each in json.loads(params["Payload"])["Records"]] == ["10", "11"]
        return {"Payload": io.BytesIO(json.dumps({"batchItemFailures": failures}).encode())}

    return answer


def records(*numbers: str) -> dict[str, Any]:
    return {"Records": [{"eventName": "INSERT", "dynamodb": {"SequenceNumber": number}} for number in numbers]}


BATCH = json.dumps(
    {
        "DDBStreamBatchInfo": {
            "streamArn": "arn:aws:dynamodb:us-east-1:123456789012:table/l/stream/2026",
            "shardId": "shardId-" + "0" * 28,
            "startSequenceNumber": "1" + "0" * 21,
            "endSequenceNumber": "11",
            "batchSize": 2,
        }
    }
)
ITERATOR = {"ShardIterator": "i"}


def announcing(found: Any, failures: list[Any]) -> Redriving:
    stream = {"dynamodbstreams__GetShardIterator": ITERATOR, "dynamodbstreams__GetRecords": found}
    return Redriving("AnnounceDeadLetters", **stream, lambda__Invoke=announced(failures))


def test_what_was_not_announced_is_announced_from_the_stream() -> None:
    redriving = announcing(records("10", "11", "12"), [])
    redriving.put(BATCH)
    assert (redriving.run(), redriving.left()) == (Redriven(1), [])


def test_what_fails_to_be_announced_again_stays() -> None:
    redriving = announcing(records("10", "11"), [{"itemIdentifier": "10"}])
    number = redriving.put(BATCH)
    assert "failed again" in redriving.run().failed[number]
    assert redriving.left() == [number]


@pytest.mark.parametrize("found", [records("11"), Refusal("TrimmedDataAccessException")])
def test_what_the_stream_has_no_more_is_told_and_stays(found: Any) -> None:
    redriving = announcing(found, [])
    number = redriving.put(BATCH)
    assert f"drop it: --drop {number}" in redriving.run().failed[number]
    assert redriving.left() == [number]


BUS = "arn:aws:events:us-east-1:222222222222:event-bus/signoff"
EVENT = {
    "source": "signoff",
    "detail-type": "Model Created",
    "time": "2026-03-02T09:15:20Z",
    "resources": ["a"],
    "detail": {"package": PACKAGE},
}


def test_what_another_accounts_bus_did_not_take_is_put_on_it_as_it_was() -> None:
    redriving = Redriving("OthersDeadLetters", events__PutEvents={"FailedEntryCount": 0, "Entries": [{}]})
    redriving.put(json.dumps(EVENT), TARGET_ARN=BUS)

    assert redriving.run().moved == 1

    ((_, asked),) = redriving.aws.asked
    (entry,) = asked["Entries"]
    assert (entry["EventBusName"], entry["Source"], entry["DetailType"]) == (BUS, "signoff", "Model Created")
    assert (json.loads(entry["Detail"]), entry["Resources"]) == (EVENT["detail"], ["a"])
    assert entry["Time"].isoformat() == "2026-03-02T09:15:20+00:00"


def test_what_the_bus_refuses_again_or_names_no_bus_stays() -> None:
    refused = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "NotAuthorized", "ErrorMessage": "no"}]}
    redriving = Redriving("OthersDeadLetters", events__PutEvents=refused)
    numbers = [redriving.put(json.dumps(EVENT), TARGET_ARN=BUS), redriving.put(json.dumps(EVENT))]
    assert [redriving.run().failed[number] for number in numbers] == [
        "NotAuthorized: no",
        "it does not say which bus it was for (TARGET_ARN)",
    ]
    assert sorted(redriving.left()) == numbers


def test_a_letter_is_dropped_by_its_id_and_no_other_is() -> None:
    redriving = Redriving("RegisterDeadLetters")
    numbers = [redriving.put(str(number)) for number in range(15)]

    assert redriving.redriver.drop(numbers[12]).body == "12"

    assert sorted(redriving.left()) == sorted({*numbers} - {numbers[12]})


def test_a_letter_that_is_not_there_is_not_dropped() -> None:
    redriving = Redriving("RegisterDeadLetters")
    redriving.put("a")
    with pytest.raises(CommandFailed, match="holds no message m7"):
        redriving.redriver.drop("m7")
    assert len(redriving.left()) == 1


def test_of_a_queue_that_it_does_not_know_the_command_says_so() -> None:
    with pytest.raises(CommandFailed, match="does not know where"):
        Redriving("NewDeadLetters")
