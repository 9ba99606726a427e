"""Reading a large object in ranges, several at once."""

import io
import threading
from typing import Any

import pytest
from botocore.exceptions import ClientError, IncompleteReadError
from hypothesis import given
from hypothesis import strategies as st

from signoff.aws.range_reads import AHEAD, RANGE, in_order
from signoff.aws.s3 import Bucket, ObjectVersion
from signoff.errors import ObjectMissing


@given(st.binary(max_size=200), st.integers(1, 50))
def test_all_bytes_come_once_and_in_order(data: bytes, step: int):
    parts = list(in_order(lambda first, last: data[first : last + 1], len(data), step))
    assert b"".join(parts) == data
    assert all(len(part) == step for part in parts[:-1])


def test_several_ranges_are_under_way_at_once_and_no_more_than_may_be_held():
    together, held = threading.Barrier(AHEAD, timeout=20), []

    def fetch(first: int, _last: int) -> bytes:
        held.append(first)
        if len(held) <= AHEAD:
            together.wait()  # all of them have come, or this one breaks
        return b"x"

    reading = in_order(fetch, 100, 1)
    assert next(reading) == b"x"
    assert len(held) <= AHEAD + 1
    reading.close()


def test_what_nobody_reads_any_more_is_not_fetched():
    fetched: list[int] = []

    def fetch(first: int, _last: int) -> bytes:
        fetched.append(first)
        return b"x"

    reading = in_order(fetch, 1000, 1)
    next(reading)
    reading.close()
    assert len(fetched) <= AHEAD + 1


class Breaking:
    """An S3 client with one large object, whose connections break at the positions given, so many times each."""

    def __init__(self, data: bytes, breaks: dict[int, int], missing: bool = False) -> None:
        self.data = data
        self.breaks = breaks
        self.missing = missing
        self.asked: list[tuple[str, int]] = []

    def get_object(self, **asked: Any) -> dict[str, Any]:
        if self.missing:
            raise ClientError({"Error": {"Code": "NoSuchVersion"}}, "GetObject")
        first, last = map(int, asked["Range"].removeprefix("bytes=").split("-"))
        self.asked.append((asked["VersionId"], first))
        body = Body(self.data[first : last + 1])
        if self.breaks.get(first):
            self.breaks[first] -= 1
            body.broken = True
        return {"Body": body}


class Body(io.BytesIO):
    """The body of an answer, which may break off."""

    broken = False

    def read(self, size: int | None = -1, /) -> bytes:
        if self.broken:
            raise IncompleteReadError(actual_bytes=1, expected_bytes=2)
        return super().read(size)


DATA = bytes(range(256)) * ((2 * RANGE + 1000) // 256 + 1)
STORED = ObjectVersion("vault", "k", "v7", len(DATA), "etag", {})


def test_of_a_large_object_only_the_range_whose_connection_broke_is_fetched_again():
    s3 = Breaking(DATA, {RANGE: 2})
    assert b"".join(Bucket(s3, "vault").stream(STORED)) == DATA
    assert sorted(first for _, first in s3.asked) == [0, RANGE, RANGE, RANGE, 2 * RANGE]
    assert {version for version, _ in s3.asked} == {"v7"}


def test_a_connection_that_keeps_breaking_is_an_error():
    with pytest.raises(IncompleteReadError):
        list(Bucket(Breaking(DATA, {0: 9}), "vault").stream(STORED))


def test_a_version_that_is_gone_is_missing():
    with pytest.raises(ObjectMissing, match="version v7 no longer exists"):
        list(Bucket(Breaking(DATA, {}, missing=True), "vault").stream(STORED))
