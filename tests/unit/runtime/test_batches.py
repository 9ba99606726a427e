"""Batches: each message is handled by itself, and one that failed comes back in seconds, then in minutes."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.runtime.batches import each_event, hidden_seconds


def numbered(number: int) -> str:
    """The body of a message that holds an event."""
    return json.dumps({"detail-type": "any", "detail": {"number": number}})


@pytest.fixture
def inbox(aws: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A queue that hides what is received for half an hour, for the function under test."""
    sqs = aws("sqs")
    monkeypatch.setattr("signoff.runtime.batches.client", lambda service: sqs)
    url = sqs.create_queue(QueueName="inbox", Attributes={"VisibilityTimeout": "1800"})["QueueUrl"]
    return sqs, url


def received(sqs: Any, url: str) -> dict[str, Any]:
    """The next message of a queue as Lambda gives it to a function."""
    asked = {"MessageSystemAttributeNames": ["ApproximateReceiveCount"], "WaitTimeSeconds": 0}
    got = sqs.receive_message(QueueUrl=url, **asked)["Messages"][0]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    names = {"messageId": "MessageId", "body": "Body", "receiptHandle": "ReceiptHandle", "attributes": "Attributes"}
    return {**{name: got[theirs] for name, theirs in names.items()}, "eventSourceARN": arn}


def waiting(sqs: Any, url: str) -> tuple[int, int]:
    """How many messages of a queue can be received, and how many are hidden."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return int(counts[names[0]]), int(counts[names[1]])


def test_one_message_that_cannot_be_handled_keeps_no_other_from_being_handled(inbox: Any) -> None:
    sqs, url = inbox
    handled: list[int] = []

    def handle(event: dict[str, Any]) -> None:
        if event["detail"]["number"] == 1:
            raise ValueError("not this one")
        handled.append(event["detail"]["number"])

    for body in (*map(numbered, range(3)), "{"):
        sqs.send_message(QueueUrl=url, MessageBody=body)
    records = [received(sqs, url) for _ in range(4)]
    failed = [record["messageId"] for record in records if record["body"] in {numbered(1), "{"}]

    answer = each_event({"Records": records}, handle)

    assert handled == [0, 2]
    assert answer["batchItemFailures"] == [{"itemIdentifier": each} for each in failed]


def test_a_message_that_failed_comes_back_long_before_its_queue_would_bring_it(
    inbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sqs, url = inbox
    sqs.send_message(QueueUrl=url, MessageBody=numbered(1))
    monkeypatch.setattr("signoff.runtime.batches.hidden_seconds", lambda receives, message: 0)
    answer = each_event({"Records": [received(sqs, url)]}, lambda event: 1 / 0)

    assert len(answer["batchItemFailures"]) == 1
    assert waiting(sqs, url) == (1, 0)
    assert received(sqs, url)["attributes"]["ApproximateReceiveCount"] == "2"


def test_what_was_handled_stays_hidden_until_lambda_deletes_it(inbox: Any) -> None:
    sqs, url = inbox
    sqs.send_message(QueueUrl=url, MessageBody=numbered(1))

    assert each_event({"Records": [received(sqs, url)]}, lambda event: None) == {"batchItemFailures": []}
    assert waiting(sqs, url) == (0, 1)


def test_a_message_that_cannot_be_brought_back_is_reported_as_failed_all_the_same(inbox: Any) -> None:
    sqs, url = inbox
    sqs.send_message(QueueUrl=url, MessageBody=numbered(1))
    record = received(sqs, url)
    sqs.delete_queue(QueueUrl=url)

    answer = each_event({"Records": [record]}, lambda event: 1 / 0)
    assert answer == {"batchItemFailures": [{"itemIdentifier": record["messageId"]}]}


@given(st.integers(1, 1000), st.text())
def test_a_message_is_hidden_for_twice_as_long_each_time_but_never_for_more_than_a_quarter_of_an_hour(
    receives: int, message: str
) -> None:
    longest = min(2**receives, 900)
    assert longest / 2 <= hidden_seconds(receives, message) <= longest


def test_what_failed_together_does_not_come_back_together():
    assert len({hidden_seconds(8, f"message-{number}") for number in range(100)}) > 50
