"""Prefetching: the next item is produced in a thread while the last one is used.

Inflating, hashing and reading release the interpreter's lock, so that they keep the other cores busy.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def ahead(items: Iterator[T], most: int) -> Iterator[T]:
    """Yield what `items` yields, made in one thread, at most `most` of them ahead of their use.

    What `items` raises is raised here, in its place.
    """
    pool = ThreadPoolExecutor(1, thread_name_prefix="ahead")
    try:
        coming: deque[Future[T | None]] = deque(pool.submit(next, items, None) for _ in range(most))
        while (item := coming.popleft().result()) is not None:
            coming.append(pool.submit(next, items, None))
            yield item
    finally:
        # Do not wait for items that are no longer needed.
        pool.shutdown(wait=False, cancel_futures=True)
