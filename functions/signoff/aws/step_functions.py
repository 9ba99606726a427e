"""Executions of the validation workflow."""

from __future__ import annotations

import json
from typing import Any

from signoff.aws.clients import ignoring


class Executions:
    """The validation workflow in Step Functions."""

    def __init__(self, stepfunctions: Any, state_machine: str) -> None:
        self._stepfunctions = stepfunctions
        self._state_machine = state_machine

    def start(self, arn: str, revalidate: dict[str, str] | None = None) -> str:
        """Start the validation of a package, and return the execution's ARN.

        `revalidate` (`by`, an ARN, and `reason`) starts another attempt after one has ended.
        """
        document: dict[str, Any] = {"detail": {"ModelPackageArn": arn}}
        if revalidate:
            document["revalidate"] = revalidate
        answer = self._stepfunctions.start_execution(stateMachineArn=self._state_machine, input=json.dumps(document))
        return str(answer["executionArn"])

    def status(self, execution: str) -> str:
        """Return an execution's status (`RUNNING`, `FAILED`, ...), or `GONE` when Step Functions no longer has it."""
        with ignoring({"ExecutionDoesNotExist"}):
            return str(self._stepfunctions.describe_execution(executionArn=execution)["status"])
        return "GONE"
