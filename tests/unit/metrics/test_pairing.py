"""How certain differences are over the same rows: held against scipy's bootstrap over the rows themselves."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.stats import bootstrap

from signoff.documents.canonical_json import canonical
from signoff.metrics.certainty import Certainty, certainty_of
from signoff.metrics.pairing import certainties
from signoff.metrics.rows import Row, Task
from signoff.metrics.statistics import Interval

BINARY = Task("binary", ("no", "yes"))
REGRESSION = Task("regression")


def binary(rows: int, seed: int = 1, slices: tuple[str, ...] = ()) -> list[tuple[Row, Row]]:
    """Rows with the probabilities of two models, the first of which is a little better."""
    generator = np.random.default_rng(seed)
    pairs = []
    for at in range(rows):
        actual = at % 3 == 0
        common, own = generator.normal(0.6 if actual else 0.4, 0.15), generator.normal(0, 0.12)
        both = [float(np.clip(each, 0.01, 0.99)) for each in (common, common + own)]
        mine, theirs = (
            Row("yes" if actual else "no", "yes" if each >= 0.5 else "no", (each,), slices[at % 2 : at % 2 + 1])
            for each in both
        )
        pairs.append((mine, theirs))
    return pairs


def regression(rows: int, seed: int = 1) -> list[tuple[Row, Row]]:
    generator = np.random.default_rng(seed)
    actual = generator.normal(1000, 10, rows)
    mine, theirs = actual + generator.normal(0, 3, rows), actual + generator.normal(0, 4, rows)
    return [
        (Row(float(a), float(b), (), ()), Row(float(a), float(c), (), ()))
        for a, b, c in zip(actual, mine, theirs, strict=True)
    ]


def named(found: list[Certainty], name: str, of_slice: str | None = None) -> Certainty:
    (certainty,) = [each for each in found if (each.name, each.slice) == (name, of_slice)]
    return certainty


def of_scipy(statistic: Callable[..., Any], *columns: Any) -> Interval:
    found = bootstrap(
        tuple(map(np.array, columns)),
        statistic,
        paired=True,
        method="percentile",
        n_resamples=1000,
        rng=1,
        vectorized=False,
    ).confidence_interval
    return Interval(found.low, found.high)


def near(found: Interval, expected: Interval) -> bool:
    width = expected.high - expected.low
    return abs(found.low - expected.low) < 0.2 * width and abs(found.high - expected.high) < 0.2 * width


PAIRS = binary(300)
FOUND = certainties(BINARY, PAIRS, 0.95)


def test_every_metric_of_a_binary_classifier_but_its_calibration_has_an_interval():
    assert {each.name for each in FOUND} == {"accuracy", "precision", "recall", "f1", "log_loss", "brier", "auc"}
    assert {each.slice for each in FOUND} == {None}
    assert named(FOUND, "accuracy").p is not None
    assert named(FOUND, "f1").p is None


@pytest.mark.parametrize(
    ("name", "metric"),
    [
        ("accuracy", lambda actual, predicted, _: np.mean(actual == predicted)),
        ("f1", lambda actual, predicted, _: 2 * np.dot(actual, predicted) / (np.sum(actual) + np.sum(predicted))),
        ("log_loss", lambda actual, _, said: -np.mean(np.where(actual, np.log(said), np.log(1 - said)))),
        ("brier", lambda actual, _, said: np.mean((said - actual) ** 2)),
    ],
)
def test_intervals_of_classifiers_are_those_of_scipy_over_the_rows(name: str, metric: Callable[..., float]):
    actual = np.array([float(mine.actual == "yes") for mine, _ in PAIRS])
    labels = [np.array([float(pair[model].predicted == "yes") for pair in PAIRS]) for model in (0, 1)]
    said = [np.array([pair[model].probabilities[0] for pair in PAIRS]) for model in (0, 1)]

    def difference(*columns: Any) -> float:
        true, mine, theirs, said_mine, said_theirs = columns
        return metric(true, mine, said_mine) - metric(true, theirs, said_theirs)

    assert near(named(FOUND, name).interval, of_scipy(difference, actual, *labels, *said))


@pytest.mark.parametrize(
    ("name", "metric"),
    [
        ("mae", lambda actual, said: np.mean(np.abs(actual - said))),
        ("rmse", lambda actual, said: np.sqrt(np.mean((actual - said) ** 2))),
        ("r2", lambda actual, said: 1 - np.sum((actual - said) ** 2) / np.sum((actual - np.mean(actual)) ** 2)),
    ],
)
def test_intervals_of_regressions_are_those_of_scipy_over_the_rows(name: str, metric: Callable[..., float]):
    pairs = regression(250)
    columns = [
        [mine.actual for mine, _ in pairs],
        [mine.predicted for mine, _ in pairs],
        [theirs.predicted for _, theirs in pairs],
    ]

    def difference(actual: Any, mine: Any, theirs: Any) -> float:
        return float(metric(actual, mine) - metric(actual, theirs))

    assert near(named(certainties(REGRESSION, pairs, 0.95), name).interval, of_scipy(difference, *columns))


def test_more_rows_than_groups_say_as_much_as_each_row_by_itself():
    pairs = regression(4000)
    gaps = np.array([abs(a.actual - a.predicted) - abs(b.actual - b.predicted) for a, b in pairs])  # type: ignore[operator]
    error = 1.96 * gaps.std() / np.sqrt(gaps.size)
    expected = Interval(gaps.mean() - error, gaps.mean() + error)
    assert near(named(certainties(REGRESSION, pairs, 0.95), "mae").interval, expected)


def test_slices_have_intervals_of_their_own():
    found = certainties(BINARY, binary(400, slices=("a=1", "a=2")), 0.95)
    assert {each.slice for each in found} == {None, "a=1", "a=2"}
    whole, part = named(found, "accuracy").interval, named(found, "accuracy", "a=1").interval
    assert part.high - part.low > whole.high - whole.low


def test_several_labels_have_averages_and_a_multitude_of_labels_the_accuracy_alone():
    def pairs(labels: int) -> list[tuple[Row, Row]]:
        return [
            (Row(str(at % labels), str((at + (at % 7 == 0)) % labels)), Row(str(at % labels), str(at % labels)))
            for at in range(400)
        ]

    few = certainties(Task("multiclass", tuple("012")), pairs(3), 0.95)
    assert {"accuracy", "macro_f1", "weighted_recall", "micro_f1"} <= {each.name for each in few}
    many = certainties(Task("multiclass", tuple(map(str, range(90)))), pairs(90), 0.95)
    assert [each.name for each in many] == ["accuracy"]
    assert many[0].interval.high < 0


def test_without_probabilities_there_are_intervals_of_labels_only():
    pairs = [(Row("yes", "yes"), Row("yes", "no")), (Row("no", "no"), Row("no", "no"))] * 50
    assert {each.name for each in certainties(BINARY, pairs, 0.95)} <= {"accuracy", "precision", "recall", "f1"}


def test_no_rows_have_no_certainty():
    assert certainties(BINARY, [], 0.95) == []
    assert certainties(REGRESSION, [], 0.95) == []


def test_what_was_found_can_be_written_and_read_again_and_is_always_the_same():
    assert certainties(BINARY, binary(300), 0.95) == FOUND
    for each in FOUND:
        assert certainty_of(json.loads(canonical(each.document))) == each
