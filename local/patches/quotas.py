"""Quotas: requests by token buckets, Lambda by executions at once, and what waits where either is reached.

AWS refuses a request that finds its operation's bucket empty with `ThrottlingException`, and an invocation beyond the
account's concurrency with `TooManyRequestsException`. What is in force is read from a file, at each change of it.
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/throttling.html (how a token bucket throttles)
https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
"""

import contextvars
import json
import os
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import cache, partial
from pathlib import Path
from threading import Lock
from typing import Any

import msgspec

FILE = "SIGNOFF_QUOTAS"

Answer = tuple[int, dict[str, str], Any]
Result = dict[str, Any]

# Lambda tries a throttled batch of a queue several times more; then the message is hidden as long as its queue says.
# How often is nowhere documented: half a minute is little of the time that queues are told to leave for it.
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
_PAUSES = tuple(0.1 * 2**each for each in range(8))
# Lambda tries a throttled asynchronous event for hours, at intervals from a second to five minutes.
# https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
_SHORTEST, _LONGEST, _HOURS = 1.0, 300.0, 6.0

_pauses: contextvars.ContextVar[tuple[float, ...]] = contextvars.ContextVar("_pauses", default=())


class Quotas(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one account may do: requests a second by operation (`throttle`), and executions at once (`concurrency`).

    An operation that is not named, and a concurrency of None, is limited by nothing but this machine.
    """

    throttle: dict[str, float] = {}
    concurrency: int | None = None

    def write(self, path: Path) -> None:
        """Put them in force in the engine that reads `path`: whole, or not at all."""
        part = path.with_suffix(".part")
        part.write_bytes(msgspec.json.encode(self))
        part.rename(path)


class TokenBucket:
    """Holds one second's requests at most, and never less than one; refills at `rate` requests a second."""

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._most = max(1.0, rate)
        self._clock = clock
        self._tokens, self._at = self._most, clock()

    def take(self) -> bool:
        """Take a token; false when there is none."""
        now = self._clock()
        self._tokens = min(self._most, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class QuotasInForce:
    """The quotas in the file at `path`, and their buckets, which are full when the file changes."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._changed: int | None = None
        self._concurrency: int | None = None
        self._buckets: dict[str, TokenBucket] = {}
        self._lock = Lock()  # requests are answered by one thread, functions run by many

    @property
    def concurrency(self) -> int | None:
        """How many functions run at once, if that is limited."""
        with self._lock:
            self._read()
            return self._concurrency

    def allows(self, operation: str) -> bool:
        """Whether a request for `operation` is answered now; it then counts."""
        with self._lock:
            self._read()
            return operation not in self._buckets or self._buckets[operation].take()

    def _read(self) -> None:
        """Take what the file says if it has changed; without a file there are no quotas."""
        try:
            changed = self._path.stat().st_mtime_ns if self._path else None
        except FileNotFoundError:
            changed = None
        if changed != self._changed:
            found = self._path.read_bytes() if changed and self._path else b"{}"
            quotas = msgspec.json.decode(found, type=Quotas)
            self._buckets = {name: TokenBucket(rate) for name, rate in quotas.throttle.items()}
            self._concurrency, self._changed = quotas.concurrency, changed


@cache
def in_force() -> QuotasInForce:
    """The quotas of this engine."""
    path = os.environ.get(FILE)
    return QuotasInForce(Path(path) if path else None)


def install() -> None:
    """Patch the services of the running emulator, and its Lambda."""
    from ministack import app
    from ministack.services import lambda_svc

    for name, handle in list(app.SERVICE_HANDLERS.items()):
        app.SERVICE_HANDLERS[name] = _throttled(handle)
    unlimited = lambda_svc._ACCOUNT_CONCURRENCY_CAP
    lambda_svc._acquire_execution_slot = _within_account(lambda_svc._acquire_execution_slot, lambda_svc, unlimited)
    lambda_svc._execute_function = _patient(lambda_svc._execute_function)
    lambda_svc._run_sqs_batch = _waiting(lambda_svc._run_sqs_batch, lambda: _PAUSES)
    lambda_svc.invoke_async_with_retry = _waiting(
        lambda_svc.invoke_async_with_retry, lambda: tuple(growing_pauses(_HOURS * 3600))
    )


def growing_pauses(seconds: float) -> Iterator[float]:
    """The pauses between the attempts of a throttled event, `seconds` of them altogether at most."""
    pause = _SHORTEST
    while pause <= seconds:
        yield pause
        seconds -= pause
        pause = min(2 * pause, _LONGEST)


def _throttled(handle: Callable[..., Awaitable[Answer]]) -> Callable[..., Awaitable[Answer]]:
    """A service whose requests name their operation in a header: that of each that speaks JSON."""

    async def handle_request(method: str, path: str, headers: dict[str, str], body: Any, query: Any) -> Answer:
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        if operation and not in_force().allows(operation):
            error = {"__type": "ThrottlingException", "message": "Rate exceeded"}
            kind = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-errortype": "ThrottlingException"}
            return 400, kind, json.dumps(error).encode()
        return await handle(method, path, headers, body, query)

    return handle_request


def _within_account(acquire: Callable[..., Any], lambda_svc: Any, unlimited: int) -> Callable[..., Any]:
    """What reserves an execution, within the concurrency that is in force."""

    def acquire_execution_slot(*args: Any) -> Any:
        most = in_force().concurrency
        lambda_svc._ACCOUNT_CONCURRENCY_CAP = unlimited if most is None else most
        return acquire(*args)

    return acquire_execution_slot


def _patient(execute: Callable[..., Result]) -> Callable[..., Result]:
    """What runs a function, tried again after each of the caller's pauses while it is throttled."""

    def execute_function(function: dict[str, Any], event: Any) -> Result:
        # The emulator calls this once more within itself, with nothing left to wait for.
        pauses, execution = _pauses.get(), contextvars.copy_context()
        execution.run(_pauses.set, ())
        result: Result = execution.run(execute, function, event)
        for pause in pauses:
            if not result.get("throttle"):
                break
            time.sleep(pause)
            result = execution.run(execute, function, event)
        return result

    return execute_function


def _waiting(invoke: Callable[..., None], pauses: Callable[[], tuple[float, ...]]) -> Callable[..., None]:
    """An invocation whose caller is AWS itself, which waits where it is throttled."""

    def invoked(*args: Any) -> None:
        execution = contextvars.copy_context()
        execution.run(_pauses.set, pauses())
        execution.run(partial(invoke, *args))

    return invoked
