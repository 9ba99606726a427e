"""Metrics of predictions against what is known to be true, computed from a stream of rows.

What is kept of a row is counted in a few numbers, but for a binary classifier's probabilities, of which the area under
the curve needs every one: 8 bytes a row, and 8 more for each column that rows are sliced by. So a million rows
(`ROWS`) are the most. The definitions are those of scikit-learn, which the tests hold this against; where it would give
0 with a warning, because a ratio has nothing below its line, there is no value here but a reason (`skipped`).
https://scikit-learn.org/stable/modules/model_evaluation.html
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite, log, sqrt
from sys import float_info
from typing import Any

from signoff.metrics.rows import ROWS, SECTIONS, Row, Task, Unmeasurable, check

SLICES = 50  # groups of rows, over all columns that they are sliced by
BINS = 10
_EDGES = [step * 0.1 for step in range(1, BINS)]


@dataclass(frozen=True)
class Score:
    """One metric: of all rows, or of those of a `slice`. `best_constant` is what always saying the same would reach."""

    name: str
    value: float
    slice: str | None = None
    best_constant: float | None = None


@dataclass
class Scores:
    """The metrics of all rows and of each slice, the confusion matrix (`[actual][predicted]`) and what has no value."""

    rows: int = 0
    values: list[Score] = field(default_factory=list)
    confusion: dict[str, dict[str, int]] | None = None
    skipped: list[tuple[str, str | None, str]] = field(default_factory=list)  # name, slice, reason

    def document(self, task: Task, dataset: str) -> dict[str, Any]:
        """Return the quality document that Model Monitor would write, over the data set of that SHA-256.

        It does not know all of these metrics: `log_loss`, `brier`, `ece`, and the averages that are not weighted.
        """
        section = SECTIONS[task.kind]
        whole: dict[str, Any] = {section: self._of(None)}
        slices = sorted({each.slice for each in self.values if each.slice is not None})
        if slices:
            whole["slices"] = {name: {section: self._of(name)} for name in slices}
        return {**whole, "dataset": {"item_count": self.rows, "sha256": dataset}}

    def _of(self, group: str | None) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for each in self.values:
            if each.slice == group:
                found[each.name] = {"value": each.value}
                if each.best_constant is not None:
                    found[f"{each.name}_best_constant_classifier"] = {"value": each.best_constant}
        return {**found, "confusion_matrix": self.confusion} if self.confusion and group is None else found


def score(task: Task, rows: Iterable[Row]) -> Scores:
    """Return the metrics of `rows`. Raises `Unmeasurable` for what is no label or number of the task, and for no rows.

    Also for more than `ROWS` rows, and more than `SLICES` slices.
    """
    found: dict[str | None, _Tally] = {None: _tally(task)}
    number = 0
    for number, row in enumerate(rows, 1):
        if number > ROWS:
            raise Unmeasurable(f"there are more than {ROWS:,} rows")
        check(task, row, number)
        for group in (None, *row.slices):
            if group not in found:
                if len(found) > SLICES:
                    raise Unmeasurable(f"row {number}: there are more than {SLICES} slices, the last `{group}`")
                found[group] = _tally(task)
            found[group].add(row)
    if not number:
        raise Unmeasurable("there are no rows")
    scores = Scores(number, confusion=found[None].confusion())
    for group in sorted(found, key=lambda name: (name is not None, name)):
        _collect(scores, group, found[group])
    return scores


def of_labels(task: Task, pairs: Mapping[tuple[str, str], int]) -> dict[str, float]:
    """Return the metrics that are functions of how often each label (first) was predicted as each (second)."""
    tally = (_Binary if task.kind == "binary" else _Multiclass)(task.labels)
    tally.pairs, tally.rows = Counter(pairs), sum(pairs.values())
    return {name: value for name, value in tally.metrics() if not isinstance(value, str)}


def losses(task: Task, row: Row) -> tuple[float, float]:
    """Return the log loss and the squared error of a row's probabilities."""
    if task.kind == "binary":
        return _losses_of_two(row.probabilities[0], row.actual == task.labels[-1])
    return _losses(_shares(row.probabilities), task.labels.index(str(row.actual)))


def _losses_of_two(said: float, true: bool) -> tuple[float, float]:
    return -_log(said if true else 1 - said), (said - true) ** 2


def _losses(shares: Sequence[float], true: int) -> tuple[float, float]:
    return -_log(shares[true]), sum((said - (at == true)) ** 2 for at, said in enumerate(shares))


def _shares(probabilities: Sequence[float]) -> list[float]:
    total = sum(probabilities)
    return [each / total for each in probabilities]


def _collect(scores: Scores, group: str | None, tally: _Tally) -> None:
    for name, value in tally.metrics():
        if isinstance(value, str):
            scores.skipped.append((name, group, value))
        elif not isfinite(value):
            scores.skipped.append((name, group, "is larger than a number may be"))
        else:
            best = tally.best_constant() if name == "accuracy" else None
            scores.values.append(Score(name, value, group, best))


Metrics = Iterator[tuple[str, float | str]]  # a name, and the value or why there is none


class _Tally:
    """What is counted of rows."""

    def add(self, row: Row) -> None:
        """Count one row."""
        raise NotImplementedError

    def metrics(self) -> Metrics:
        """Yield the metrics of what was counted."""
        raise NotImplementedError

    def confusion(self) -> dict[str, dict[str, int]] | None:
        """Return the confusion matrix, where there is one."""
        return None

    def best_constant(self) -> float | None:
        """Return the accuracy of always saying the most frequent label, where there are labels."""
        return None


def _tally(task: Task) -> _Tally:
    if task.kind == "regression":
        return _Errors()
    return (_Binary if task.kind == "binary" else _Multiclass)(task.labels)


class _Errors(_Tally):
    """The errors of a regression; variances by Welford's method, which loses no digits to large means."""

    def __init__(self) -> None:
        self.rows, self.absolute, self.squared, self.mean, self.variation = 0, 0.0, 0.0, 0.0, 0.0

    def add(self, row: Row) -> None:
        actual, error = float(row.actual), float(row.actual) - float(row.predicted)
        self.rows += 1
        self.absolute += abs(error)
        self.squared += error * error
        from_mean = actual - self.mean
        self.mean += from_mean / self.rows
        self.variation += from_mean * (actual - self.mean)

    def metrics(self) -> Metrics:
        yield "mae", self.absolute / self.rows
        yield "mse", self.squared / self.rows
        yield "rmse", sqrt(self.squared / self.rows)
        yield "r2", 1 - self.squared / self.variation if self.variation else "all rows have the same true value"


class _Labels(_Tally):
    """The confusion matrix, and sums over probabilities."""

    def __init__(self, labels: Sequence[str]) -> None:
        self.labels, self.pairs, self.rows = labels, Counter[tuple[str, str]](), 0
        self.probable, self.loss, self.squared = 0, 0.0, 0.0
        self.counts, self.said, self.right = [0] * BINS, [0.0] * BINS, [0] * BINS

    def add(self, row: Row) -> None:
        self.pairs[str(row.actual), str(row.predicted)] += 1
        self.rows += 1
        if row.probabilities:
            self.probable += 1
            self.add_probabilities(str(row.actual), row.probabilities)

    def add_probabilities(self, actual: str, probabilities: Sequence[float]) -> None:
        """Count the probabilities of one row."""
        raise NotImplementedError

    def lose(self, loss: float, squared: float) -> None:
        """Add the losses of one row."""
        self.loss += loss
        self.squared += squared

    def calibrate(self, said: float, right: bool) -> None:
        """Count one probability, and whether what it was said of was true, in one of ten bins: (0.1, 0.2] and so on."""
        at = bisect_left(_EDGES, said)
        self.counts[at] += 1
        self.said[at] += said
        self.right[at] += right

    def confusion(self) -> dict[str, dict[str, int]]:
        return {actual: {said: self.pairs[actual, said] for said in self.labels} for actual in self.labels}

    def best_constant(self) -> float:
        return max(self.actual(label) for label in self.labels) / self.rows

    def actual(self, label: str) -> int:
        """Return how many rows truly have that label."""
        return sum(self.pairs[label, said] for said in self.labels)

    def predicted(self, label: str) -> int:
        """Return of how many rows that label was predicted."""
        return sum(self.pairs[true, label] for true in self.labels)

    def accuracy(self) -> float:
        """Return the share of rows with the right label."""
        return sum(self.pairs[label, label] for label in self.labels) / self.rows

    def of_probabilities(self) -> Metrics:
        """Yield what probabilities are needed for.

        `ece` is the expected calibration error: ten bins of equal width over the probability that was said, and of each
        the distance between its mean and the share of rows that were right, weighted by rows. For several classes the
        probability is that of the most probable one (Guo et al. 2017, https://arxiv.org/abs/1706.04599).
        """
        if self.probable < self.rows:
            for name in ("log_loss", "brier", "ece"):
                yield name, "not every row has probabilities"
            return
        yield "log_loss", self.loss / self.rows
        yield "brier", self.squared / self.rows
        gaps = (abs(said - right) for said, right in zip(self.said, self.right, strict=True))
        yield "ece", sum(gaps) / self.rows


class _Binary(_Labels):
    """A binary classifier: its positive label is the last one."""

    def __init__(self, labels: Sequence[str]) -> None:
        super().__init__(labels)
        self.positive = labels[-1]
        self.scores = {True: array("d"), False: array("d")}

    def add_probabilities(self, actual: str, probabilities: Sequence[float]) -> None:
        said, true = probabilities[0], actual == self.positive
        self.scores[true].append(said)
        self.lose(*_losses_of_two(said, true))
        self.calibrate(said, true)

    def metrics(self) -> Metrics:
        right = self.pairs[self.positive, self.positive]
        actual, predicted = self.actual(self.positive), self.predicted(self.positive)
        none = f"no row is truly {self.positive}"
        yield "accuracy", self.accuracy()
        yield "precision", right / predicted if predicted else f"no row is predicted to be {self.positive}"
        yield "recall", right / actual if actual else none
        yield "f1", 2 * right / (actual + predicted) if actual + predicted else none
        yield "auc", self.area() if self.probable == self.rows else "not every row has a probability"
        yield from self.of_probabilities()

    def area(self) -> float | str:
        """Return the area under the receiver operating characteristic, by ranks, ties counting half."""
        positive, negative = sorted(self.scores[True]), sorted(self.scores[False])
        if not positive or not negative:
            return "all rows have the same true label"
        above = sum(bisect_left(negative, said) + bisect_right(negative, said) for said in positive)
        return above / (2 * len(positive) * len(negative))


class _Multiclass(_Labels):
    """A classifier of several labels. Averages are over the labels that are true or predicted in any row."""

    def add_probabilities(self, actual: str, probabilities: Sequence[float]) -> None:
        true = self.labels.index(actual)
        shares = _shares(probabilities)
        self.lose(*_losses(shares, true))
        said = max(shares)
        self.calibrate(said, shares.index(said) == true)

    def metrics(self) -> Metrics:
        yield "accuracy", self.accuracy()
        yield "micro_f1", self.accuracy()
        seen = [label for label in self.labels if self.actual(label) or self.predicted(label)]
        for average in ("macro", "weighted"):
            weights = [self.actual(label) if average == "weighted" else 1 for label in seen]
            each = [self.of(label) for label in seen]
            for at, name in enumerate(("precision", "recall", "f1")):
                total = sum(weight * found[at] for weight, found in zip(weights, each, strict=True))
                yield f"{average}_{name}", total / sum(weights)
        yield from self.of_probabilities()

    def of(self, label: str) -> tuple[float, float, float]:
        """Return precision, recall and F1 of one label; one that is never predicted, or never true, has 0."""
        right, actual, predicted = self.pairs[label, label], self.actual(label), self.predicted(label)
        return right / (predicted or 1), right / (actual or 1), 2 * right / (actual + predicted)


def _log(probability: float) -> float:
    """Return the logarithm of a probability, not of less than the distance from 1 to the next number."""
    return log(min(max(probability, float_info.epsilon), 1 - float_info.epsilon))
