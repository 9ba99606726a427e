"""Waiting for something to become true, with a deadline."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
# Between two looks: each takes its share of the processor from what is waited for.
_FIRST_PAUSE, _LONGEST_PAUSE, _LONGER = 0.025, 0.2, 1.5


def eventually(look: Callable[[], T | None], seconds: float = 60.0, what: str = "it to happen") -> T:
    """The first truthy result of `look`; fails the test when there is none within `seconds`."""
    deadline = time.monotonic() + seconds
    pause = _FIRST_PAUSE
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"Waited {seconds:.0f} s in vain for {what}; the last look gave {found!r}")
        time.sleep(pause)
        pause = min(pause * _LONGER, _LONGEST_PAUSE)
