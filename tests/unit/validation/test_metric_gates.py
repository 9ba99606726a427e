"""The gates on metrics: bounds, the champion, what is suspicious, slices, and the data that they are about."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.metrics import quality
from signoff.metrics.values import Dataset, Measurements
from signoff.policy.metrics import Comparison, Margin, Metric
from signoff.policy.policy import Policy, of_document
from signoff.validation.checks import Check, CheckStatus, verdict
from signoff.validation.metric_gates import Measured, compared, data_check, metric_checks

ACCURACY = "binary_classification_metrics.accuracy.value"
UNCERTAIN = "no worse than by 0.005, and nothing is known of how certain that is"
AUC = Metric("auc", "auc", against_champion=Margin(-0.005))


def policy(*metrics: Metric, **comparison: Any) -> Policy:
    document = {"deployment": {"execution_role": "arn:aws:iam::123456789012:role/model"}}
    found = of_document(document)
    return Policy(found.deployment, metrics=metrics, comparison=Comparison(**comparison))


def measured(metrics: tuple[Metric, ...], document: Any) -> Measurements:
    named = [(metric.name, metric.path) for metric in metrics]
    return quality.read(json.dumps(document).encode() if not isinstance(document, bytes) else document, named)


def checks_of(rules: Policy, candidate: Any, champion: Any = None, data: str = "same", **more: Any) -> list[Check]:
    ours = measured(rules.metrics, candidate)
    theirs = measured(rules.metrics, champion) if champion is not None else None
    rows = compared(rules, ours, theirs, data)
    found = Measured(candidate=ours, champion=theirs, rows=rows, data=data, **{"first": theirs is None, **more})
    return list(metric_checks(rules, found))


def check_of(rules: Policy, candidate: Any, champion: Any = None, data: str = "same", **more: Any) -> Check:
    (check,) = checks_of(rules, candidate, champion, data, **more)
    return check


def bounded(value: Any, at_least: float | None = None, at_most: float | None = None) -> Check:
    metric = Metric("accuracy", ACCURACY, at_least, at_most)
    return check_of(policy(metric), {"binary_classification_metrics": {"accuracy": {"value": value}}})


# Bounds


@given(
    st.floats(allow_nan=False, allow_infinity=False),
    st.none() | st.floats(allow_nan=False, allow_infinity=False),
    st.none() | st.floats(allow_nan=False, allow_infinity=False),
)
def test_a_metric_passes_exactly_when_it_is_within_its_bounds(value: float, low: float | None, high: float | None):
    if low is None and high is None:
        low = 0.0
    within = (low is None or value >= low) and (high is None or value <= high)
    check = bounded(value, low, high)
    assert check.status is (CheckStatus.PASSED if within else CheckStatus.FAILED)


def test_a_value_on_the_threshold_passes():
    assert bounded(0.9, at_least=0.9).status is CheckStatus.PASSED
    assert bounded(0.1, at_most=0.1).status is CheckStatus.PASSED


@pytest.mark.parametrize(
    ("check", "reason"),
    [
        (bounded(0.8, at_least=0.9), "0.8 is below the threshold 0.9"),
        (bounded(0.8, at_most=0.5), "0.8 is above the threshold 0.5"),
        (bounded(0.89999999, at_least=0.9), "0.89999999 is below the threshold 0.9"),
        (bounded(0.95, at_least=0.9, at_most=1), "0.95 is within 0.9 <= accuracy <= 1"),
        (
            bounded("0.95", at_least=0.9),
            f"`{ACCURACY}` finds str instead of a finite number in the model quality document",
        ),
        (bounded(None, at_least=0.9), f"`{ACCURACY}` finds nothing in the model quality document"),
    ],
)
def test_a_check_says_why_in_a_sentence(check: Check, reason: str):
    assert check.reason == reason


def test_what_was_expected_and_observed_has_unit_digits_and_spread():
    metric = Metric("cost", "cost.value", at_least=0, at_most=6, unit="EUR", digits=1, higher_is_better=False)
    check = check_of(policy(metric), {"cost": {"value": 5.4321, "standard_deviation": 0.25}})
    assert (check.expected, check.observed) == (
        "at least 0 EUR and at most 6 EUR",
        "5.4 EUR (standard deviation 0.25)",
    )


@pytest.mark.parametrize("value", ["true", '"0.99"', "[1]", "{}", "null"])
def test_what_is_no_finite_number_fails_whichever_way_the_threshold_points(value: str):
    rules = policy(Metric("low", "m", at_least=0.0), Metric("high", "m", at_most=1e300))
    checks = checks_of(rules, f'{{"m": {value}}}'.encode())
    assert [check.status for check in checks] == [CheckStatus.FAILED] * 2


def test_without_a_document_each_metric_fails_with_the_reason():
    rules = policy(Metric("accuracy", ACCURACY, 0.9), AUC)
    checks = list(metric_checks(rules, Measured(candidate=None, missing="the package names no document")))
    assert [(check.name, check.status, check.reason) for check in checks] == [
        ("metric:accuracy", CheckStatus.FAILED, "the package names no document"),
        ("champion:auc", CheckStatus.FAILED, "the package names no document"),
    ]


def test_an_expression_that_cannot_be_evaluated_errs_for_good_and_blocks_whatever_the_policy_lets_pass():
    check = check_of(policy(Metric("m", "length(m)", 0.9), unevaluated="pass"), {"m": None})
    assert (check.status, check.blocks) == (CheckStatus.ERRORED, True)
    assert "length(m)" in check.reason
    assert verdict([check]) == "failed"


def test_a_number_elsewhere_that_has_the_metrics_name_is_not_the_metric():
    check = check_of(policy(Metric("auc", "test.auc", 0.9)), {"auc": 0.99})
    assert check.status is CheckStatus.FAILED


def test_without_metrics_nothing_is_checked():
    assert checks_of(policy(), {"auc": 0.9}) == []


# Beside the champion


@pytest.mark.parametrize(
    ("candidate", "status", "reason"),
    [
        (
            0.975,
            CheckStatus.PASSED,
            f"0.975 beside the champion's 0.97, +0.005: {UNCERTAIN}",
        ),
        (
            0.965,
            CheckStatus.PASSED,
            f"0.965 beside the champion's 0.97, -0.005: {UNCERTAIN}",
        ),
        (
            0.9649,
            CheckStatus.FAILED,
            "0.9649 beside the champion's 0.97, -0.0051: it has to be no worse than by 0.005",
        ),
    ],
)
def test_a_metric_may_be_worse_than_the_champions_within_its_margin(candidate: float, status: CheckStatus, reason: str):
    check = check_of(policy(AUC), {"auc": candidate}, {"auc": 0.97})
    assert (check.name, check.status, check.reason) == ("champion:auc", status, reason)
    assert check.expected == "no worse than by 0.005"


@pytest.mark.parametrize(
    ("points", "status", "asks"),
    [("pass", "passed", False), ("ask", "passed", True), ("fail", "failed", False)],
)
def test_the_policy_says_what_a_difference_of_unknown_certainty_means(points: str, status: str, asks: bool):
    check = check_of(policy(AUC, points=points), {"auc": 0.97}, {"auc": 0.97})
    assert (check.status, check.asks) == (status, asks)


def accuracies(right: int, wrong: int) -> dict[str, Any]:
    rows = (right + wrong) // 2
    matrix = {"0": {"0": rows, "1": 0}, "1": {"0": wrong, "1": rows - wrong}}
    return {"accuracy": right / (right + wrong), "confusion_matrix": matrix}


@pytest.mark.parametrize(
    ("inconclusive", "status", "asks"),
    [("pass", "passed", False), ("ask", "passed", True), ("fail", "failed", False)],
)
def test_the_policy_says_what_an_uncertain_difference_means(inconclusive: str, status: str, asks: bool):
    metric = Metric("accuracy", "accuracy", against_champion=Margin(-0.005))
    rules = policy(metric, inconclusive=inconclusive)
    check = check_of(rules, accuracies(971, 29), accuracies(970, 30))
    assert (check.status, check.asks) == (status, asks)
    assert check.reason == (
        "0.971 beside the champion's 0.97, +0.001 [-0.014, +0.016] with 95 % confidence: too uncertain to say whether "
        "it is no worse than by 0.005"
    )
    assert check.observed == "+0.001 [-0.014, +0.016]"


def test_a_certain_difference_passes_or_fails_by_itself():
    metric = Metric("accuracy", "accuracy", against_champion=Margin(-0.005))
    rules = policy(metric, inconclusive="ask", points="fail")
    assert check_of(rules, accuracies(9900, 100), accuracies(9700, 300)).status is CheckStatus.PASSED
    assert check_of(rules, accuracies(9500, 500), accuracies(9700, 300)).status is CheckStatus.FAILED


def test_less_is_better_where_the_policy_or_the_name_says_so():
    rules = policy(Metric("rmse", "rmse", against_champion=Margin(-0.5)))
    assert check_of(rules, {"rmse": 10.4}, {"rmse": 10.0}).status is CheckStatus.PASSED
    assert check_of(rules, {"rmse": 10.6}, {"rmse": 10.0}).status is CheckStatus.FAILED
    cost = policy(Metric("cost", "cost", higher_is_better=False, against_champion=Margin(0.1, relative=True)))
    assert check_of(cost, {"cost": 89.0}, {"cost": 100.0}).status is CheckStatus.PASSED
    assert check_of(cost, {"cost": 91.0}, {"cost": 100.0}).status is CheckStatus.FAILED


def test_a_first_model_has_no_champion_and_is_not_held_for_it():
    check = check_of(policy(AUC), {"auc": 0.5})
    assert (check.status, check.reason) == (CheckStatus.SKIPPED, "the group has no champion yet")
    assert verdict([check]) == "passed"


@pytest.mark.parametrize(("other_data", "held"), [("block", "failed"), ("pass", "passed")])
@pytest.mark.parametrize("data", ["other", "unknown"])
def test_what_was_measured_on_other_data_is_not_compared_and_the_policy_says_what_that_means(
    data: str, other_data: str, held: str
):
    rules = policy(AUC, other_data=other_data, unevaluated="block" if other_data == "pass" else "pass")
    check = check_of(rules, {"auc": 0.99}, {"auc": 0.5}, data, because="measured on other data")
    assert check.reason == "not compared with the champion: measured on other data"
    assert (check.status, verdict([check])) == (CheckStatus.ERRORED, held)


@pytest.mark.parametrize(("unevaluated", "held"), [("block", "failed"), ("pass", "passed")])
def test_a_metric_that_the_champion_does_not_have_cannot_be_compared(unevaluated: str, held: str):
    rules = policy(AUC, unevaluated=unevaluated, other_data="block" if unevaluated == "pass" else "pass")
    check = check_of(rules, {"auc": 0.99}, {"f1": 0.5})
    assert check.reason == "not compared with the champion: the champion has no auc"
    assert verdict([check]) == held
    baseline = check_of(rules, {"auc": 0.99}, because="the champion is a baseline", first=False, data="unknown")
    assert baseline.reason == "not compared with the champion: the champion is a baseline"
    assert verdict([baseline]) == held


def test_a_metric_that_the_candidate_does_not_have_fails_whatever_the_policy_lets_pass():
    check = check_of(policy(AUC, unevaluated="pass"), {"f1": 0.99}, {"auc": 0.5})
    assert (check.name, check.status) == ("champion:auc", CheckStatus.FAILED)


def test_an_improvement_beyond_the_bound_asks_for_a_persons_word():
    rules = policy(Metric("auc", "auc", suspicious=0.1))
    check = check_of(rules, {"auc": 0.99}, {"auc": 0.8})
    assert (check.name, check.status, check.asks) == ("suspicious:auc", CheckStatus.PASSED, True)
    assert check.reason.startswith("better than the champion's 0.8 by 0.19, more than 0.1")
    assert not check_of(rules, {"auc": 0.9}, {"auc": 0.8}).asks
    assert not check_of(rules, {"auc": 0.1}, {"auc": 0.8}).asks
    errors = policy(Metric("rmse", "rmse", suspicious=1))
    assert check_of(errors, {"rmse": 1.0}, {"rmse": 3.0}).asks
    assert not check_of(errors, {"rmse": 3.0}, {"rmse": 1.0}).asks


# Slices


def sliced(whole: float, **slices: float) -> dict[str, Any]:
    return {"auc": whole, "slices": {name: {"auc": value} for name, value in slices.items()}}


def test_a_metric_has_to_meet_its_bounds_in_each_slice_that_the_policy_names():
    rules = policy(Metric("auc", "auc", at_least=0.9, slices=("country=*",)))
    checks = checks_of(rules, sliced(0.95, **{"country=DE": 0.95, "country=FR": 0.85, "age<30": 0.1}))
    assert {check.name: str(check.status) for check in checks} == {
        "metric:auc": "passed",
        "metric:auc [country=DE]": "passed",
        "metric:auc [country=FR]": "failed",
    }


def test_a_slice_is_compared_with_the_champions():
    rules = policy(Metric("auc", "auc", against_champion=Margin(0.0), slices=("*",)))
    checks = checks_of(rules, sliced(0.95, de=0.9, fr=0.9), sliced(0.9, de=0.8, fr=0.95))
    assert {check.name: str(check.status) for check in checks} == {
        "champion:auc": "passed",
        "champion:auc [de]": "passed",
        "champion:auc [fr]": "failed",
    }


def test_a_slice_that_is_missing_fails():
    rules = policy(Metric("auc", "auc", at_least=0.5, slices=("country=*",)))
    missing = checks_of(rules, sliced(0.95))[1]
    assert (missing.name, missing.status) == ("metric:auc [country=*]", CheckStatus.FAILED)
    left_out = checks_of(rules, sliced(0.95, **{"country=DE": 0.9}), sliced(0.9, **{"country=FR": 0.9}))
    assert {check.name: str(check.status) for check in left_out}["metric:auc [country=FR]"] == "failed"
    empty = checks_of(rules, {"auc": 0.95, "slices": {"country=DE": {"auc": "0.9"}, "country=FR": {"auc": 0.9}}})
    assert {check.name: str(check.status) for check in empty}["metric:auc [country=DE]"] == "failed"


# The data set


@pytest.mark.parametrize(
    ("sha256", "status", "words"),
    [
        ("a" * 64, CheckStatus.PASSED, "which the policy lists"),
        ("b" * 64, CheckStatus.FAILED, "none of those the policy lists"),
        (None, CheckStatus.FAILED, "a data set that is not named: name it by its SHA-256"),
    ],
)
def test_claims_have_to_be_about_a_data_set_that_the_policy_lists(sha256: str | None, status: CheckStatus, words: str):
    claimed = replace(measured((), {"auc": 0.9}), dataset=Dataset(sha256))
    (check,) = data_check(policy(data_sets=("a" * 64,)), claimed)
    assert (check.name, check.status) == ("data", status)
    assert words in check.reason
    assert list(data_check(policy(), claimed)) == []
    assert list(data_check(policy(data_sets=("a" * 64,)), None)) == []


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats(-2, 2) | st.text(max_size=3),
        lambda each: st.dictionaries(st.sampled_from(["auc", "value", "slices", "eu", "metrics"]), each, max_size=3),
    )
)
def test_whatever_a_document_holds_each_thing_that_is_asked_has_a_check_and_only_numbers_pass(document: Any):
    rules = policy(Metric("auc", "auc", at_least=0.5, slices=("eu",)), inconclusive="pass", unevaluated="pass")
    checks = {check.name: check for check in checks_of(rules, document)}
    assert {"metric:auc", "metric:auc [eu]"} == {*checks}
    found = document.get("auc") if isinstance(document, dict) else None
    meets = isinstance(found, float) and found >= 0.5
    assert (checks["metric:auc"].status is CheckStatus.PASSED) == meets
