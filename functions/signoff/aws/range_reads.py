"""Reading a large object as a stream, by several ranges at once, which is faster than one connection.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance-guidelines.html
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice

Fetch = Callable[[int, int], bytes]

RANGE = 4 * 1024 * 1024  # bytes; AWS recommends twice as much, which would need twice the memory
AHEAD = 5  # ranges that are fetched or buffered at one time, besides the one in use


def in_order(fetch: Fetch, size: int, step: int = RANGE) -> Iterator[bytes]:
    """Yield the bytes of an object of `size` bytes, `step` of them at a time, while `fetch` reads ahead.

    `fetch` takes the first and the last position of a range, in several threads. Its exceptions are raised where that
    range would have been yielded.
    """
    wanted = ((start, min(start + step, size) - 1) for start in range(0, size, step))
    pool = ThreadPoolExecutor(AHEAD, thread_name_prefix="range")
    try:
        under_way: deque[Future[bytes]] = deque(pool.submit(fetch, *each) for each in islice(wanted, AHEAD))
        while under_way:
            part = under_way.popleft().result()
            under_way.extend(pool.submit(fetch, *each) for each in islice(wanted, 1))
            yield part
    finally:
        # The consumer has stopped reading.
        pool.shutdown(wait=False, cancel_futures=True)
