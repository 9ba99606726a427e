"""Work that is done ahead of its use: in order, no further than asked for, and with its errors in their place."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.artifact.inspection import inspect
from signoff.artifact.streams.prefetch import ahead
from tests.support.archives import member, tar


@given(st.lists(st.binary(min_size=1)), st.integers(1, 5))
def test_everything_comes_in_order(items: list[bytes], most: int) -> None:
    assert list(ahead(iter(items), most)) == items


def test_an_error_comes_in_its_place() -> None:
    def broken() -> Iterator[int]:
        yield 1
        yield 2
        raise OSError("the connection is lost")

    made = ahead(broken(), 5)
    assert (next(made), next(made)) == (1, 2)
    with pytest.raises(OSError, match="the connection is lost"):
        next(made)


def test_no_more_is_made_than_asked_for() -> None:
    made: list[int] = []
    enough = threading.Semaphore(0)

    def counted() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            enough.release()
            yield number

    items = ahead(counted(), 3)
    assert next(items) == 0
    assert all(enough.acquire(timeout=10) for _ in range(4))  # the one in use and the three that wait
    assert not enough.acquire(timeout=0.05)
    assert made == [0, 1, 2, 3]


def test_nothing_more_is_made_for_who_has_left() -> None:
    left = threading.Event()
    more: list[int] = []

    def endless() -> Iterator[int]:
        yield 0
        while left.wait(10):
            more.append(1)
            yield 1

    items = ahead(endless(), 2)
    assert next(items) == 0
    items.close()  # type: ignore[attr-defined]
    left.set()
    for thread in threading.enumerate():
        if thread.name.startswith("ahead"):
            thread.join(10)
    assert len(more) <= 1  # what was being made at that moment


def test_members_before_a_break_are_checked_though_they_fill_no_block() -> None:
    archive = gzip.compress(tar(member("../escape", b"x"), member("weights", b"x" * 5000)))
    inspection = inspect([archive[:-9]])
    assert {"parent-directory", "truncated-gzip"} <= {finding.rule for finding in inspection.findings}
