"""Which of a confusion matrix's counts a metric is the proportion of, if it is one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from signoff.metrics.values import Confusion, MetricValue

_ROUNDED = 1e-6  # by those who write documents
_OF_ALL = frozenset({"accuracy", "accuracy_score", "micro_f1", "micro_precision", "micro_recall", "weighted_recall"})
_OTHER_NAMES = {
    "recall_score": "recall",
    "true_positive_rate": "recall",
    "sensitivity": "recall",
    "precision_score": "precision",
    "specificity": "true_negative_rate",
}


class Proportion(NamedTuple):
    """Successes and trials, and the class that they are about, None for all."""

    successes: int
    trials: int
    positive: str | None


def proportion(metric: MetricValue, matrix: Confusion | None) -> Proportion | None:
    """Return of what a metric over all rows is the proportion, or None where a matrix does not give its very value.

    A document does not say which class is the positive one: it is the one by which the matrix gives the value, of two
    the last.
    """
    if not matrix or metric.slice is not None:
        return None
    for name in (metric.written.lower(), metric.name.rpartition(".")[2].lower()):
        for found in _proportions(_OTHER_NAMES.get(name, name), matrix):
            if found.trials and abs(found.successes / found.trials - metric.value) <= _ROUNDED:
                return found
    return None


def comparable(one: Confusion, other: Confusion) -> bool:
    """Return whether two matrices may be of the same data set: each class is truly in it as often."""
    return _actual(one) == _actual(other)


def _actual(matrix: Confusion) -> dict[str, int]:
    counts = {actual: sum(row.values()) for actual, row in matrix.items()}
    return {actual: count for actual, count in counts.items() if count}


def _proportions(name: str, matrix: Confusion) -> Iterator[Proportion]:
    if name in _OF_ALL:
        rows = sum(count for row in matrix.values() for count in row.values())
        yield Proportion(sum(row.get(actual, 0) for actual, row in matrix.items()), rows, None)
    classes = list(dict.fromkeys([*matrix, *(label for row in matrix.values() for label in row)]))
    if len(classes) == 2:
        for positive, negative in (classes[::-1], classes):
            if counts := _of_two(name, matrix, positive, negative):
                yield Proportion(*counts, positive)


def _of_two(name: str, matrix: Confusion, positive: str, negative: str) -> tuple[int, int] | None:
    truly, not_truly = matrix.get(positive, {}), matrix.get(negative, {})
    true, missed = truly.get(positive, 0), truly.get(negative, 0)
    false, right = not_truly.get(positive, 0), not_truly.get(negative, 0)
    counts = {
        "recall": (true, true + missed),
        "precision": (true, true + false),
        "true_negative_rate": (right, right + false),
        "false_positive_rate": (false, right + false),
        "false_negative_rate": (missed, true + missed),
    }
    return counts.get(name)
