"""All checks of a deployed Signoff, and how many calls they may make: docs/operations.md lists both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from signoff_cli.operations import dead_letters, policies
from signoff_cli.operations.findings import Check, Finding
from signoff_cli.operations.machinery import Machinery
from signoff_cli.operations.packages import ExecutionReader, LedgerReader, StuckPackages
from signoff_cli.operations.parts import Parts


@dataclass(frozen=True)
class Doctor:
    """Looks at a `stack` in all ways. `parts` lists what it consists of, `clients` makes boto3's clients by service."""

    stack: str
    list_parts: Callable[[], Parts]
    clients: Callable[[str], Any]
    ledger: LedgerReader
    executions: ExecutionReader
    policies: policies.PolicyReader
    sweep_function: str
    now: datetime

    @cached_property
    def _parts(self) -> Parts:
        return self.list_parts()

    @property
    def _sweep(self) -> str:
        """The command that has the sweep run at once, whatever it is that waits."""
        payload = """--cli-binary-format raw-in-base64-out --payload '{"grace_seconds": 0}' /dev/stdout"""
        return f"aws lambda invoke --function-name {self.sweep_function} {payload}"

    def checks(self) -> Iterator[Check]:
        """Yield the checks, in the order in which what they find is best mended."""
        stuck = StuckPackages(self.ledger, self.executions, self.now, self._sweep)
        yield Check("the stack's last deployment", lambda: self._machinery.deployment())
        yield Check("policies", lambda: policies.find(self.policies))
        yield Check("rules", lambda: self._machinery.rules())
        yield Check("readers of queues", lambda: self._machinery.readers())
        yield Check("dead letters", self._dead_letters)
        yield Check("the sweep", lambda: self._machinery.sweeps())
        yield Check("validations", stuck.validations)
        yield Check("claims", stuck.claims)
        yield Check("overdue steps", stuck.steps)
        yield Check("models that should be gone", stuck.models)
        yield Check("alarms", lambda: self._machinery.alarms())

    @property
    def _machinery(self) -> Machinery:
        return Machinery(self.stack, self._parts, self.clients, self.now, self._sweep)

    def _dead_letters(self) -> Iterator[Finding]:
        sqs = self.clients("sqs")
        queues = self._parts.dead_letter_queues().items()
        logs = dead_letters.FunctionLogs(self.clients("logs"), self._parts)
        return dead_letters.find([dead_letters.DeadLetterQueue(sqs, *each) for each in queues], logs)
