"""The gates on bias, and on drift from the baselines that a package names."""

from typing import Any

import pytest

from signoff.metrics.bias import BiasValue
from signoff.metrics.constraints import Constraint
from signoff.metrics.quality import measured
from signoff.policy.metrics import Bias, Comparison
from signoff.policy.policy import Policy, of_document
from signoff.validation.bias_gates import Baselines, Report, bias_checks, drift_checks
from signoff.validation.checks import Check, CheckStatus, verdict
from tests.support.quality_documents import BINARY

DPL = Bias("gender", "DPL", at_least=-0.1, at_most=0.1)
RECALL = Constraint("recall", "binary_classification_metrics.recall.value", 0.78, floor=True)


def policy(*bias: Bias, **comparison: Any) -> Policy:
    found = of_document({"deployment": {"execution_role": "arn:aws:iam::123456789012:role/model"}})
    return Policy(found.deployment, bias=bias, comparison=Comparison(**comparison))


def value(number: float | None, group: str = "f", metric: str = "DPL", error: str | None = None) -> BiasValue:
    return BiasValue("gender", group, metric, number, error)


def checked(*values: BiasValue, bound: Bias = DPL, **comparison: Any) -> list[Check]:
    return list(bias_checks(policy(bound, **comparison), Report(values)))


@pytest.mark.parametrize(
    ("number", "status", "reason"),
    [
        (0.1, CheckStatus.PASSED, "0.1 is within the policy's bounds"),
        (-0.1, CheckStatus.PASSED, "-0.1 is within the policy's bounds"),
        (0.12, CheckStatus.FAILED, "0.12 is above 0.1"),
        (-0.100000001, CheckStatus.FAILED, "-0.100000001 is below -0.1"),
    ],
)
def test_a_bias_passes_exactly_within_its_bounds(number: float, status: CheckStatus, reason: str):
    (check,) = checked(value(number))
    assert (check.name, check.status, check.reason) == ("bias:gender:DPL [f]", status, reason)
    assert check.expected == "at least -0.1 and at most 0.1"


def test_each_group_is_checked_unless_the_policy_names_one():
    both = (value(0.0, "f"), value(0.5, "m"))
    assert [str(check.status) for check in checked(*both)] == ["passed", "failed"]
    only = checked(*both, bound=Bias("gender", "DPL", "f", at_most=0.1))
    assert [check.name for check in only] == ["bias:gender:DPL [f]"]


@pytest.mark.parametrize(("unevaluated", "held"), [("block", "failed"), ("pass", "passed")])
def test_a_metric_that_could_not_be_computed_is_as_the_policy_says(unevaluated: str, held: str):
    (check,) = checked(value(None, error="Group variable is empty"), unevaluated=unevaluated)
    assert (check.status, check.reason) == (CheckStatus.ERRORED, "could not be computed: Group variable is empty")
    assert verdict([check]) == held


def test_what_the_report_does_not_have_fails_whatever_the_policy_lets_pass():
    (check,) = checked(value(0.0, metric="CI"), unevaluated="pass")
    assert (check.status, check.reason) == (CheckStatus.FAILED, "the bias report has no DPL of gender")
    (other,) = checked(value(0.0), bound=Bias("gender", "DPL", "x", at_most=1), unevaluated="pass")
    assert (other.name, other.status) == ("bias:gender:DPL [x]", CheckStatus.FAILED)
    (unread,) = bias_checks(policy(DPL, unevaluated="pass"), Report(because="the report cannot be read"))
    assert (unread.status, unread.reason) == (CheckStatus.FAILED, "the report cannot be read")


def drifted(baselines: Baselines, report: Report | None = None, **comparison: Any) -> list[Check]:
    rules = policy(**{"drift": True, **comparison})
    return list(drift_checks(rules, baselines, measured(BINARY), report or Report()))


def test_drift_is_checked_only_where_the_policy_wants_it_and_a_package_names_baselines():
    assert drifted(Baselines((RECALL,)), drift=False) == []
    (check,) = drifted(Baselines())
    assert check.status is CheckStatus.SKIPPED


@pytest.mark.parametrize(
    ("threshold", "floor", "reason", "status"),
    [
        (0.3, True, "0.333333 is at least the baseline's threshold 0.3", CheckStatus.PASSED),
        (0.4, True, "0.333333 is below the baseline's threshold 0.4", CheckStatus.FAILED),
        (0.4, False, "0.333333 is at most the baseline's threshold 0.4", CheckStatus.PASSED),
        (0.3, False, "0.333333 is above the baseline's threshold 0.3", CheckStatus.FAILED),
    ],
)
def test_a_metric_beyond_its_constraint_is_drift(threshold: float, floor: bool, reason: str, status: CheckStatus):
    path = "binary_classification_metrics.precision.value"
    (check,) = drifted(Baselines((Constraint("precision", path, threshold, floor),)))
    assert (check.name, check.status, check.reason) == ("drift:precision", status, reason)


@pytest.mark.parametrize(
    ("metric", "then", "now", "status"),
    [
        ("DPPL", 0.2, 0.1, CheckStatus.PASSED),
        ("DPPL", 0.2, -0.2, CheckStatus.PASSED),
        ("DPPL", 0.2, -0.3, CheckStatus.FAILED),
        ("DI", 0.8, 0.9, CheckStatus.PASSED),
        ("DI", 0.8, 0.7, CheckStatus.FAILED),
    ],
)
def test_a_bias_further_from_equality_than_the_baselines_is_drift(
    metric: str, then: float, now: float, status: CheckStatus
):
    (check,) = drifted(Baselines(bias=(value(then, metric=metric),)), Report((value(now, metric=metric),)))
    assert (check.name, check.status) == (f"drift:gender:{metric} [f]", status)


def test_drift_that_cannot_be_evaluated_is_as_the_policy_says():
    unknown = Constraint("mcc", "binary_classification_metrics.mcc.value", 0.5, floor=True)
    baselines = Baselines((unknown,), (value(0.1),), ("the constraints cannot be read",))
    checks = drifted(baselines)
    assert [check.status for check in checks] == [CheckStatus.ERRORED] * 3
    assert verdict(checks) == "failed"
    assert verdict(drifted(baselines, unevaluated="pass")) == "passed"
