"""A model's metrics beside the champion's: by how much each differs, how certain that is, and what it comes to.

A difference is the candidate's value less the champion's. It says something only where both were measured on the same
data. What is known decides how certain it is: predictions for the same rows, two confusion matrices, or nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from signoff.metrics import directions, rounding
from signoff.metrics.certainty import Certainty
from signoff.metrics.proportions import comparable, proportion
from signoff.metrics.statistics import Interval, newcombe
from signoff.metrics.values import Measurements, MetricValue


class Verdict(StrEnum):
    """What a difference comes to, in the direction in which the metric is better."""

    BETTER = "better"
    NOT_WORSE = "not-worse"
    INCONCLUSIVE = "inconclusive"
    WORSE = "worse"
    NOT_COMPARED = "not-compared"


@dataclass(frozen=True)
class Terms:
    """How a metric is compared: which way it is better (None: not known), and the least improvement asked for, if any.

    `at_least` is in the metric's unit, or with `relative` a share of the champion's value; a negative one is how much
    worse it may be.
    """

    higher_is_better: bool | None = None
    at_least: float | None = None
    relative: bool = False
    unit: str | None = None
    digits: int | None = None

    def margin(self, champion: float) -> float | None:
        """Return the least improvement in the metric's unit, or None."""
        return None if self.at_least is None else self.at_least * (abs(champion) if self.relative else 1)

    @property
    def bound(self) -> str | None:
        """The least improvement in words, or None."""
        if self.at_least is None:
            return None
        size = abs(self.at_least) * (100 if self.relative else 1)
        if not size:
            return "no worse"
        unit = " %" if self.relative else f" {self.unit}" if self.unit else ""
        return f"{'no worse than by' if self.at_least < 0 else 'better by at least'} {rounding.shown(size)}{unit}"


@dataclass(frozen=True)
class Compared:
    """One metric of both models. `meets` says whether the improvement is as great as asked for, None if it may be."""

    name: str
    candidate: float
    champion: float
    difference: float | None
    interval: Interval | None
    bound: str | None
    verdict: Verdict
    method: str | None
    slice: str | None
    unit: str | None
    meets: bool | None = None

    @property
    def document(self) -> dict[str, Any]:
        """The row as JSON-ready data, as evidence has it."""
        found = {**asdict(self), "interval": list(self.interval) if self.interval else None}
        del found["meets"]
        return {**found, "verdict": str(self.verdict)}


@dataclass(frozen=True)
class Comparison:
    """How two models are compared: the `terms` of metrics by name, and what predictions for the same rows say."""

    terms: Mapping[str, Terms]
    confidence: float
    paired: Sequence[Certainty] = ()

    def rows(self, candidate: Measurements, champion: Measurements, *, same_data: bool) -> list[Compared]:
        """Return every metric that both models have, in the candidate's order.

        Without `same_data` they stand side by side, and nothing is said of the difference.
        """
        if not same_data:
            return [self._beside(one, other) for one, other in _both(candidate, champion)]
        return [self._compared(one, other, candidate, champion) for one, other in _both(candidate, champion)]

    def _beside(self, one: MetricValue, other: MetricValue) -> Compared:
        terms = self.terms_of(one.name)
        nothing = (None, None, terms.bound, Verdict.NOT_COMPARED, None)
        return Compared(one.name, one.value, other.value, *nothing, one.slice, terms.unit)

    def terms_of(self, name: str) -> Terms:
        """Return the terms of a metric, of one that has none which way it is better by its name."""
        return self.terms.get(name) or Terms(directions.higher_is_better(name))

    def _compared(
        self, one: MetricValue, other: MetricValue, candidate: Measurements, champion: Measurements
    ) -> Compared:
        terms = self.terms_of(one.name)
        difference = rounding.difference(one.value, other.value)
        certainty = self._certainty(one, other, candidate, champion)
        verdict, meets = _judged(difference, certainty, terms, other.value, self.confidence)
        return Compared(
            name=one.name,
            candidate=one.value,
            champion=other.value,
            difference=difference,
            interval=certainty.interval if certainty else None,
            bound=terms.bound,
            verdict=verdict,
            method=certainty.method if certainty else None,
            slice=one.slice,
            unit=terms.unit,
            meets=meets,
        )

    def _certainty(
        self, one: MetricValue, other: MetricValue, candidate: Measurements, champion: Measurements
    ) -> Certainty | None:
        about = (one.written, one.slice)
        paired = next((each for each in self.paired if (each.name, each.slice) == about), None)
        if paired or not candidate.confusion or not champion.confusion:
            return paired
        mine, theirs = proportion(one, candidate.confusion), proportion(other, champion.confusion)
        same = comparable(candidate.confusion, champion.confusion)
        if not mine or not theirs or not same or mine.positive != theirs.positive:
            return None
        found = newcombe(mine[:2], theirs[:2], self.confidence)
        return Certainty(one.name, None, found, "Newcombe's hybrid score interval, of counts that are not paired")


def _both(candidate: Measurements, champion: Measurements) -> list[tuple[MetricValue, MetricValue]]:
    theirs = {(value.name, value.slice): value for value in champion.values}
    found = ((value, theirs.get((value.name, value.slice))) for value in candidate.values)
    return [(value, other) for value, other in found if other is not None]


def _judged(
    difference: float, certainty: Certainty | None, terms: Terms, champion: float, confidence: float
) -> tuple[Verdict, bool | None]:
    """Return what a difference comes to, and whether it is the improvement that is asked for.

    Worse is a whole interval below what the margin allows, 0 without one. Where there is no interval the difference
    itself counts.
    """
    if terms.higher_is_better is None:
        return Verdict.NOT_COMPARED, None
    low, high = certainty.interval if certainty else (difference, difference)
    low, high = (low, high) if terms.higher_is_better else (-high, -low)
    by_chance = certainty is not None and certainty.p is not None and certainty.p > 1 - confidence

    def short_of(least: float) -> bool:
        return high < least and not (least == 0 and by_chance)

    asked = terms.margin(champion)
    allowed = min(asked or 0.0, 0.0)
    meets = None if asked is None else True if low >= asked else False if short_of(asked) else None
    if low > 0 and not by_chance:
        return Verdict.BETTER, meets
    if low >= allowed:
        return Verdict.NOT_WORSE, meets
    return Verdict.WORSE if short_of(allowed) else Verdict.INCONCLUSIVE, meets
