"""Making many calls to AWS, several of them at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

AT_ONCE = 16  # calls that wait for an answer at one time: each takes a thread and a connection


def in_parallel(act: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """Return what `act` returns for each of `items`, in their order; it runs in several threads.

    After the first error, which is raised, no further call begins.
    """
    wanted = list(items)
    if len(wanted) < 2:
        return [act(item) for item in wanted]
    with ThreadPoolExecutor(min(AT_ONCE, len(wanted)), thread_name_prefix="call") as pool:
        return list(pool.map(act, wanted))
