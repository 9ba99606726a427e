"""The gates a candidate must pass: the policy's metric thresholds, and what its artifacts were found to be."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

import jmespath

from signoff.checks import Check, CheckStatus
from signoff.policy import Metric

_REASON = 500  # characters; an expression's error quotes what it found


def metric_checks(metrics: Sequence[Metric], quality: bytes | None) -> list[Check]:
    """Return a check for each threshold against `quality`: the model quality document as bytes, or None without one.

    SageMaker's own model quality JSON is addressed as for example `binary_classification_metrics.accuracy.value`.
    https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-metrics.html
    """
    if not metrics:
        return []
    try:
        document = _document(quality)
    except ValueError as error:
        return [Check(f"metric:{metric.name}", CheckStatus.FAILED, str(error)) for metric in metrics]
    return [_metric_check(metric, document) for metric in metrics]


def _document(quality: bytes | None) -> Any:
    if quality is None:
        raise ValueError(
            "the package names no model quality document (ModelMetrics.ModelQuality.Statistics.S3Uri), "
            "or one too large to be read (more than 16 MiB)"
        )
    try:
        return json.loads(quality)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the model quality document is not JSON that can be read: {error}") from error


def _metric_check(metric: Metric, document: Any) -> Check:
    name = f"metric:{metric.name}"
    try:
        value = jmespath.search(metric.path, document)
    except jmespath.exceptions.JMESPathError as error:
        return Check(name, CheckStatus.ERRORED, f"`{metric.path}` cannot be evaluated: {error}"[:_REASON])
    if not _is_number(value):
        found = "nothing" if value is None else f"{type(value).__name__} instead of a finite number"
        return Check(name, CheckStatus.FAILED, f"`{metric.path}` finds {found} in the model quality document")
    if metric.at_least is not None and not value >= metric.at_least:
        return Check(name, CheckStatus.FAILED, f"{value:.6g} is below the threshold {metric.at_least:.6g}")
    if metric.at_most is not None and not value <= metric.at_most:
        return Check(name, CheckStatus.FAILED, f"{value:.6g} is above the threshold {metric.at_most:.6g}")
    return Check(name, CheckStatus.PASSED, f"{value:.6g} is within {_bounds(metric)}")


def _is_number(value: Any) -> bool:
    """Return whether `value` can be compared: NaN and Infinity, which json.loads knows, pass or fail any threshold."""
    try:
        return not isinstance(value, bool) and isinstance(value, int | float) and isfinite(value)
    except OverflowError:  # a whole number beyond what floating point holds
        return False


def _bounds(metric: Metric) -> str:
    low = "" if metric.at_least is None else f"{metric.at_least:.6g} <= "
    high = "" if metric.at_most is None else f" <= {metric.at_most:.6g}"
    return f"{low}{metric.name}{high}"


def artifact_check(artifact: Mapping[str, Any]) -> Check:
    """Return the check of one inspected artifact, as `inspect_artifact` reported it."""
    name = f"artifact:{artifact['name']}"
    refusals = artifact["refusals"]
    if refusals:
        more = artifact["refusal_count"] - len(refusals)
        reason = "; ".join(refusals) + (f"; and {more} more" if more > 0 else "")
        return Check(name, CheckStatus.FAILED, reason)
    return Check(
        name, CheckStatus.PASSED, f"a readable archive of {artifact['members']} members, sha256 {artifact['sha256']}"
    )
