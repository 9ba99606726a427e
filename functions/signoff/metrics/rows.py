"""What is measured: rows, of which the truth and a model's answer are known, and the task that both are of."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Literal

ROWS = 1_000_000
_SUM = 1e-3  # how far the probabilities of all classes may be from 1 together: servers round them

Kind = Literal["binary", "multiclass", "regression"]
BINARY = ("accuracy", "precision", "recall", "f1", "auc", "log_loss", "brier", "ece")
MULTICLASS = (
    *("accuracy", "micro_f1", "macro_precision", "macro_recall", "macro_f1"),
    *("weighted_precision", "weighted_recall", "weighted_f1", "log_loss", "brier", "ece"),
)
REGRESSION = ("mae", "mse", "rmse", "r2")
# Where Model Monitor's documents have the metrics of a task.
SECTIONS = {
    "binary": "binary_classification_metrics",
    "multiclass": "multiclass_classification_metrics",
    "regression": "regression_metrics",
}
NAMES: dict[str, tuple[str, ...]] = {"binary": BINARY, "multiclass": MULTICLASS, "regression": REGRESSION}


class Unmeasurable(ValueError):
    """Raised when rows cannot be measured; the message names the row and says why."""


class BadAnswer(Unmeasurable):
    """Raised when that is the model's fault: of what it answered, and not of what is true."""


@dataclass(frozen=True)
class Task:
    """What is predicted: `labels` are all classes in the order of their probabilities, of two the last is positive."""

    kind: Kind
    labels: tuple[str, ...] = ()

    def named(self, asked: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """Return which of what is `asked` for, names with JMESPath expressions, are metrics of the task, and where.

        A name of the task's own metrics is that metric, wherever it stands in documents of others.
        """
        section = SECTIONS[self.kind]
        own = {name: f"{section}.{name}.value" for name in NAMES[self.kind]}
        return [(name, own.get(name, path)) for name, path in asked if name in own or path.startswith(f"{section}.")]


@dataclass(frozen=True, slots=True)
class Row:
    """One row: what is true, what was predicted, and how probable each label was said to be.

    For a regression `actual` and `predicted` are numbers, else labels. `probabilities` has the positive label's of a
    binary task, one for each label of others, or nothing. `slices` are the groups that the row belongs to, as
    `column=value`.
    """

    actual: str | float
    predicted: str | float
    probabilities: tuple[float, ...] = ()
    slices: tuple[str, ...] = ()


def check(task: Task, row: Row, number: int) -> None:
    """Raise `Unmeasurable` for a row that is not one of the task."""
    if not _fits(task, row.actual):
        raise Unmeasurable(f"row {number}: the true {_is_none_of(task, row.actual)}")
    if not _fits(task, row.predicted):
        raise BadAnswer(f"row {number}: the predicted {_is_none_of(task, row.predicted)}")
    if row.probabilities:
        _check_probabilities(task, row.probabilities, number)


def _fits(task: Task, value: str | float) -> bool:
    if task.kind == "regression":
        return isinstance(value, int | float) and isfinite(value)
    return value in task.labels


def _is_none_of(task: Task, value: str | float) -> str:
    if task.kind == "regression":
        return f"value is {value!r}, no finite number"
    return f"label is {value!r}, none of {', '.join(task.labels)}"


def _check_probabilities(task: Task, probabilities: Sequence[float], number: int) -> None:
    if any(not 0 <= each <= 1 for each in probabilities):  # NaN is neither
        raise BadAnswer(f"row {number}: {list(probabilities)} are not probabilities, from 0 to 1")
    expected = {"binary": 1, "multiclass": len(task.labels), "regression": 0}[task.kind]
    if len(probabilities) != expected:
        raise BadAnswer(f"row {number}: {len(probabilities)} probabilities instead of {expected}")
    if expected > 1 and abs(sum(probabilities) - 1) > _SUM:
        raise BadAnswer(f"row {number}: the probabilities of all labels add up to {sum(probabilities):.6g}, not 1")


def label_key(label: str | float) -> Hashable:
    """Return what labels are compared by: `1.0`, which many servers answer, is the label `1`."""
    try:
        number = float(label)
    except ValueError:
        return label
    return number if isfinite(number) else label
