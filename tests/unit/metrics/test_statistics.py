"""Intervals and tests, held against scipy and statsmodels, and against what their authors published."""

import random
from collections.abc import Callable, Sequence
from math import sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, binomtest, bootstrap, kstest, norm
from sklearn.metrics import roc_auc_score
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.proportion import confint_proportions_2indep

from signoff.metrics import statistics
from signoff.metrics.statistics import Interval, delong, mcnemar, newcombe, paired_bootstrap, wilson

CONFIDENCES = st.sampled_from([0.8, 0.9, 0.95, 0.99])
PROPORTIONS = st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def close(interval: Sequence[float], expected: Sequence[float], within: float = 1e-9) -> bool:
    return all(abs(one - other) <= within for one, other in zip(interval, expected, strict=True))


@given(PROPORTIONS, CONFIDENCES)
def test_wilsons_interval_is_that_of_scipy(proportion: tuple[int, int], confidence: float):
    expected = binomtest(*proportion).proportion_ci(confidence, method="wilson")
    assert close(wilson(*proportion, confidence), expected)


@given(PROPORTIONS, PROPORTIONS, CONFIDENCES)
def test_newcombes_interval_is_that_of_statsmodels(first: tuple[int, int], second: tuple[int, int], confidence: float):
    expected = confint_proportions_2indep(*first, *second, method="newcomb", alpha=1 - confidence)
    assert close(newcombe(first, second, confidence), expected)


@pytest.mark.parametrize(
    ("first", "second", "published"),
    [
        ((56, 70), (48, 80), (0.0524, 0.3339)),
        ((9, 10), (3, 10), (0.1705, 0.8090)),
        ((6, 7), (2, 7), (0.0582, 0.8062)),
        ((5, 56), (0, 29), (-0.0381, 0.1926)),
        ((0, 10), (0, 20), (-0.1611, 0.2775)),
        ((10, 10), (0, 20), (0.6791, 1.0)),
    ],
)
def test_newcombes_interval_is_the_one_that_he_published(
    first: tuple[int, int], second: tuple[int, int], published: tuple[float, float]
):
    assert close(newcombe(first, second, 0.95), published, 5.1e-5)


def test_nothing_tried_says_nothing():
    assert wilson(0, 0, 0.95) == Interval(0.0, 1.0)
    assert newcombe((0, 0), (0, 0), 0.95) == pytest.approx((-sqrt(0.5), sqrt(0.5)))


@given(st.integers(0, 3000), st.integers(0, 3000))
def test_mcnemars_test_is_that_of_statsmodels(only_first: int, only_second: int):
    expected = statsmodels_mcnemar([[7, only_first], [only_second, 9]], exact=True).pvalue
    assert mcnemar(only_first, only_second) == pytest.approx(expected, rel=1e-8, abs=1e-300)


@pytest.mark.parametrize("counts", [(500_000, 501_000), (1_000_000, 1_000_000), (0, 100_000), (10, 2_000_000)])
def test_mcnemars_test_is_quick_and_right_for_millions_of_rows(counts: tuple[int, int]):
    expected = binomtest(counts[0], sum(counts)).pvalue
    assert mcnemar(*counts) == pytest.approx(expected, rel=1e-6, abs=1e-300)


def bootstrapped(
    counts: Sequence[int], difference: Callable[[Sequence[int]], float | None], confidence: float = 0.95, seed: int = 1
) -> Interval | None:
    """Return the interval of the one difference."""
    (found,) = paired_bootstrap(counts, lambda drawn: [difference(drawn)], confidence=confidence, seed=seed)
    return found


def differing(counts: Sequence[int]) -> float:
    """The difference in accuracy between two models, of both right, only the first, only the second, neither."""
    _, first, second, _ = counts
    return (first - second) / sum(counts)


@pytest.mark.parametrize("counts", [(850, 60, 40, 50), (80, 9, 3, 8), (30, 0, 5, 5)])
def test_the_bootstrap_interval_of_counts_is_that_of_scipys_over_rows(counts: tuple[int, ...]):
    rows = np.repeat(np.array([0, 1, -1, 0]), counts)
    expected = bootstrap((rows,), np.mean, method="percentile", n_resamples=20_000, rng=1).confidence_interval
    found = bootstrapped(counts, differing)
    assert found is not None
    assert close(found, expected, 4 * float(rows.std()) / sqrt(rows.size) / sqrt(len(counts) * 100))


def test_the_bootstrap_interval_over_rows_is_that_of_scipys():
    generator = np.random.default_rng(5)
    first = generator.normal(0.0, 1.0, 400)
    second = first + generator.normal(0.1, 0.5, 400)
    gaps = (np.abs(first) - np.abs(second)).tolist()

    def difference(counts: Sequence[int]) -> float:
        return sum(count * gap for count, gap in zip(counts, gaps, strict=True)) / sum(counts)

    expected = bootstrap(
        (first, second),
        lambda one, other, axis: np.mean(np.abs(one) - np.abs(other), axis=axis),
        paired=True,
        vectorized=True,
        method="percentile",
        n_resamples=20_000,
        rng=1,
    ).confidence_interval
    found = bootstrapped([1] * 400, difference, seed=7)
    assert found is not None
    assert close(found, expected, 0.2 * (expected.high - expected.low))


def test_the_same_seed_gives_the_same_interval_and_another_seed_another():
    counts = (8500, 607, 404, 489)
    one, again, other = (bootstrapped(counts, differing, 0.9, seed) for seed in (1, 1, 2))
    assert one == again != other
    # As computed once, by whatever version of Python: evidence names the seed.
    assert one == pytest.approx((0.0150, 0.0255), abs=1e-3)


def test_a_wider_confidence_gives_a_wider_interval():
    narrow, wide = (bootstrapped((850, 60, 40, 50), differing, c) for c in (0.8, 0.99))
    assert narrow is not None
    assert wide is not None
    assert wide.low < narrow.low < narrow.high < wide.high


def test_models_that_never_differ_do_not_differ():
    assert bootstrapped((900, 0, 0, 100), differing) == Interval(0.0, 0.0)


def test_a_difference_that_resamples_often_lack_has_no_interval():
    rare = bootstrapped((1, 999), lambda counts: 1.0 if counts[0] else None)
    assert rare is None
    common = bootstrapped((10, 990), lambda counts: 1.0 if counts[0] else None)
    assert common == Interval(1.0, 1.0)


def test_several_differences_are_resampled_together():
    found = paired_bootstrap((850, 60, 40, 50), lambda counts: [differing(counts), None, 1.0], confidence=0.95, seed=1)
    assert found == [bootstrapped((850, 60, 40, 50), differing), None, Interval(1.0, 1.0)]


def curves(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """True labels, and the scores of two models that agree a good deal; with ties."""
    generator = np.random.default_rng(seed)
    actual = np.arange(rows) % 3 == 0
    common = actual + generator.normal(0, 1, rows)
    return actual, common.round(1), (common + generator.normal(0, 0.7, rows)).round(1)


def test_delongs_interval_is_the_one_of_its_definition():
    actual, first, second = curves(90, seed=3)
    components = []
    for scores in (first, second):
        beside = np.sign(scores[actual][:, None] - scores[~actual][None, :]) / 2 + 0.5
        components.append((beside.mean(axis=1), beside.mean(axis=0)))
    (positive1, negative1), (positive2, negative2) = components
    contrast = np.array([1, -1])
    covariance = np.cov(positive1, positive2) / actual.sum() + np.cov(negative1, negative2) / (~actual).sum()
    error = sqrt(contrast @ covariance @ contrast)
    gap = roc_auc_score(actual, first) - roc_auc_score(actual, second)
    z = float(norm.ppf(0.975))
    both = [(scores[actual].tolist(), scores[~actual].tolist()) for scores in (first, second)]
    found = delong(both[0], both[1], 0.95)
    assert found is not None
    assert close(found, (gap - z * error, gap + z * error))


def test_a_curve_needs_two_rows_of_each_class():
    assert delong(([0.5], [0.1, 0.2]), ([0.5], [0.1, 0.2]), 0.95) is None


@pytest.mark.parametrize(
    ("trials", "probability"), [(5, 0.3), (1000, 0.004), (1000, 0.5), (1_000_000, 0.9), (60, 0.25), (300, 0.97)]
)
def test_binomial_numbers_are_distributed_as_they_should_be(trials: int, probability: float):
    generator = random.Random(3)  # noqa: S311
    drawn = np.array([statistics._binomial(trials, probability, generator) for _ in range(4000)])
    # Smoothed by a fraction below 1, as the test is for continuous distributions.
    smooth = drawn + np.random.default_rng(1).random(4000)

    def cumulative(x: np.ndarray) -> np.ndarray:
        whole = np.floor(x)
        before, at = binom.cdf(whole - 1, trials, probability), binom.pmf(whole, trials, probability)
        return before + at * (x - whole)

    assert kstest(smooth, cumulative).pvalue > 0.001


@settings(max_examples=50)
@given(st.lists(st.integers(0, 1000), min_size=1, max_size=20), st.integers(0, 2**32))
def test_a_resample_has_as_many_rows_and_none_of_a_kind_that_there_is_not(counts: list[int], seed: int):
    drawn = statistics._resampling(counts, random.Random(seed))()  # noqa: S311
    assert sum(drawn) == sum(counts)
    assert all(number == 0 for number, count in zip(drawn, counts, strict=True) if count == 0)
