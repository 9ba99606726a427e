"""Packages that are stuck: validations without a verdict, dead claims, steps that nobody takes, models still in use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, takewhile
from typing import Any, Protocol

from signoff.documents import timestamps
from signoff.documents.text import counted
from signoff.ledger import attempts
from signoff.ledger.entries import Status, Step
from signoff.ledger.history import History
from signoff.ledger.state import State
from signoff.report.document import reason
from signoff_cli.operations.findings import Finding

# Packages of one kind that are looked at one by one; that there are more is said.
MOST = 20
# After this the sweep, which comes every 15 minutes, ought to have moved on whatever it can.
OVERDUE = timedelta(hours=1)
_RUNNING = {"RUNNING", "PENDING_REDRIVE"}
_STEPS = {
    Step.VALIDATE: "no validation has begun",
    Step.UPDATE_REGISTRY: "SageMaker does not show its status yet",
    Step.CREATE_MODEL: "it is approved, and has no model yet",
}
# By which status `signoff list` shows all of a kind, where it can.
_LISTED = {
    "validation_error": Status.VALIDATION_ERRORED,
    "dead_claim": Status.VALIDATING,
    "overdue_step": None,
    "model_in_use": None,
}
Row = Mapping[str, Any]


class LedgerReader(Protocol):
    """What is read of the ledger (`signoff.aws.ledger_table.LedgerTable`)."""

    def history(self, package: str) -> History: ...  # noqa: D102
    def rows_by_status(self, status: Status) -> Iterator[dict[str, Any]]: ...  # noqa: D102
    def rows_by_step(self, step: Step) -> Iterator[dict[str, Any]]: ...  # noqa: D102


class ExecutionReader(Protocol):
    """What is asked of Step Functions (`signoff.aws.step_functions.Executions`)."""

    def status(self, execution: str) -> str: ...  # noqa: D102


@dataclass(frozen=True)
class StuckPackages:
    """Finds packages that wait for what does not come. `sweep` is the command that has the sweep run at once."""

    ledger: LedgerReader
    executions: ExecutionReader
    now: datetime
    sweep: str

    def validations(self) -> Iterator[Finding]:
        """Yield a finding for each validation that ended without a verdict, the oldest first."""
        rows = self.ledger.rows_by_status(Status.VALIDATION_ERRORED)
        yield from self._each("validation_error", rows, self._errored)

    def claims(self) -> Iterator[Finding]:
        """Yield a finding for each package whose claim is of an execution that has ended and recorded nothing."""
        yield from self._each("dead_claim", self._overdue(Step.FINISH_VALIDATION), self._claimed)

    def steps(self) -> Iterator[Finding]:
        """Yield a finding for each package that has waited for its next step for longer than `OVERDUE`."""
        for step, what in _STEPS.items():
            yield from self._each("overdue_step", self._overdue(step), lambda row, what=what: self._waiting(row, what))

    def models(self) -> Iterator[Finding]:
        """Yield a finding for each model that is no longer approved and exists."""
        yield from self._each("model_in_use", self.ledger.rows_by_step(Step.RETIRE_MODEL), self._standing)

    def _each(self, kind: str, rows: Iterable[Row], look: Any) -> Iterator[Finding]:
        """Yield what `look` says of each row; of more than `MOST`, how many there are at least."""
        rows = iter(rows)
        for row in islice(rows, MOST):
            found = look(row)
            if found:
                yield found
        more = sum(1 for _ in islice(rows, 1000))
        if more:
            least = "at least " if more == 1000 else ""
            what = f"{least}{counted(more, 'further package')} of this kind"
            listed = _LISTED[kind]
            commands = (f"signoff list --status {listed}" if listed else self.sweep,)
            yield Finding(kind, "more", what, f"only the first {MOST} are looked at one by one", commands)

    def _overdue(self, step: Step) -> Iterator[Row]:
        before = timestamps.text(self.now - OVERDUE)
        # The longest waiting come first: those that are under way are not read.
        return takewhile(lambda row: row["since"] <= before, self.ledger.rows_by_step(step))

    def _errored(self, row: Row) -> Finding:
        history = self.ledger.history(row["package"])
        commands: tuple[str, ...]
        why, state = reason(history) or "its ledger does not say", history.state
        if state.attempt >= attempts.MOST:
            commands = (f"signoff reject {_name(row)} --reason 'It cannot be validated'",)
            why += f"; it was validated {state.attempt} times, which is the most there may be: submit the model anew"
        else:
            commands = (f"signoff show {_name(row)}", f"signoff revalidate {_name(row)} --wait")
        coming = row.get("next_attempt")
        by_itself = coming if coming and timestamps.parse(coming) > self.now - OVERDUE else None
        what = "its validation ended without a verdict"
        return Finding("validation_error", _name(row), what, why, commands, row["since"], by_itself)

    def _claimed(self, row: Row) -> Finding | None:
        execution = self.ledger.history(row["package"]).state.execution or ""
        status = self.executions.status(execution)
        if status in _RUNNING:
            return None
        why = f"{execution} is {status} and recorded no result, and the sweep has not released the claim"
        commands = (self.sweep, f"signoff revalidate {_name(row)} --wait")
        return Finding("dead_claim", _name(row), "its validation died", why, commands, row["since"])

    def _waiting(self, row: Row, what: str) -> Finding:
        state = self.ledger.history(row["package"]).state
        why = _failures(state) or "its event was lost, or its function fails: dead letters and alarms say more"
        return Finding("overdue_step", _name(row), what, why, (self.sweep, f"signoff show {_name(row)}"), row["since"])

    def _standing(self, row: Row) -> Finding | None:
        state = self.ledger.history(row["package"]).state
        endpoints = _endpoints(state)
        if not endpoints and row["since"] > timestamps.text(self.now - OVERDUE):
            return None
        used = f"used by {', '.join(endpoints)}" if endpoints else "not deleted yet"
        why = f"the package is {state.status}, and its model is {used}"
        failed = _failures(state)
        moves = tuple(
            f"aws sagemaker update-endpoint --endpoint-name {each} --endpoint-config-name <of another model>"
            for each in endpoints
        )
        commands = (*moves, self.sweep)
        what = "its model should be gone"
        return Finding("model_in_use", _name(row), what, f"{why}; {failed}" if failed else why, commands, row["since"])


def _name(row: Row) -> str:
    return f"{row['group']}/{row['version']}" if row.get("group") and row.get("version") else str(row["arn"])


def _failures(state: State) -> str:
    return "; ".join(f"{place}: {target.failed}" for place, target in state.targets.items() if target.failed)


def _endpoints(state: State) -> list[str]:
    """Return the names of the endpoints that keep a model from being deleted, in all places."""
    blocking = (
        *state.retirement_blocked_by,
        *(each for target in state.targets.values() for each in target.blocked_by),
    )
    return list(dict.fromkeys(each.rpartition("/")[2] for each in blocking))
