"""The gates: metric thresholds, artifacts, and the verdict that their checks come to."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.policy.metrics import Metric
from signoff.policy.provenance import Provenance
from signoff.validation.checks import Check, CheckStatus, asking, errored, passed, unevaluated, verdict
from signoff.validation.gates import DOCUMENT_LIMIT, artifact_check, metric_checks, provenance_checks

ACCURACY = "binary_classification_metrics.accuracy.value"


def checked(value: Any, at_least: float | None = None, at_most: float | None = None) -> Check:
    document = {"binary_classification_metrics": {"accuracy": {"value": value}}}
    (check,) = metric_checks([Metric("accuracy", ACCURACY, at_least, at_most)], json.dumps(document).encode())
    return check


def on(quality: bytes | None, path: str = ACCURACY) -> Check:
    (check,) = metric_checks([Metric("accuracy", path, 0.9)], quality)
    return check


@given(
    st.floats(allow_nan=False, allow_infinity=False),
    st.none() | st.floats(allow_nan=False),
    st.none() | st.floats(allow_nan=False),
)
def test_a_metric_passes_exactly_when_it_is_within_its_bounds(value: float, low: float | None, high: float | None):
    if low is None and high is None:
        low = 0.0
    within = (low is None or value >= low) and (high is None or value <= high)
    check = checked(value, low, high)
    assert check.status is (CheckStatus.PASSED if within else CheckStatus.FAILED)


def test_a_value_on_the_threshold_passes():
    assert checked(0.9, at_least=0.9).status is CheckStatus.PASSED
    assert checked(0.1, at_most=0.1).status is CheckStatus.PASSED


@pytest.mark.parametrize(
    ("check", "reason"),
    [
        (checked(0.8, at_least=0.9), "0.8 is below the threshold 0.9"),
        (checked(0.8, at_most=0.5), "0.8 is above the threshold 0.5"),
        (checked(0.95, at_least=0.9, at_most=1), "0.95 is within 0.9 <= accuracy <= 1"),
        (
            checked("0.95", at_least=0.9),
            f"`{ACCURACY}` finds str instead of a finite number in the model quality document",
        ),
        (checked(None, at_least=0.9), f"`{ACCURACY}` finds nothing in the model quality document"),
    ],
)
def test_a_check_says_why_in_a_sentence(check: Check, reason: str):
    assert check.reason == reason


@pytest.mark.parametrize(
    "value", ["NaN", "Infinity", "-Infinity", "1e999", "true", '"0.99"', "[1]", "{}", f"1{'0' * 400}"]
)
def test_what_is_no_finite_number_fails_whichever_way_the_threshold_points(value: str):
    document = f'{{"m": {value}}}'.encode()
    checks = metric_checks([Metric("low", "m", at_least=0.0), Metric("high", "m", at_most=1e300)], document)
    assert [check.status for check in checks] == [CheckStatus.FAILED] * 2


@pytest.mark.parametrize(
    "quality", [None, b"", b"{", b"\xff", b"[" * 100_000], ids=["absent", "empty", "cut", "bytes", "deep"]
)
def test_a_quality_document_that_cannot_be_read_fails_every_metric(quality: bytes | None):
    assert on(quality).status is CheckStatus.FAILED
    assert "model quality document" in on(quality).reason


@pytest.mark.parametrize(
    ("quality", "why"),
    [
        (b'{"m": 0.5, "m": 0.99}', "m is given more than once"),
        (b'\xef\xbb\xbf{"m": 0.99}', "byte order mark"),
        ('{"m": 0.99}'.encode("utf-16"), "is not UTF-8"),
        (b'{"m": 0.99, "other": NaN}', "other is NaN"),
    ],
    ids=["doubled key", "byte order mark", "UTF-16", "NaN elsewhere"],
)
def test_a_quality_document_that_two_readers_would_read_differently_fails_and_says_where(quality: bytes, why: str):
    assert on(quality, "m").status is CheckStatus.FAILED
    assert why in on(quality, "m").reason


def test_a_quality_document_may_be_larger_than_a_manifest_but_is_bounded():
    document = json.dumps({"m": 0.99, "more": "x" * (2 * 1024 * 1024)}).encode()
    assert on(document, "m").status is CheckStatus.PASSED
    assert "at most 16,777,216" in on(document + b" " * DOCUMENT_LIMIT, "m").reason


def test_an_expression_that_cannot_be_evaluated_errs_and_does_not_fail():
    check = on(b'{"m": null}', "length(m)")
    assert check.status is CheckStatus.ERRORED
    assert "length(m)" in check.reason


def test_without_metrics_no_quality_document_is_needed():
    assert metric_checks([], None) == []


def refused(*refusals: str, count: int = 1) -> str:
    return artifact_check({"name": "a", "refusals": refusals, "refusal_count": count}).reason


def test_a_refused_artifact_fails_with_the_number_of_errors_and_the_first_of_them():
    check = artifact_check({"name": "a", "refusals": ["One [rule].", "Two [rule]."], "refusal_count": 1007})
    assert (check.status, check.reason) == (CheckStatus.FAILED, "1,007 errors: One [rule]. Two [rule]")
    assert refused("One [rule].") == "1 error: One [rule]"


def test_what_does_not_fit_is_left_out_whole():
    assert refused("a" * 300, "b" * 399, "c", count=3) == f"3 errors: {'a' * 300} {'b' * 399} And more"
    assert refused("a" * 300, "b" * 400, "c", count=3) == f"3 errors: {'a' * 300} And more"


def test_an_artifact_without_refusals_passes():
    found = {"name": "a", "kind": "archive", "refusals": [], "refusal_count": 0, "members": 2, "sha256": "0"}
    check = artifact_check(found)
    assert (check.name, check.status) == ("artifact:a", CheckStatus.PASSED)


@given(st.lists(st.sampled_from(CheckStatus)))
def test_erring_goes_before_failing_and_failing_before_passing(statuses: list[CheckStatus]):
    found = verdict([Check("c", status, "because") for status in statuses])
    expected = "failed" if CheckStatus.FAILED in statuses else "passed"
    assert found == ("errored" if CheckStatus.ERRORED in statuses else expected)


@given(st.lists(st.builds(Check, st.just("c"), st.sampled_from(CheckStatus), st.just("because"))))
def test_what_cannot_be_evaluated_blocks_or_not_as_the_policy_says(checks: list[Check]):
    others = [check for check in checks if check.status is not CheckStatus.ERRORED]
    assert verdict([*others, unevaluated("gate", "because", blocks=True)]) == "failed"
    assert verdict([*others, unevaluated("gate", "because", blocks=False)]) == verdict(others)
    assert verdict([unevaluated("gate", "because", blocks=True), errored("c", "because")]) == "errored"


def test_a_check_lists_only_what_applies_to_it():
    gate = unevaluated("champion:auc", "the champion has no auc", blocks=True).compared("at least -0.005", "nothing")
    assert passed("a", "b").document == {"name": "a", "status": "passed", "reason": "b"}
    assert asking("a", "b").document == {"name": "a", "status": "passed", "reason": "b", "asks": True}
    assert gate.document == {
        "name": "champion:auc",
        "status": "errored",
        "reason": "the champion has no auc",
        "expected": "at least -0.005",
        "observed": "nothing",
        "blocks": True,
    }


SAID = {"CommitId": "4f2a", "Repository": "https://git.example.com/ml/churn", "GeneratedBy": " "}


def test_what_the_policy_asks_of_a_packages_origin_has_to_be_said():
    policy = Provenance(required=("CommitId", "GeneratedBy"), repositories=("https://git.example.com/ml/*",))
    found = {check.name: check.status for check in provenance_checks(policy, SAID)}
    expected = {"CommitId": "passed", "GeneratedBy": "failed", "Repository": "passed"}
    assert found == {f"provenance:{field}": CheckStatus(status) for field, status in expected.items()}
    assert [check.status for check in provenance_checks(policy, {})] == [CheckStatus.FAILED] * 3


def test_models_come_from_no_other_repository():
    (check,) = provenance_checks(Provenance(repositories=("https://git.example.com/risk/*",)), SAID)
    assert (check.status, check.observed) == (CheckStatus.FAILED, SAID["Repository"])


def test_a_policy_that_asks_nothing_of_the_origin_has_no_check_of_it():
    assert list(provenance_checks(Provenance(), SAID)) == []
