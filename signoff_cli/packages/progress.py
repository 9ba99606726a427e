"""Following what happens, with a deadline: a ledger is asked again and again until it says what is waited for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from signoff.ledger.entries import Status, package_of
from signoff_cli.errors import CommandFailed
from signoff_cli.packages.lookup import find

if TYPE_CHECKING:
    from signoff.ledger.entries import Entry
    from signoff.ledger.history import History
    from signoff.ledger.state import State
    from signoff_cli.packages.lookup import LedgerReader

_FIRST_PAUSE = 0.2  # seconds
_LONGEST_PAUSE = 2.0


class TimedOut(CommandFailed):
    """Raised when what is waited for has not happened by the deadline; the message says where to look."""


class Deadline:
    """How long to wait in all, in seconds, with pauses that grow: most answers come soon."""

    def __init__(
        self,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._deadline = clock() + seconds
        self._pause = _FIRST_PAUSE

    @property
    def left(self) -> float:
        """The seconds left, below zero when there are none."""
        return self._deadline - self._clock()

    def capped_at(self, seconds: float) -> Deadline:
        """Return a patience that ends when this one does, or in `seconds` if that is sooner."""
        return Deadline(min(seconds, self.left), self._clock, self._sleep)

    def pause(self, otherwise: str) -> None:
        """Wait a while. Raises `TimedOut`, saying `otherwise`, when there is no time left."""
        if self.left <= 0:
            raise TimedOut(otherwise)
        self._sleep(min(self._pause, max(self.left, 0)))
        self._pause = min(self._pause * 1.5, _LONGEST_PAUSE)

    def reset_pause(self) -> None:
        """Begin again with short pauses: something has just happened, so the next thing may follow at once."""
        self._pause = _FIRST_PAUSE


def is_settled(state: State) -> bool:
    """Return whether nothing more happens to a package by itself."""
    if state.status is None or state.status is Status.VALIDATING:
        return False
    return state.next_step is None or state.stuck


def follow(
    read: Callable[[], History], until: Callable[[History], bool], deadline: Deadline, seen: int = 0
) -> Iterator[Entry]:
    """Yield the entries after sequence number `seen` as they come, until `until` holds of the history.

    Raises `TimedOut` when it does not in time, and `LedgerBroken` when the ledger was tampered with.
    """
    while True:
        history = read().verified()
        if len(history.entries) > seen:
            deadline.reset_pause()
        yield from history.entries[seen:]
        seen = max(seen, len(history.entries))
        if until(history):
            return
        deadline.pause(_where_to_look(history))


def wait_for_ledger(ledger: LedgerReader, arn: str, deadline: Deadline) -> str:
    """Return the ledger's key of a package that may not be in the ledger's index yet. Raises `TimedOut`."""
    while (head := find(ledger, arn)) is None:
        deadline.pause(
            f"timed out waiting for {arn} to be in the ledger; look again with `signoff show`, or give a "
            "longer --timeout"
        )
    return str(head["package"])


def _where_to_look(history: History) -> str:
    state = history.state
    waits = f"waits for {state.next_step}" if state.next_step else f"is {state.status or 'unknown'}"
    package = package_of(history.package)[0] or history.package
    return (
        f"timed out: {package} still {waits}. Continue with `signoff watch`; if nothing changes for 15 minutes, check "
        "the alarms and dead-letter queues"
    )
