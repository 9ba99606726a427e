"""Packages that lack their next step, by the index of those that have one to come."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from signoff.aws.ledger_table import LedgerTable
from signoff.aws.step_functions import Executions
from signoff.documents import timestamps
from signoff.ledger import attempts
from signoff.ledger.entries import Draft, Kind, Step
from signoff.ledger.history import History
from signoff.sweep.acts import Acts, Moves
from signoff.sweep.changes import ChangedPackages

_VALIDATING = (Step.VALIDATE, Step.FINISH_VALIDATION)


@dataclass(frozen=True)
class OpenSteps:
    """Begins the next step of whatever has been waiting for it for too long."""

    ledger: LedgerTable
    executions: Executions
    changed: ChangedPackages

    def move_on(self, acts: Acts, before: datetime, now: datetime, moves: Moves) -> float:
        """Move on what has waited since `before`. Returns the age in seconds of the oldest running validation, or 0."""
        handed: dict[Step, Callable[[Mapping[str, Any]], Any]] = {
            Step.VALIDATE: lambda row: acts.validate(moves, str(Step.VALIDATE), row["arn"]),
            Step.FINISH_VALIDATION: lambda row: self._act(moves, Step.FINISH_VALIDATION, row, self._finish),
            Step.UPDATE_REGISTRY: lambda row: acts.decide(moves, str(Step.UPDATE_REGISTRY), row["arn"]),
            Step.CREATE_MODEL: lambda row: self._act(
                moves, Step.CREATE_MODEL, row, lambda row: acts.nudge("deployments", row["arn"])
            ),
            Step.RETIRE_MODEL: lambda row: self._act(moves, Step.RETIRE_MODEL, row, self.changed.retire),
        }
        oldest = 0.0
        for step in Step:
            with moves.reported("steps"):
                for row in self.ledger.rows_by_step(step):
                    if step in _VALIDATING:
                        oldest = max(oldest, (now - timestamps.parse(row["since"])).total_seconds())
                    if row["since"] <= timestamps.text(before):
                        handed[step](row)
        return oldest

    def _act(self, moves: Moves, step: Step, row: Mapping[str, Any], act: Callable[[Mapping[str, Any]], Any]) -> None:
        moves.act(str(step), (str(step), row["package"]), partial(act, row))

    def _finish(self, row: Mapping[str, Any]) -> None:
        """Release the claim of an execution that died without recording a result."""
        execution = self.ledger.history(row["package"]).verified().state.execution or ""
        status = self.executions.status(execution)
        if status in {"RUNNING", "PENDING_REDRIVE"}:
            return

        def died(history: History) -> list[Draft]:
            state = history.state
            if not state.attempt_open or state.execution != execution:
                return []
            cause = f"its execution is {status} and recorded no result"
            details = {"attempt": state.attempt, "execution": execution, "error": "ExecutionDied", "cause": cause}
            return [Draft(Kind.VALIDATION_ERRORED, "signoff", {**details, **attempts.promise(state.errors)})]

        self.ledger.update(row["package"], died)
