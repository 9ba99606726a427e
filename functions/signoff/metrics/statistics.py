"""How certain a proportion, and a difference between two models, is: intervals and tests in plain Python.

Intervals are of a confidence between 0 and 1, such as 0.95. Each function tells its source and what it costs. The same
arguments give the same result: whatever is random has a seed.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate
from math import exp, floor, lgamma, log, sqrt
from random import Random
from statistics import NormalDist, fmean, variance
from typing import NamedTuple

RESAMPLES = 1000
_UNDEFINED = 0.05  # of the resamples may have no difference, such as a precision where nothing was found
# Below this mean, waiting for each success is quicker than rejection, which is not exact there either.
_BY_WAITING = 10


class Interval(NamedTuple):
    """A confidence interval, both ends included."""

    low: float
    high: float


def wilson(successes: float, trials: float, confidence: float) -> Interval:
    """Return Wilson's score interval of a proportion.

    E. B. Wilson (1927): Probable inference, the law of succession, and statistical inference. Journal of the American
    Statistical Association 22, 209-212. Without any trial it is all there is, 0 to 1.
    """
    if trials <= 0:
        return Interval(0.0, 1.0)
    z = _quantile(confidence)
    proportion = successes / trials
    centre = proportion + z * z / (2 * trials)
    margin = z * sqrt(proportion * (1 - proportion) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    low = 0.0 if successes <= 0 else (centre - margin) / scale  # exactly, and not but for rounding
    high = 1.0 if successes >= trials else (centre + margin) / scale
    return Interval(low, high)


def newcombe(first: tuple[float, float], second: tuple[float, float], confidence: float) -> Interval:
    """Return the hybrid score interval of the difference between two independent proportions, first less second.

    Both are successes and trials. R. G. Newcombe (1998): Interval estimation for the difference between independent
    proportions: comparison of eleven methods. Statistics in Medicine 17, 873-890: method 10. Of two models over the
    same rows, whose errors coincide, it is wider than it had to be.
    """
    (low1, high1), (low2, high2) = wilson(*first, confidence), wilson(*second, confidence)
    one, other = _proportion(*first), _proportion(*second)
    below = sqrt((one - low1) ** 2 + (high2 - other) ** 2)
    above = sqrt((high1 - one) ** 2 + (other - low2) ** 2)
    return Interval(one - other - below, one - other + above)


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the two-sided p-value of McNemar's test in its exact form, over the rows that only one model gets right.

    Q. McNemar (1947): Note on the sampling error of the difference between correlated proportions or percentages.
    Psychometrika 12, 153-157; the exact form is a binomial test with probability 1/2. It costs as many steps as the
    terms of that sum that count, some times the square root of the rows.
    """
    rows, fewer = only_first + only_second, min(only_first, only_second)
    term = exp(lgamma(rows + 1) - lgamma(fewer + 1) - lgamma(rows - fewer + 1) - rows * log(2))
    tail, count = 0.0, fewer
    while count >= 0 and term > tail * 1e-17:
        tail += term
        term *= count / (rows - count + 1)
        count -= 1
    return min(1.0, 2 * tail)


def paired_bootstrap(
    counts: Sequence[int],
    differences: Callable[[Sequence[int]], Sequence[float | None]],
    *,
    confidence: float,
    seed: int,
    resamples: int = RESAMPLES,
) -> list[Interval | None]:
    """Return the percentile bootstrap interval of each of several differences between two models over the same rows.

    `counts` are the numbers of rows that are alike for both models, kind by kind (1 each if no two are); `differences`
    returns metrics of the first model less those of the second for other such counts, None for one without a value.
    B. Efron, R. J. Tibshirani (1993): An Introduction to the Bootstrap, chapter 13; rows are drawn together with both
    models' predictions, so what they have in common cancels out.

    It calls `differences` 1,000 times, or as often as `resamples` says, and draws whole counts from a multinomial
    distribution: a million rows of 8 kinds cost 0.05 seconds, 1,000 kinds of a row each half a second. Metrics that are
    sums over rows need not have a kind for each row: sums over some 1,000 random groups of rows are resampled as well.
    There is no interval (None) for a difference that more than one in twenty resamples does not have.
    """
    draw = _resampling(counts, Random(seed))  # noqa: S311 - to be repeated, not to be guessed
    drawn = [differences(draw()) for _ in range(resamples)]
    return [_percentiles(each, confidence) for each in zip(*drawn, strict=True)]


def _percentiles(drawn: Sequence[float | None], confidence: float) -> Interval | None:
    defined = sorted(each for each in drawn if each is not None)
    if len(defined) < len(drawn) * (1 - _UNDEFINED):
        return None
    outside = floor((len(defined) + 1) * (1 - confidence) / 2)
    return Interval(defined[max(0, outside - 1)], defined[min(len(defined) - 1, len(defined) - outside)])


def delong(
    first: tuple[Sequence[float], Sequence[float]], second: tuple[Sequence[float], Sequence[float]], confidence: float
) -> Interval | None:
    """Return the interval of the difference between the areas under two models' ROC curves, over the same rows.

    Of both, the scores of the positive and those of the negative rows, each in the same order; None for less than two
    of either. E. R. DeLong, D. M. DeLong, D. L. Clarke-Pearson (1988): Comparing the areas under two or more correlated
    receiver operating characteristic curves: a nonparametric approach. Biometrics 44, 837-845. It costs sorting the
    scores: a million rows some 10 seconds.
    """
    if min(map(len, first)) < 2:
        return None
    (positive1, negative1), (positive2, negative2) = _components(*first), _components(*second)
    of_positives = [one - other for one, other in zip(positive1, positive2, strict=True)]
    of_negatives = [one - other for one, other in zip(negative1, negative2, strict=True)]
    error = sqrt(variance(of_positives) / len(of_positives) + variance(of_negatives) / len(of_negatives))
    difference, margin = fmean(of_positives), _quantile(confidence) * error
    return Interval(difference - margin, difference + margin)


def _components(positive: Sequence[float], negative: Sequence[float]) -> tuple[list[float], list[float]]:
    """Return of each row the share of the other class that it is ranked rightly beside, ties counting half."""
    positives, negatives = sorted(positive), sorted(negative)
    below = [_rank(negatives, score) / len(negatives) for score in positive]
    above = [1 - _rank(positives, score) / len(positives) for score in negative]
    return below, above


def _rank(scores: Sequence[float], score: float) -> float:
    return (bisect_left(scores, score) + bisect_right(scores, score)) / 2


def _proportion(successes: float, trials: float) -> float:
    return successes / trials if trials > 0 else 0.5  # the middle of its interval


def _quantile(confidence: float) -> float:
    return NormalDist().inv_cdf((1 + confidence) / 2)


def _resampling(counts: Sequence[int], random: Random) -> Callable[[], Sequence[int]]:
    """Return what draws as many rows as `counts` has, with replacement."""
    rows = sum(counts)
    if rows > 2 * len(counts):
        left = [*accumulate(reversed(counts))][::-1]
        return lambda: _counted(counts, left, random)
    # As many draws as rows, then, rather than a binomial number for each kind.
    kinds = [kind for kind, count in enumerate(counts) for _ in range(count)]
    return lambda: _drawn(kinds, len(counts), random)


def _counted(counts: Sequence[int], left: Sequence[int], random: Random) -> Sequence[int]:
    """Return a multinomial number for each of `counts`; `left` are the sums of each and those behind it."""
    rows, drawn = left[0], []
    for count, these in zip(counts, left, strict=True):
        number = _binomial(rows, count / these, random) if these else 0
        drawn.append(number)
        rows -= number
    return drawn


def _drawn(kinds: Sequence[int], number: int, random: Random) -> Sequence[int]:
    rows, drawn, uniform = len(kinds), [0] * number, random.random
    for _ in kinds:
        drawn[kinds[int(uniform() * rows)]] += 1
    return drawn


def _binomial(trials: int, probability: float, random: Random) -> int:
    """Return a random number from a binomial distribution: `random.binomialvariate`, which Python has since 3.12."""
    if probability > 0.5:
        return trials - _binomial(trials, 1 - probability, random) if probability < 1 else trials
    if trials * probability < _BY_WAITING:
        return _by_waiting(trials, probability, random)
    return _by_rejection(trials, probability, random)


def _by_waiting(trials: int, probability: float, random: Random) -> int:
    """Count successes by the number of trials between them, which is geometric.

    L. Devroye (1986): Non-Uniform Random Variate Generation, X.4.3.
    """
    if probability <= 0:
        return 0
    successes, passed, scale = 0, 0, log(1 - probability)
    while True:
        passed += floor(log(1 - random.random()) / scale) + 1
        if passed > trials:
            return successes
        successes += 1


def _by_rejection(trials: int, probability: float, random: Random) -> int:
    """Draw by transformed rejection with squeeze.

    W. Hörmann (1993): The generation of binomial random variates. Journal of Statistical Computation and Simulation
    46, 101-110: BTRS.
    """
    spread = sqrt(trials * probability * (1 - probability))
    b = 1.15 + 2.53 * spread
    a = -0.0873 + 0.0248 * b + 0.01 * probability
    centre = trials * probability + 0.5
    alpha = (2.83 + 5.1 / b) * spread
    mode = floor((trials + 1) * probability)
    odds = log(probability / (1 - probability))
    most = lgamma(mode + 1) + lgamma(trials - mode + 1)
    while True:
        u, v = random.random() - 0.5, 1 - random.random()
        us = 0.5 - abs(u)
        number = floor((2 * a / us + b) * u + centre) if us else -1
        if us >= 0.07 and v <= 0.92 - 4.2 / b:
            return number
        if 0 <= number <= trials:
            height = log(v * alpha / (a / (us * us) + b))
            if height <= most - lgamma(number + 1) - lgamma(trials - number + 1) + (number - mode) * odds:
                return number
