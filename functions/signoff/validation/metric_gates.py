"""The gates on a model's metrics: bounds, what is asked beside the champion, and what is too good to be believed.

What a policy asks of a metric and the candidate's document does not have fails, whatever the policy says of what cannot
be evaluated: whoever writes the document could leave it out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from signoff.metrics import comparison as comparisons
from signoff.metrics.certainty import Certainty
from signoff.metrics.comparison import Compared, Terms
from signoff.metrics.quality import UNEVALUATED
from signoff.metrics.rounding import apart, shown, signed
from signoff.metrics.values import Measurements, MetricValue
from signoff.policy.metrics import Comparison, Metric
from signoff.policy.policy import Policy
from signoff.validation.checks import Check, asking, failed, passed, skipped, unevaluated

_DATA = "data"  # the check of the data set that claims are about


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What is known of the candidate's metrics and the champion's.

    `rows` compare both. `missing` says why there is nothing of the candidate, `because` why they are not compared;
    `first` is True for a group without a champion.
    """

    candidate: Measurements | None
    champion: Measurements | None = None
    rows: Sequence[Compared] = ()
    data: str = "unknown"
    missing: str | None = None
    because: str | None = None
    first: bool = False

    def row(self, name: str, of_slice: str | None) -> Compared | None:
        """Return the row of a metric in a slice, or None."""
        return next((each for each in self.rows if (each.name, each.slice) == (name, of_slice)), None)

    def slices_of(self, metric: Metric) -> list[str]:
        """Return the slices that a metric has to meet its bounds in, on the same data also those of the champion."""
        sides = (self.candidate, self.champion if self.data == "same" else None)
        both = (side.slices for side in sides if side)
        return [name for name in dict.fromkeys(name for slices in both for name in slices) if metric.covers(name)]


def compared(
    policy: Policy,
    candidate: Measurements | None,
    champion: Measurements | None,
    data: str,
    paired: Sequence[Certainty] = (),
) -> list[Compared]:
    """Return each metric of a candidate beside the champion's; `data` says whether it is of the `same` data set.

    `paired` is what predictions for the same rows say of the certainty of differences.
    """
    if candidate is None or champion is None:
        return []
    asked = {metric.name: terms(metric) for metric in policy.metrics}
    comparison = comparisons.Comparison(asked, policy.comparison.confidence, paired)
    return comparison.rows(candidate, champion, same_data=data == "same")


def terms(metric: Metric) -> Terms:
    """Return how a metric is compared with the champion's."""
    margin = metric.against_champion
    return Terms(
        higher_is_better=metric.direction,
        at_least=margin.at_least if margin else None,
        relative=bool(margin and margin.relative),
        unit=metric.unit,
        digits=metric.digits,
    )


def metric_checks(policy: Policy, claimed: Measured, by_signoff: Measured | None = None) -> Iterator[Check]:
    """Yield a check of each thing that a policy asks of a metric: `metric:`, `champion:`, `suspicious:`, by its name.

    What was measured `by_signoff` itself counts, and what is `claimed` only of a metric that was not. The check of a
    slice has the slice behind the name: `champion:auc [country=DE]`.
    """
    for metric in policy.metrics:
        known = by_signoff and by_signoff.candidate and by_signoff.candidate.find(metric.name)
        measured = by_signoff if by_signoff and known else claimed
        gate = _Gate(metric, policy.comparison, measured)
        yield from gate.checks(None)
        if measured.candidate is None:
            continue
        slices = measured.slices_of(metric)
        for of_slice in slices:
            yield from gate.checks(of_slice)
        for pattern in metric.slices:
            if not any(fnmatchcase(each, pattern) for each in slices):
                yield failed(f"metric:{metric.name} [{pattern}]", f"no slice in the document matches `{pattern}`")


def data_check(policy: Policy, claimed: Measurements | None) -> Iterator[Check]:
    """Yield the check of the data set that a submitter's metrics are about, if the policy lists those that may be."""
    listed = policy.comparison.data_sets
    if not listed or claimed is None:
        return
    sha256 = claimed.dataset.sha256
    if sha256 in listed:
        yield passed(_DATA, f"the metrics are about the data set {sha256}, which the policy lists")
    elif sha256:
        yield failed(_DATA, f"the metrics are about the data set {sha256}, which is none of those the policy lists")
    else:
        remedy = "name it by its SHA-256 (EvaluationData in the manifest, or dataset.sha256 in the document)"
        yield failed(_DATA, f"the metrics are about a data set that is not named: {remedy}")


@dataclass(frozen=True)
class _Gate:
    """All that is asked of one metric."""

    metric: Metric
    comparison: Comparison
    measured: Measured

    def checks(self, of_slice: str | None) -> Iterator[Check]:
        metric, candidate = self.metric, self.measured.candidate
        bounded = metric.at_least is not None or metric.at_most is not None
        label = f"{metric.name} [{of_slice}]" if of_slice is not None else metric.name
        value = candidate.find(metric.name, of_slice) if candidate else None
        if value is None:
            gate = "metric" if bounded else "champion" if metric.against_champion else "suspicious"
            yield self._missing(f"{gate}:{label}", of_slice)
            return
        if bounded:
            yield self._bounded(f"metric:{label}", value)
        if metric.compares:
            yield from self._beside(label, of_slice)

    def _missing(self, name: str, of_slice: str | None) -> Check:
        """Return the check of a number that the candidate does not have."""
        candidate, path = self.measured.candidate, self.metric.path
        if candidate is None:
            return failed(name, self.measured.missing or "nothing was measured")
        why = candidate.why_not(path, of_slice) or "nothing"
        if why.startswith(UNEVALUATED):
            return unevaluated(name, f"`{path}` {why}", blocks=True)
        where = f" for the slice {of_slice}" if of_slice is not None else ""
        return failed(name, f"`{path}` finds {why} in the model quality document{where}")

    def _bounded(self, name: str, value: MetricValue) -> Check:
        metric, unit = self.metric, self._unit
        low, high, spread = metric.at_least, metric.at_most, value.standard_deviation
        told = shown(value.value, spread, metric.digits)
        if low is not None and not value.value >= low:
            told, limit = apart(value.value, low, spread, metric.digits)
            check = failed(name, f"{told}{unit} is below the threshold {limit}{unit}")
        elif high is not None and not value.value <= high:
            told, limit = apart(value.value, high, spread, metric.digits)
            check = failed(name, f"{told}{unit} is above the threshold {limit}{unit}")
        else:
            least, most = f"{low:.6g} <= " if low is not None else "", f" <= {high:.6g}" if high is not None else ""
            check = passed(name, f"{told}{unit} is within {least}{metric.name}{most}")
        bounds = [f"at least {low:.6g}{unit}"] if low is not None else []
        bounds += [f"at most {high:.6g}{unit}"] if high is not None else []
        also = f" (standard deviation {shown(spread, spread)})" if spread else ""
        return check.compared(" and ".join(bounds), f"{told}{unit}{also}")

    @property
    def _unit(self) -> str:
        return f" {self.metric.unit}" if self.metric.unit else ""

    def _beside(self, label: str, of_slice: str | None) -> Iterator[Check]:
        """Yield the checks of a metric beside the champion's."""
        gates = ["champion"] if self.metric.against_champion else []
        gates += ["suspicious"] if self.metric.suspicious is not None else []
        row = self.measured.row(self.metric.name, of_slice)
        for gate in gates:
            name = f"{gate}:{label}"
            if self.measured.first:
                yield skipped(name, "the group has no champion yet")
            elif self.measured.data != "same" or row is None or row.difference is None:
                yield self._incomparable(name, of_slice)
            elif gate == "champion":
                yield self._relative(name, row)
            else:
                yield self._suspicious(name, row, row.difference)

    def _incomparable(self, name: str, of_slice: str | None) -> Check:
        if self.measured.champion is None:
            why, means = self.measured.because or "nothing is known of the champion", self.comparison.unevaluated
        elif self.measured.data != "same":
            why, means = self.measured.because or "both are not about the same data", self.comparison.other_data
        else:
            where = f" for the slice {of_slice}" if of_slice is not None else ""
            why, means = f"the champion has no {self.metric.name}{where}", self.comparison.unevaluated
        return unevaluated(name, f"not compared with the champion: {why}", blocks=means == "block")

    def _relative(self, name: str, row: Compared) -> Check:
        told, asked = _told(row, self.metric.digits, self.comparison.confidence), row.bound
        if row.meets is False:
            check = failed(name, f"{told}: it has to be {asked}")
        elif row.meets is None:
            why = f"{told}: too uncertain to say whether it is {asked}"
            check = _OUTCOMES[self.comparison.inconclusive](name, why)
        elif row.interval is None:
            why = f"{told}: {asked}, and nothing is known of how certain that is"
            check = _OUTCOMES[self.comparison.points](name, why)
        else:
            check = passed(name, f"{told}: {asked}")
        return check.compared(str(asked), _gap(row, self.metric.digits))

    def _suspicious(self, name: str, row: Compared, difference: float) -> Check:
        improvement = difference if self.metric.direction else -difference
        limit = self.metric.suspicious or 0.0
        beyond, bound = apart(improvement, limit, digits=self.metric.digits)
        if improvement > limit:
            told = (
                f"better than the champion's {shown(row.champion, digits=self.metric.digits)} by {beyond}{self._unit}"
            )
            check = asking(name, f"{told}, more than {bound}: look whether the data has leaked")
        else:
            check = passed(name, f"an improvement of {signed(improvement)}{self._unit} is not suspicious")
        return check.compared(f"better by at most {bound}{self._unit}", _gap(row, self.metric.digits))


_OUTCOMES = {"pass": passed, "fail": failed, "ask": asking}


def _half(row: Compared) -> float | None:
    """Return half of the width of a row's interval, which its numbers are rounded by."""
    return (row.interval.high - row.interval.low) / 2 if row.interval else None


def _gap(row: Compared, digits: int | None) -> str:
    """Return a difference as it is shown, with its interval and unit."""
    unit = f" {row.unit}" if row.unit else ""
    gap = signed(row.difference or 0.0, _half(row), digits)
    if row.interval is None:
        return f"{gap}{unit}"
    low, high = (signed(end, _half(row), digits) for end in row.interval)
    return f"{gap}{unit} [{low}, {high}]"


def _told(row: Compared, digits: int | None, confidence: float) -> str:
    unit = f" {row.unit}" if row.unit else ""
    candidate, champion = (shown(each, _half(row), digits) for each in (row.candidate, row.champion))
    certain = f" with {confidence * 100:g} % confidence" if row.interval else ""
    return f"{candidate}{unit} beside the champion's {champion}{unit}, {_gap(row, digits)}{certain}"
