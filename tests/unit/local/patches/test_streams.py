"""Which records of a stream's batch a function has settled, and what becomes of those that it has not."""

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from local.patches.streams import MappingProgress, _deliver, settled

BATCH: list[dict[str, Any]] = [{"dynamodb": {"SequenceNumber": number}} for number in ("10", "11", "12")]


def failing(*numbers: str | None) -> dict[str, Any]:
    return {"body": {"batchItemFailures": [{"itemIdentifier": number} for number in numbers]}}


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ({"body": None}, 3),
        ({"body": {"batchItemFailures": []}}, 3),
        ({"error": True, "body": {"errorType": "Any"}}, 0),
        (failing("12"), 2),
        (failing("12", "11"), 1),
        (failing("10"), 0),
        (failing("99"), 0),
        (failing(None), 0),
    ],
)
def test_what_comes_before_the_first_failed_record_is_settled(result: dict[str, Any], expected: int) -> None:
    assert settled(BATCH, result, partial=True) == expected


def test_failed_records_count_only_for_a_mapping_that_asks_for_them() -> None:
    assert settled(BATCH, failing("10"), partial=False) == 3


class FakeLambda:
    """The emulator's Lambda with one function, whose every invocation comes to the same."""

    def __init__(self, result: dict[str, Any]) -> None:
        self.result = result
        self.positions = {"mapping": 0}
        self.given_up: list[Any] = []

    def as_service(self) -> Any:
        return SimpleNamespace(
            _get_func_record_for_qualifier=lambda name, qualifier: ({}, {}),
            _apply_filter_criteria=lambda batch, mapping: batch,
            _execute_function=lambda function, event: self.result,
            _dynamodb_stream_positions=self.positions,
            _send_ddb_stream_failure_record=lambda *about: self.given_up.append(about),
        )


@pytest.mark.parametrize(
    ("result", "position", "given_up"),
    [
        ({"body": None}, 3, 0),
        ({"error": True, "body": {}}, 3, 1),
        ({"error": True, "throttle": True, "body": {}}, 0, 0),
    ],
)
def test_what_keeps_failing_is_given_up_and_what_is_throttled_waits(
    result: dict[str, Any], position: int, given_up: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeLambda(result)
    monkeypatch.setitem(sys.modules, "ministack.services", SimpleNamespace(lambda_svc=fake.as_service()))
    mapping = {"UUID": "mapping", "FunctionName": "announce", "EventSourceArn": "arn", "MaximumRetryAttempts": 2}
    progress = MappingProgress()

    for _ in range(3):
        if not fake.positions["mapping"]:
            _deliver(mapping, progress, BATCH)

    assert (fake.positions["mapping"], len(fake.given_up)) == (position, given_up)
