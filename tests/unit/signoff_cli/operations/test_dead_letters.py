"""Dead letters are found with their reasons, and left where they are."""

from __future__ import annotations

import json
from typing import Any

from signoff_cli.operations import dead_letters
from signoff_cli.operations.dead_letters import DeadLetterQueue, FunctionLogs
from signoff_cli.operations.findings import Finding
from tests.support.answering import Answering, Refusal
from tests.support.operations import FakeSqs, parts

QUEUE = "https://sqs/1/RegisterDeadLetters"
UPLOAD = json.dumps({"detail-type": "Object Created", "detail": {"object": {"key": "churn/a/model.tar.gz"}}})
TRACE = "Traceback (most recent call last):\n  File x\nsignoff.errors.PolicyFault: groups/churn: not JSON"


def logged(record: str, exception: str = TRACE) -> dict[str, Any]:
    line = json.dumps({"level": "ERROR", "record": record, "exception": exception})
    return {"events": [{"message": f"{line}\n", "timestamp": 1}]}


def found(sqs: FakeSqs, answer: Any = None, url: str = QUEUE) -> list[Finding]:
    logs = FunctionLogs(Answering({"logs.FilterLogEvents": answer or {"events": []}})("logs"), parts())
    return list(dead_letters.find([DeadLetterQueue(sqs, url.rpartition("/")[2], url)], logs))


def test_an_empty_queue_is_no_finding_and_is_not_read() -> None:
    sqs = FakeSqs()
    assert found(sqs) == []
    assert sqs.asked == []


def test_a_letter_is_told_with_what_its_function_logged_and_stays_in_the_queue() -> None:
    sqs = FakeSqs()
    number = sqs.put(QUEUE, UPLOAD)

    (finding,) = found(sqs, logged(number))

    assert (finding.kind, finding.subject, finding.since) == (
        "dead_letters",
        "RegisterDeadLetters",
        "2026-03-02T09:15:20.000Z",
    )
    assert finding.why == f"{number} (Object Created of churn/a/model.tar.gz): " + TRACE.rpartition("\n")[2]
    assert finding.commands == ("signoff redrive RegisterDeadLetters",)
    assert [each["MessageId"] for each in sqs.queues[QUEUE]] == [number]


def test_what_was_logged_of_another_message_is_not_told_of_this() -> None:
    sqs = FakeSqs()
    sqs.put(QUEUE, UPLOAD)
    assert "logged no error" in found(sqs, logged("m7"))[0].why


def test_what_nobody_can_read_is_to_be_dropped_and_the_rest_redriven() -> None:
    sqs = FakeSqs()
    unreadable, _ = sqs.put(QUEUE, "{ no JSON"), sqs.put(QUEUE, UPLOAD)
    assert found(sqs)[0].commands == (
        f"signoff redrive RegisterDeadLetters --drop {unreadable}",
        "signoff redrive RegisterDeadLetters",
    )


def test_of_many_letters_the_first_are_told_and_how_many_more_there_are() -> None:
    sqs = FakeSqs()
    for _ in range(30):
        sqs.put(QUEUE, UPLOAD)
    (finding,) = found(sqs)
    assert finding.what == "30 messages could not be delivered or handled"
    assert finding.why.endswith("; and 27 more")
    assert len(sqs.queues[QUEUE]) == 30


def test_a_log_that_may_not_be_read_does_not_hide_the_letter() -> None:
    sqs = FakeSqs()
    sqs.put(QUEUE, UPLOAD)
    assert "the log could not be read" in found(sqs, Refusal("AccessDeniedException"))[0].why


def test_letters_that_may_not_be_read_are_counted_all_the_same() -> None:
    refusing: dict[str, Any] = {
        "sqs.GetQueueAttributes": {
            "Attributes": {"ApproximateNumberOfMessages": "2", "ApproximateNumberOfMessagesNotVisible": "0"}
        },
        "sqs.ReceiveMessage": Refusal("AccessDenied"),
    }
    (finding,) = found(Answering(refusing)("sqs"))
    assert finding.what.startswith("2 messages")
    assert "could not be read" in finding.why
