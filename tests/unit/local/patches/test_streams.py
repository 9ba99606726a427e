"""Which records of a stream's batch a function has settled."""

from typing import Any

import pytest

from local.patches.streams import settled

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
