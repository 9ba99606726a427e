"""The gates on bias, and on drift from the baselines that a package names (its `DriftCheckBaselines`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from signoff.metrics.bias import BiasValue
from signoff.metrics.constraints import Constraint
from signoff.metrics.rounding import apart, shown
from signoff.metrics.values import Measurements
from signoff.policy.metrics import Bias
from signoff.policy.policy import Policy
from signoff.validation.checks import Check, failed, passed, skipped, unevaluated


@dataclass(frozen=True)
class Report:
    """The metrics of a bias report, or `because` of what there are none; neither where no such document is named."""

    values: tuple[BiasValue, ...] = ()
    because: str | None = None


@dataclass(frozen=True)
class Baselines:
    """What a package names as its baselines: constraints of its quality, and of its bias. `because` of what not."""

    quality: tuple[Constraint, ...] = ()
    bias: tuple[BiasValue, ...] = ()
    because: tuple[str, ...] = ()


def bias_checks(policy: Policy, report: Report) -> Iterator[Check]:
    """Yield a check of each group that a policy has a bound for, by the name `bias:<facet>:<metric> [<group>]`.

    What the report does not have fails; a metric that could not be computed is as the policy says of what cannot be
    evaluated.
    """
    blocks = policy.comparison.unevaluated == "block"
    for bias in policy.bias:
        found = [value for value in report.values if _is_about(bias, value)]
        if not found:
            group = f" of the group {bias.value}" if bias.value is not None else ""
            why = report.because or f"the bias report has no {bias.metric} of {bias.facet}{group}"
            yield failed(f"bias:{bias.facet}:{bias.metric}{f' [{bias.value}]' if bias.value else ''}", why)
        for value in found:
            yield _bounded(bias, value, blocks=blocks)


def _is_about(bias: Bias, value: BiasValue) -> bool:
    same = (bias.facet, bias.metric) == (value.facet, value.metric)
    return same and bias.value in {None, value.group}


def _bounded(bias: Bias, found: BiasValue, *, blocks: bool) -> Check:
    name, value = f"bias:{found.label}", found.value
    if value is None:
        return unevaluated(name, f"could not be computed: {found.error}", blocks=blocks)
    told = shown(value)
    if bias.at_least is not None and value < bias.at_least:
        told, limit = apart(value, bias.at_least)
        check = failed(name, f"{told} is below {limit}")
    elif bias.at_most is not None and value > bias.at_most:
        told, limit = apart(value, bias.at_most)
        check = failed(name, f"{told} is above {limit}")
    else:
        check = passed(name, f"{told} is within the policy's bounds")
    bounds = [f"at least {shown(bias.at_least)}"] if bias.at_least is not None else []
    bounds += [f"at most {shown(bias.at_most)}"] if bias.at_most is not None else []
    return check.compared(" and ".join(bounds), told)


def drift_checks(policy: Policy, baselines: Baselines, candidate: Measurements | None, bias: Report) -> Iterator[Check]:
    """Yield a check of each constraint that a package names as its baselines, if the policy wants them checked.

    By the rules of SageMaker Model Monitor: a metric beyond its threshold is drift, and so is a bias further from
    equality than the baseline's.
    https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-model-monitor-bias-drift-violations.html
    """
    if not policy.comparison.drift:
        return
    blocks = policy.comparison.unevaluated == "block"
    for number, why in enumerate(baselines.because, 1):
        yield unevaluated(f"drift:{number}", why, blocks=blocks)
    if not baselines.quality and not baselines.bias and not baselines.because:
        yield skipped("drift", "the package names no constraints (DriftCheckBaselines)")
    for constraint in baselines.quality:
        yield _drift_of_quality(constraint, candidate, blocks=blocks)
    for baseline in baselines.bias:
        yield _drift_of_bias(baseline, bias, blocks=blocks)


def _drift_of_quality(constraint: Constraint, candidate: Measurements | None, *, blocks: bool) -> Check:
    name = f"drift:{constraint.metric}"
    found = [each for each in candidate.values if each.slice is None] if candidate else []
    value = next((each for each in found if each.path == constraint.path), None) or next(
        (each for each in found if each.name == constraint.metric), None
    )
    if value is None:
        return unevaluated(name, "the model quality document has no such metric", blocks=blocks)
    told, limit = apart(value.value, constraint.threshold)
    side = "at least" if constraint.floor else "at most"
    if constraint.drifted(value.value):
        check = failed(name, f"{told} is {'below' if constraint.floor else 'above'} the baseline's threshold {limit}")
    else:
        check = passed(name, f"{told} is {side} the baseline's threshold {limit}")
    return check.compared(f"{side} {limit}", told)


def _drift_of_bias(baseline: BiasValue, report: Report, *, blocks: bool) -> Check:
    name = f"drift:{baseline.label}"
    about = (baseline.facet, baseline.group, baseline.metric)
    found = next((each for each in report.values if (each.facet, each.group, each.metric) == about), None)
    then, now = baseline.distance, found.distance if found else None
    if then is None or now is None or found is None or found.value is None or baseline.value is None:
        why = baseline.error or (found.error if found else report.because or "the bias report has no such metric")
        return unevaluated(name, f"cannot be compared with the baseline: {why}", blocks=blocks)
    told, limit = apart(found.value, baseline.value)
    if now > then:
        check = failed(name, f"{told} is further from equality than the baseline's {limit}")
    else:
        check = passed(name, f"{told} is no further from equality than the baseline's {limit}")
    return check.compared(f"no further from equality than {limit}", told)
