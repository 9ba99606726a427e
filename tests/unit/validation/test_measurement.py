"""What was measured, and what was not, is said by checks."""

from __future__ import annotations

from typing import Any

import pytest

from signoff.metrics.values import Measurements, MetricValue
from signoff.policy.policy import Policy, of_document
from signoff.validation.checks import Check, verdict
from signoff.validation.measurement import claim_checks, measurement_checks
from tests.support.policy_files import EVALUATION, SMOKE

SUBJECT = "ab" * 32


def policy(**fields: Any) -> Policy:
    return of_document({"deployment": {"execution_role": "arn:aws:iam::123456789012:role/models"}, **fields})


def told(checks: Any) -> list[tuple[str, str, bool | None]]:
    return [(check.name, str(check.status), check.blocks) for check in checks]


def part(outcome: str) -> dict[str, str]:
    return {"outcome": outcome, "reason": f"it {outcome}"}


def test_a_policy_that_asks_for_no_measurement_has_no_check_of_any() -> None:
    assert told(measurement_checks(policy(), None, SUBJECT)) == []
    assert told(measurement_checks(policy(), {"subject": SUBJECT, "evaluation": part("failed")}, SUBJECT)) == []


@pytest.mark.parametrize("found", [None, {"subject": SUBJECT}, {"subject": SUBJECT, "evaluation": None, "smoke": None}])
def test_what_was_not_measured_does_not_pass(found: Any) -> None:
    checks = list(measurement_checks(policy(evaluation=EVALUATION, smoke=SMOKE), found, SUBJECT))

    assert told(checks) == [("evaluation", "errored", True), ("smoke", "errored", True)]
    assert verdict(checks) == "failed"


@pytest.mark.parametrize(
    ("outcome", "expected", "all_in_all"),
    [
        ("passed", ("evaluation", "passed", None), "passed"),
        ("failed", ("evaluation", "failed", None), "failed"),
        ("errored", ("evaluation", "errored", None), "errored"),
        ("refused", ("evaluation", "errored", True), "failed"),
        ("whatever", ("evaluation", "errored", True), "failed"),
    ],
)
def test_an_outcome_is_a_status(outcome: str, expected: tuple[Any, ...], all_in_all: str) -> None:
    found = {"subject": SUBJECT, "evaluation": part(outcome)}
    (check,) = checks = list(measurement_checks(policy(evaluation=EVALUATION), found, SUBJECT))

    assert (told(checks), check.reason, verdict(checks)) == ([expected], f"it {outcome}", all_in_all)


def test_the_measurement_of_another_model_is_none_of_this_one() -> None:
    found = {"subject": "cd" * 32, "evaluation": part("passed")}

    assert told(measurement_checks(policy(evaluation=EVALUATION), found, SUBJECT)) == [("evaluation", "errored", None)]


def measurements(**values: float) -> Measurements:
    return Measurements(format="flat", values=tuple(MetricValue(name, value, name) for name, value in values.items()))


def claims(claimed: Any, measured: Any, tolerance: float = 0.01) -> dict[str, Check]:
    asked = policy(evaluation={**EVALUATION, "tolerance": tolerance})
    return {check.name: check for check in claim_checks(asked, claimed, measured)}


def test_a_claim_that_the_measure_contradicts_is_a_finding_by_name() -> None:
    found = claims(measurements(auc=0.97, f1=0.8, other=1), measurements(auc=0.91, f1=0.805, brier=0.1))

    assert {name: str(check.status) for name, check in found.items()} == {"claim:auc": "failed", "claim:f1": "passed"}
    auc = found["claim:auc"]
    assert auc.reason == "the submitter claims 0.97, and 0.91 was measured: further away than 0.01"
    assert (auc.expected, auc.observed) == ("0.91 within 0.01", "0.97")


def test_a_claim_that_is_too_modest_is_one_too() -> None:
    assert claims(measurements(auc=0.5), measurements(auc=0.91))["claim:auc"].status == "failed"


def test_without_claims_or_a_measure_there_is_nothing_to_hold_against() -> None:
    assert claims(None, measurements(auc=0.5)) == claims(measurements(auc=0.5), None) == {}


def test_a_claim_about_a_slice_is_held_against_that_slice() -> None:
    def of(value: float, where: str) -> Measurements:
        return Measurements(format="flat", values=(MetricValue("auc", value, "auc", slice=where),))

    assert claims(of(0.9, "region=EU"), of(0.5, "region=US")) == {}
    assert claims(of(0.9, "region=EU"), of(0.9, "region=EU")) == {}
    assert "claims 0.9 of region=EU, and" in claims(of(0.9, "region=EU"), of(0.5, "region=EU"))["claim:auc"].reason


def test_of_many_wrong_claims_the_last_check_counts_the_others() -> None:
    names = [f"m{number}" for number in range(30)]
    found = claims(measurements(**dict.fromkeys(names, 1.0)), measurements(**dict.fromkeys(names, 0.0)))

    assert (len(found), found["claim:more"].reason) == (21, "10 more claims are further from the measure than 0.01")
