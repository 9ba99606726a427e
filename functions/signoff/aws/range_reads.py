"""Reading a large object as a stream, several ranges of it at once: one connection to S3 is slower than a processor.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance-guidelines.html
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice

Fetch = Callable[[int, int], bytes]

RANGE = 4 * 1024 * 1024  # bytes; AWS advises twice as much, which would take twice the memory
AHEAD = 5  # ranges that are fetched, or wait to be used, at one time: with the one in use, what is held of an object


def in_order(fetch: Fetch, size: int, step: int = RANGE) -> Iterator[bytes]:
    """Yield the bytes of an object of `size` bytes, `step` of them at a time, while `fetch` gets those that follow.

    `fetch` takes the first and the last position of a range, in several threads. What it raises is raised here, where
    that range would have come.
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
        # Nobody waits for what nobody reads any more.
        pool.shutdown(wait=False, cancel_futures=True)
