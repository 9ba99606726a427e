"""What the sweep does about a package that it finds waiting: each at most once a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from signoff.aws.sqs import REGISTRY_EVENT, UPLOAD_EVENT, Queue
from signoff.aws.step_functions import Executions
from signoff.errors import SignoffError
from signoff.runtime.observability import logger


@dataclass
class Moves:
    """What one run of the sweep has moved on: counts by what was moved, and `problem` for what could not be."""

    counts: Counter[str] = field(default_factory=Counter)
    _done: set[tuple[str, str]] = field(default_factory=set)

    def act(self, what: str, about: tuple[str, str], act: Callable[[], Any]) -> None:
        """Do what has not been done `about` that (which kind of act, about whom) in this run; False is nothing done."""
        if about in self._done:
            return
        self._done.add(about)
        with self.reported(what):
            if act() is not False:
                self.counts[what] += 1

    @contextmanager
    def reported(self, what: str) -> Iterator[None]:
        """Log what fails and count it as a `problem`: it does not block the rest."""
        try:
            yield
        except (SignoffError, ClientError, BotoCoreError) as error:
            self.problem(what, error)

    def problem(self, what: str, error: BaseException) -> None:
        """Log and count an error."""
        logger().error("could not be moved to its next step", extra={"what": what}, exc_info=error)
        self.counts["problem"] += 1


@dataclass(frozen=True)
class Acts:
    """Hands packages and uploads to the queues and the workflow that events go to."""

    executions: Executions
    queues: Mapping[str, Queue]

    def validate(self, moves: Moves, what: str, arn: str) -> None:
        """Start a validation."""
        moves.act(what, ("validate", arn), lambda: self.start(arn))

    def decide(self, moves: Moves, what: str, arn: str) -> None:
        """Have a package decided on, or the registry brought to what was decided."""
        moves.act(what, (what, arn), lambda: self.nudge("decisions", arn))

    def upload(self, moves: Moves, what: str, bucket: str, key: str) -> None:
        """Have an object handled as if it had been uploaded just now."""
        detail = {"bucket": {"name": bucket}, "object": {"key": key}}
        moves.act(what, ("upload", key), lambda: self.queues["registrations"].send(UPLOAD_EVENT, detail))

    def start(self, arn: str) -> None:
        """Start a validation, whatever has been done in this run."""
        self.executions.start(arn)

    def nudge(self, queue: str, arn: str, **more: str) -> None:
        """Put a package on a queue, as an event of the registry would."""
        self.queues[queue].send(REGISTRY_EVENT, {"ModelPackageArn": arn, **more})
