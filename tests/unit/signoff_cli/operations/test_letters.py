"""Dead letters: what each is about, and which error comes with it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff_cli.operations.letters import letter_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["detail", "object", "key", "a"]), inner)
    ),
    max_leaves=8,
)


def message(body: Any, **attributes: str) -> dict[str, Any]:
    return {
        "MessageId": "m1",
        "ReceiptHandle": "r1",
        "Body": body if isinstance(body, str) else json.dumps(body),
        "Attributes": {"SentTimestamp": "1772442920000"},
        "MessageAttributes": {name: {"DataType": "String", "StringValue": text} for name, text in attributes.items()},
    }


def batch(**numbers: Any) -> dict[str, Any]:
    info = {"batchSize": 2, "startSequenceNumber": "10", "endSequenceNumber": "11", "shardId": "s", "streamArn": "a"}
    first, last = "2026-03-02T09:15:20Z", "2026-03-02T09:15:21Z"
    times = {"approximateArrivalOfFirstRecord": first, "approximateArrivalOfLastRecord": last}
    return {
        "requestContext": {"condition": "RetryAttemptsExhausted", "functionArn": "f"},
        "responseContext": {"functionError": "Unhandled"},
        "DDBStreamBatchInfo": {**info, **times, **numbers},
    }


@pytest.mark.parametrize(
    ("body", "about"),
    [
        ({"detail-type": "Object Created", "detail": {"object": {"key": "churn/a/m.tar.gz"}}}, "of churn/a/m.tar.gz"),
        ({"detail-type": "T", "detail": {"ModelPackageArn": "arn:p"}}, "T of arn:p"),
        ({"detail-type": "Model Approval Decision", "detail": {"package": "arn:p"}}, "of arn:p"),
        ({"detail-type": "Scheduled Event", "detail": {}}, "Scheduled Event"),
        ({"task": "heads"}, "an event without detail"),
        (batch(), "2 ledger entries of 2026-03-02T09:15:20Z to 2026-03-02T09:15:21Z"),
        ("{ no JSON", "unreadable"),
        ("[]", "unreadable"),
    ],
)
def test_a_letter_says_what_it_is_about(body: Any, about: str) -> None:
    assert about in letter_of(message(body)).about


def test_a_letter_says_since_when_it_waits() -> None:
    assert letter_of(message({})).since == "2026-03-02T09:15:20.000Z"
    assert letter_of({**message({}), "Attributes": {}}).since is None


def test_what_a_rule_could_not_deliver_says_why() -> None:
    why = {"ERROR_CODE": "NO_PERMISSIONS", "ERROR_MESSAGE": "Access denied", "TARGET_ARN": "arn:bus"}
    letter = letter_of(message({"detail": {}}, **why))
    assert (letter.error, letter.target) == ("NO_PERMISSIONS: Access denied", "arn:bus")


def test_a_batch_of_the_stream_says_why_it_was_given_up_and_by_which_number_it_was_logged() -> None:
    letter = letter_of(message(batch()))
    assert (letter.error, letter.logged_as) == ("RetryAttemptsExhausted (Unhandled)", "10")


@given(st.text() | JSON.map(json.dumps))
def test_whatever_a_letter_holds_is_told(body: str) -> None:
    letter = letter_of(message(body))
    assert letter.about
    assert letter.body == body
