"""What can become of one call to AWS, and the switch that lets it happen to the n-th call of a run."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError

from signoff.aws.ecr import ImageResolver
from signoff.aws.image_scans import ImageScans
from signoff.errors import ObjectMissing
from tests.support.interruptions import Died, Interruptions

INVOKE = "Lambda.Invoke"
# What asks STS by itself, and not with a client: its caller makes errors of STS's answers.
_STS = "FakeSts.send"
# What adapters make of a denial, because S3 denies what may not be there.
_FORBIDDEN = {f"FakeBucket.{call}" for call in ("current", "version", "checksum", "listing")}


class Fault(StrEnum):
    """What becomes of a call, after the client's own retries."""

    KILLED = "killed before"
    KILLED_AFTER = "killed after"
    TIMED_OUT = "timed out"
    THROTTLED = "throttled"
    BROKEN = "server error"
    DENIED = "denied once"
    ABORTED = "aborted"


AFTER_ITS_EFFECT = {Fault.KILLED_AFTER, Fault.TIMED_OUT}
_CODES = {
    Fault.THROTTLED: ("ThrottlingException", 400),
    Fault.BROKEN: ("InternalServerError", 500),
    Fault.DENIED: ("AccessDeniedException", 400),
}


class Aborted(BaseException):
    """Somebody stopped the execution: it records nothing."""


class InvocationFailed(Exception):
    """An invocation that failed for other reasons than the function's own, by the name of Step Functions' error."""


_INVOCATIONS = {
    Fault.KILLED: "Runtime.ExitError",
    Fault.KILLED_AFTER: "Sandbox.Timedout",
    Fault.TIMED_OUT: "States.Timeout",
    Fault.THROTTLED: "Lambda.TooManyRequestsException",
    Fault.BROKEN: "Lambda.ServiceException",
    Fault.DENIED: "States.Permissions",
}


def applies(fault: Fault, function: str, operation: str, workflow: bool) -> bool:
    """Return whether a fault can become of an operation that a function calls: GetCallerIdentity is never denied."""
    if fault is Fault.ABORTED:
        return workflow and operation == INVOKE
    return not (fault is Fault.DENIED and operation == _STS)


def error(fault: Fault, operation: str) -> BaseException:
    """Return what the caller of an operation gets to see of a fault."""
    if fault is Fault.ABORTED:
        return Aborted()
    if operation == INVOKE:
        return InvocationFailed(_INVOCATIONS[fault])
    if fault in {Fault.KILLED, Fault.KILLED_AFTER}:
        return Died()
    if fault is Fault.TIMED_OUT or operation == _STS:
        return ReadTimeoutError(endpoint_url="https://aws")
    if fault is Fault.DENIED and operation in _FORBIDDEN:
        return ObjectMissing(f"{operation}: cannot be read by Signoff")
    code, status = _CODES[fault]
    answer = {"Error": {"Code": code, "Message": str(fault)}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, operation)  # type: ignore[arg-type] - botocore's stubs want all of the metadata


class Faults(Interruptions):
    """Notes each call that a function makes, and lets `fault` become of the one number `at`, counted from 1.

    `branch` sees each call (its number, the function, the operation, whether the workflow invoked it), and may return a
    fault that becomes of it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.function = ""
        self.workflow = False
        self.noted: list[tuple[str, str, bool]] = []
        self.fault: Fault | None = None
        self.branch: Callable[[int, str, str, bool], Fault | None] = lambda *_: None

    def wrap(self, adapter: Any) -> Any:
        """Return `adapter` with every call noted, unless it calls AWS by an adapter that is noted already."""
        return adapter if isinstance(adapter, ImageResolver | ImageScans) else super().wrap(adapter)

    def call(self, name: str) -> int:
        if not self.function:
            return 0
        self.noted.append((self.function, name, self.workflow))
        number = len(self.noted)
        fault = self.branch(number, *self.noted[-1])
        if fault is not None:
            self.at, self.fault = number, fault
        self._strike(name, number, after=False)
        return number

    def made(self, name: str, number: int) -> None:
        self._strike(name, number, after=True)

    def _strike(self, name: str, number: int, *, after: bool) -> None:
        if self.fault and number == self.at and (self.fault in AFTER_ITS_EFFECT) is after:
            raise error(self.fault, name)
