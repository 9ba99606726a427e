"""Two functions at once, by turns: each stops before a call to an adapter that the test chooses."""

from __future__ import annotations

from collections.abc import Callable
from threading import Semaphore, Thread, current_thread
from typing import Any

from tests.support.interruptions import Interruptions

_TO_THE_END = 10_000
_SECONDS = 30


class _Function(Thread):
    def __init__(self, act: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self._act = act
        self._calls, self._go, self._stopped = 0, Semaphore(0), Semaphore(0)
        self.error: BaseException | None = None
        self._ended = False
        self.start()

    def run(self) -> None:
        self._go.acquire()
        try:
            self._act()
        except BaseException as error:  # for the test's own thread
            self.error = error
        self._ended = True  # the thread itself is alive a little longer
        self._stopped.release()

    def call(self) -> None:
        """Count one of its calls; stop before it if its turn is over."""
        if self._calls == 0:
            self._stopped.release()
            self._go.acquire()
        self._calls -= 1

    def has(self, calls: int) -> None:
        """Let it make that many calls, or end."""
        if self._ended:
            return
        self._calls = calls
        self._go.release()
        assert self._stopped.acquire(timeout=_SECONDS), "a function neither stops nor ends"


def by_turns(
    interruptions: Interruptions, first: Callable[[], Any], second: Callable[[], Any], before: int, between: int
) -> None:
    """Let `first` make the calls `before`, `second` those `between`, then `first` all its others, then `second`."""
    functions = _Function(first), _Function(second)
    interruptions.call = _call  # type: ignore[method-assign]
    for function, calls in zip(functions * 2, (before, between, _TO_THE_END, _TO_THE_END), strict=True):
        function.has(calls)
    for function in functions:
        if function.error:
            raise function.error


def _call(_name: str) -> None:
    function = current_thread()
    if isinstance(function, _Function):
        function.call()
