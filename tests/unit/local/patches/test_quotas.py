"""Quotas: token buckets as AWS documents them, and what waits where one is reached."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.patches import quotas
from local.patches.quotas import Quotas, QuotasInForce, TokenBucket, growing_pauses


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_holds_one_seconds_requests_and_refills_as_time_passes() -> None:
    clock = Clock()
    bucket = TokenBucket(5, clock)

    at_once = [bucket.take() for _ in range(7)]
    clock.now += 0.4
    later = [bucket.take() for _ in range(3)]

    assert at_once == [True] * 5 + [False] * 2
    assert later == [True, True, False]


def test_a_bucket_of_less_than_one_a_second_still_answers_one() -> None:
    clock = Clock()
    bucket = TokenBucket(0.5, clock)

    assert [bucket.take(), bucket.take()] == [True, False]
    clock.now += 1.9
    assert not bucket.take()
    clock.now += 0.1
    assert bucket.take()


@given(st.floats(0.1, 50), st.lists(st.floats(0, 3), max_size=60))
def test_a_bucket_never_lets_more_pass_than_its_burst_and_its_rate(rate: float, pauses: list[float]) -> None:
    clock = Clock()
    bucket, passed = TokenBucket(rate, clock), 0
    for pause in pauses:
        clock.now += pause
        passed += bucket.take()

    assert passed <= max(1.0, rate) + rate * clock.now + 1e-6


def test_quotas_are_read_again_when_their_file_changes_and_lifted_with_it(tmp_path: Path) -> None:
    file = tmp_path / "engine.quotas"
    in_force = QuotasInForce(file)

    before = [in_force.allows("CreateModelPackage") for _ in range(3)]
    Quotas({"CreateModelPackage": 1}, concurrency=2).write(file)
    during = [in_force.allows("CreateModelPackage") for _ in range(3)]
    other = in_force.allows("UpdateModelPackage")
    concurrency = in_force.concurrency
    file.unlink()

    assert (before, during, other, concurrency) == ([True] * 3, [True, False, False], True, 2)
    assert in_force.allows("CreateModelPackage")
    assert in_force.concurrency is None


def test_a_misspelt_quota_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "engine.quotas"
    file.write_text('{"throttles": {"CreateModelPackage": 1}}')

    with pytest.raises(msgspec.ValidationError, match="throttles"):
        QuotasInForce(file).allows("CreateModelPackage")


@pytest.fixture
def in_force(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The file of the quotas of this process."""
    file = tmp_path / "engine.quotas"
    monkeypatch.setenv(quotas.FILE, str(file))
    quotas.in_force.cache_clear()
    yield file
    quotas.in_force.cache_clear()


def test_a_throttled_request_is_answered_as_aws_does(in_force: Path) -> None:
    async def handle(*request: Any) -> Any:
        return 200, {}, b"{}"

    Quotas({"UpdateModelPackage": 1}).write(in_force)
    throttled = quotas._throttled(handle)

    def ask(operation: str) -> Any:
        return asyncio.run(throttled("POST", "/", {"x-amz-target": f"SageMaker.{operation}"}, b"{}", {}))

    first, second, other = ask("UpdateModelPackage"), ask("UpdateModelPackage"), ask("DescribeModelPackage")
    status, headers, body = second

    assert (first[0], other[0], status) == (200, 200, 400)
    assert headers["x-amzn-errortype"] == "ThrottlingException"
    assert json.loads(body) == {"__type": "ThrottlingException", "message": "Rate exceeded"}


class Throttling:
    """A function that is throttled as often as it is told."""

    def __init__(self, times: int) -> None:
        self.left, self.asked = times, 0

    def __call__(self, function: Any, event: Any) -> dict[str, Any]:
        self.asked += 1
        self.left -= 1
        return {"throttle": True, "error": True} if self.left >= 0 else {"body": "done"}


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were made, in which no time passed."""
    made: list[float] = []
    monkeypatch.setattr("local.patches.quotas.time.sleep", made.append)
    return made


def test_a_throttled_batch_is_tried_a_few_times_and_other_invocations_are_not(pauses: list[float]) -> None:
    for_queue, direct = Throttling(2), Throttling(2)
    results: list[dict[str, Any]] = []
    batch = quotas._waiting(lambda: results.append(quotas._patient(for_queue)({}, {})), lambda: (0.1, 0.2, 0.4))

    batch()
    answer = quotas._patient(direct)({}, {})

    assert results == [{"body": "done"}]
    assert pauses == [0.1, 0.2]
    assert answer["throttle"]
    assert direct.asked == 1


def test_a_batch_that_stays_throttled_is_given_up(pauses: list[float]) -> None:
    function, results = Throttling(100), list[dict[str, Any]]()

    quotas._waiting(lambda: results.append(quotas._patient(function)({}, {})), lambda: (0.1, 0.2))()

    assert results[0]["throttle"]
    assert function.asked == 3


def test_asynchronous_events_wait_for_hours_at_intervals_of_at_most_five_minutes() -> None:
    found = list(growing_pauses(6 * 3600))

    assert found[:4] == [1, 2, 4, 8]
    assert max(found) == 300
    assert 6 * 3600 - 300 < sum(found) <= 6 * 3600
