"""A function that dies between two calls: adapters behind a switch that throws at the n-th call, whatever it is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from signoff.aws.ledger_table import LedgerTable


class Died(BaseException):
    """The function's process is gone: nothing in it may handle this."""


class Interruptions:
    """Counts the calls to all adapters it wraps; `at` is the call before which the function dies, None for never.

    `failed` is the name of the call that it died before.
    """

    def __init__(self) -> None:
        self.calls = 0
        self.at: int | None = None
        self.failed = ""
        self.error: Callable[[], BaseException] = Died
        self.before: dict[str, Callable[[], None]] = {}
        self._counting = threading.Lock()

    def wrap(self, adapter: Any) -> Any:
        """Return `adapter` with every call to it counted."""
        return _Interrupted(adapter, self)

    def call(self, name: str) -> int:
        """Count a call and return its number; let happen, once, what a test wants to happen `before` it."""
        with self._counting:
            self.calls += 1
            number, dies = self.calls, self.calls == self.at
        if dies:
            self.failed = name
            raise self.error()
        happening = self.before.pop(name, None)
        if happening:
            happening()
        return number

    def made(self, name: str, number: int) -> None:
        """Note that a call was made; nothing happens here."""

    def arm(self, at: int | None, error: Callable[[], BaseException] = Died) -> None:
        """Die before the call number `at`, counted from now."""
        self.calls, self.at, self.error = 0, at, error


class _Interrupted:
    def __init__(self, adapter: Any, interruptions: Interruptions) -> None:
        self._adapter = adapter
        self._interruptions = interruptions

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._adapter, name)
        if not callable(found):
            return found
        if name == "update" and isinstance(self._adapter, LedgerTable):
            return partial(LedgerTable.update, self)  # made of a read and an append, between which it may die too

        def counted(*arguments: Any, **named: Any) -> Any:
            called = f"{type(self._adapter).__name__}.{name}"
            number = self._interruptions.call(called)
            try:
                return found(*arguments, **named)
            finally:
                self._interruptions.made(called, number)

        return counted
