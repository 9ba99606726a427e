"""How certain the differences between two models are that predicted the same rows.

What both have in common cancels out. Metrics of labels are resampled as counts of rows that are alike, those that are
sums over rows as sums over random groups of rows. Resampling takes some seconds however many rows there are,
and counting them half a minute for a million.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from math import sqrt
from operator import mul
from random import Random

from signoff.documents.canonical_json import digest
from signoff.metrics import rounding
from signoff.metrics.certainty import Certainty
from signoff.metrics.rows import Row, Task
from signoff.metrics.scores import losses, of_labels
from signoff.metrics.statistics import RESAMPLES, Interval, delong, mcnemar, paired_bootstrap

BOOTSTRAP = "paired bootstrap"
_GROUPS, _OF_SLICE = 1000, 100  # of rows whose sums are resampled
_STEPS = 4_000_000  # that resampling takes in all, of all rows, and of all slices together: seconds
_FEWEST = 200  # resamples, of which an interval is still read
_SMALL = 0.0001  # p-values below are not told apart
_COUNTING = frozenset({"accuracy", "micro_f1"})  # what McNemar's test is about

Pair = tuple[Row, Row]  # the same row with the candidate's and the champion's prediction
Differences = Callable[[Sequence[int]], dict[str, float]]


def certainties(task: Task, pairs: Iterable[Pair], confidence: float) -> list[Certainty]:
    """Return the certainty of each metric of `scores.score` that has one, of all rows and of each slice.

    None has the calibration error (`ece`), and in slices the area under the curve (`auc`). Both rows of a pair are
    valid ones of the task (`scores.check`), with the same true value and slices.
    """
    kind = _Values if task.kind == "regression" else _Labels
    found: dict[str | None, _Values | _Labels] = {None: kind(task, _GROUPS)}
    for pair in pairs:
        numbers = _numbers(task, pair)
        for name in (None, *pair[0].slices):
            if name not in found:
                found[name] = kind(task, _OF_SLICE)
            found[name].add(pair, numbers)
    slices = max(1, len(found) - 1)
    return [
        certainty
        for name, each in found.items()
        for certainty in each.certainties(name, confidence, _STEPS if name is None else _STEPS // slices)
    ]


def _numbers(task: Task, pair: Pair) -> tuple[float, ...]:
    """Return what is summed up of a row: the losses of both models, nothing if one of them has no probabilities."""
    if task.kind == "regression":
        errors = (float(row.actual) - float(row.predicted) for row in pair)
        return tuple(number for error in errors for number in (abs(error), error * error))
    if not all(row.probabilities for row in pair):
        return ()
    return (*losses(task, pair[0]), *losses(task, pair[1]))


def _resampled(
    of_slice: str | None,
    counts: Sequence[int],
    metrics: Differences,
    confidence: float,
    resamples: int,
) -> dict[str, Interval]:
    """Return the interval of each of the differences that there are, unless too few resamples are affordable."""
    if resamples < _FEWEST or not sum(counts):
        return {}
    names = list(metrics(counts))

    def differences(drawn: Sequence[int]) -> list[float | None]:
        found = metrics(drawn)
        return [found.get(name) for name in names]

    # Nobody chooses the seed, and the same counts give the same intervals.
    seed = int(digest([of_slice, *counts])[:16], 16)
    found = paired_bootstrap(counts, differences, confidence=confidence, seed=seed, resamples=min(RESAMPLES, resamples))
    return {name: interval for name, interval in zip(names, found, strict=True) if interval}


class _Sums:
    """Sums over rows in random groups, which stand for the rows when they are resampled."""

    def __init__(self, groups: int) -> None:
        self._most, self._random = groups, Random(0)  # noqa: S311 - to be repeated, not to be guessed
        self.rows, self.groups = 0, list[list[float]]()

    def add(self, *numbers: float) -> None:
        """Add numbers of one row: to a group of its own as long as there are few rows."""
        if len(self.groups) < self._most:
            self.groups.append([1.0, *numbers])
        else:
            group = self.groups[int(self._random.random() * self._most)]
            for at, number in enumerate((1.0, *numbers)):
                group[at] += number
        self.rows += 1

    def total(self, drawn: Sequence[int]) -> list[float]:
        """Return the number of rows and the sums of each number, with each group as often as `drawn` says."""
        return [sum(map(mul, column, drawn)) for column in self._columns]

    @cached_property
    def _columns(self) -> list[tuple[float, ...]]:
        return list(zip(*self.groups, strict=True))


class _Labels:
    """The labels that two models predicted, and the losses and scores of their probabilities."""

    def __init__(self, task: Task, groups: int) -> None:
        self._task, self._whole = task, groups == _GROUPS
        self._alike = Counter[tuple[str, str, str]]()
        self._sums, self._rows = _Sums(groups), 0
        self._scores = {(model, true): array("d") for model in (0, 1) for true in (False, True)}

    def add(self, pair: Pair, losses: tuple[float, ...]) -> None:
        """Count one row."""
        mine, theirs = pair
        actual = str(mine.actual)
        self._alike[actual, str(mine.predicted), str(theirs.predicted)] += 1
        self._rows += 1
        if losses:
            self._sums.add(*losses)
            if self._task.kind == "binary" and self._whole:
                for model, row in enumerate(pair):
                    self._scores[model, actual == self._task.labels[-1]].append(row.probabilities[0])

    def certainties(self, of_slice: str | None, confidence: float, steps: int) -> Iterable[Certainty]:
        """Yield the certainty of each metric, in that many steps."""
        kinds, counts = list(self._alike), list(self._alike.values())

        def of_models(drawn: Sequence[int]) -> dict[str, float]:
            mine, theirs = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
            for (actual, one, other), count in zip(kinds, drawn, strict=True):
                mine[actual, one] += count
                theirs[actual, other] += count
            return _less(of_labels(self._task, mine), of_labels(self._task, theirs))

        cost = len(kinds) + 10 * len(self._task.labels) ** 2
        p = mcnemar(self._only(1, 2), self._only(2, 1))
        told = f"= {rounding.shown(p, digits=4)}" if p >= _SMALL else f"< {_SMALL}"
        test = f"{BOOTSTRAP} and McNemar's exact test, p {told}"
        found = _resampled(of_slice, counts, of_models, confidence, steps // cost)
        for name, interval in (found or self._accuracy(of_slice, confidence)).items():
            counted = name in _COUNTING
            yield Certainty(name, of_slice, interval, test if counted else BOOTSTRAP, p if counted else None)
        if self._sums.rows == self._rows:
            yield from self._of_probabilities(of_slice, confidence, steps)

    def _accuracy(self, of_slice: str | None, confidence: float) -> dict[str, Interval]:
        """Return the interval of the accuracy alone, for which it does not matter how many labels there are."""
        only = self._only(1, 2), self._only(2, 1)

        def accuracy(drawn: Sequence[int]) -> dict[str, float]:
            return {"accuracy": (drawn[0] - drawn[1]) / self._rows}

        return _resampled(of_slice, [*only, self._rows - sum(only)], accuracy, confidence, RESAMPLES)

    def _only(self, right: int, wrong: int) -> int:
        """Return in how many rows only one of the models is right; they stand at places 1 and 2 of a kind."""
        return sum(n for kind, n in self._alike.items() if kind[right] == kind[0] != kind[wrong])

    def _of_probabilities(self, of_slice: str | None, confidence: float, steps: int) -> Iterable[Certainty]:
        sums = self._sums

        def mean_losses(drawn: Sequence[int]) -> dict[str, float]:
            rows, log_loss, squared, their_log_loss, their_squared = sums.total(drawn)
            return {"log_loss": (log_loss - their_log_loss) / rows, "brier": (squared - their_squared) / rows}

        groups = len(sums.groups)
        for name, interval in _resampled(
            of_slice, [1] * groups, mean_losses, confidence, steps // max(1, groups)
        ).items():
            yield Certainty(name, of_slice, interval, BOOTSTRAP)
        areas = [(self._scores[model, True], self._scores[model, False]) for model in (0, 1)]
        area = delong(areas[0], areas[1], confidence) if self._whole else None
        if area:
            yield Certainty("auc", of_slice, area, "DeLong's test of correlated curves")


class _Values:
    """The errors of two models of a regression."""

    def __init__(self, _task: Task, groups: int) -> None:
        self._sums, self._first = _Sums(groups), 0.0

    def add(self, pair: Pair, errors: tuple[float, ...]) -> None:
        """Count one row."""
        actual = float(pair[0].actual)
        if not self._sums.rows:
            self._first = actual  # near the mean, so that squares lose no digits
        beside = actual - self._first
        self._sums.add(*errors, beside, beside * beside)

    def certainties(self, of_slice: str | None, confidence: float, steps: int) -> Iterable[Certainty]:
        """Yield the certainty of each metric, in that many steps."""
        groups = len(self._sums.groups)
        found = _resampled(of_slice, [1] * groups, self._errors, confidence, steps // max(1, groups))
        return [Certainty(name, of_slice, interval, BOOTSTRAP) for name, interval in found.items()]

    def _errors(self, drawn: Sequence[int]) -> dict[str, float]:
        rows, absolute, squared, their_absolute, their_squared, actual, actual_squared = self._sums.total(drawn)
        variation = actual_squared - actual * actual / rows
        found = {
            "mae": (absolute - their_absolute) / rows,
            "mse": (squared - their_squared) / rows,
            "rmse": sqrt(squared / rows) - sqrt(their_squared / rows),
        }
        return {**found, "r2": (their_squared - squared) / variation} if variation > 0 else found


def _less(mine: Mapping[str, float], theirs: Mapping[str, float]) -> dict[str, float]:
    return {name: value - theirs[name] for name, value in mine.items() if name in theirs}
