"""A piece of evidence as a package's card shows it: what matters first, and nothing that a card does not take."""

from __future__ import annotations

import json
from typing import Any

from local.sagemaker.card_rules import check_card
from signoff.model_package.model_card import with_evaluation
from signoff.validation.evidence_card import said
from tests.support.compared import CHECKS, EVIDENCE, FIRST, measurements, value

SHA256, URI = "e" * 64, "s3://vault/evidence/e.json"
WHOLE = {"subject": {"sha256": "b" * 64}, "policy": "p" * 64, "attempt": 2, "verdict": "failed"}


def shown(evidence: dict[str, Any]) -> dict[str, Any]:
    """Return our evaluation in a new card, which the schema allows."""
    content = with_evaluation("", said({**WHOLE, **evidence}, URI, SHA256).within)
    assert content is not None
    check_card({"ModelCardContent": content})
    (ours,) = json.loads(content)["evaluation_details"]
    return dict(ours)


def group(evidence: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = {each["name"]: each["metric_data"] for each in shown(evidence)["metric_groups"]}
    return list(found.get(name, []))


def claimed(**changed: Any) -> dict[str, Any]:
    return {**measurements(value("auc", 0.991)), **changed}


def test_a_card_says_the_verdict_the_champion_and_what_to_look_at() -> None:
    assert shown(EVIDENCE)["evaluation_observation"] == (
        f"Signoff's validation failed with evidence {SHA256}. "
        "Compared with the champion churn/2, claimed on the same data. "
        "Metrics: 1 better, 1 inconclusive, 1 worse. "
        "Look at champion:auc [age<30] and champion:auc."
    )


def test_a_card_names_evidence_policy_and_champion_by_digest() -> None:
    assert shown(EVIDENCE)["metadata"] == {
        "attempt": "2",
        "champion": "churn/2",
        "champion_evidence": "c" * 64,
        "evidence": SHA256,
        "evidence_uri": URI,
        "policy": "p" * 64,
        "subject": "b" * 64,
        "verdict": "failed",
    }


def test_a_first_version_says_that_there_is_nothing_to_compare_it_with() -> None:
    ours = shown({**FIRST, "verdict": "passed"})

    assert ours["evaluation_observation"] == (
        f"Signoff's validation passed with evidence {SHA256}. Compared with no champion: the group has no champion."
    )
    assert "champion" not in ours["metadata"]


def test_metrics_are_numbers_with_what_is_said_of_each() -> None:
    auc, *others = group(EVIDENCE, "Claimed by the submitter")

    assert auc == {
        "name": "auc",
        "type": "number",
        "value": 0.991,
        "notes": (
            "auc: 0.991, champion 0.987 (+0.004 [-0.002, +0.01]), no worse than by 0.005; >= 0.9: inconclusive, asks"
        ),
    }
    assert [each["name"] for each in others] == ["auc [age<30]", "latency", "f1"]


def test_what_signoff_measured_comes_before_what_was_claimed() -> None:
    metrics = {"claimed": claimed(), "measured": measurements(value("auc", 0.985))}

    ours = shown({**FIRST, "metrics": metrics})

    assert [each["name"] for each in ours["metric_groups"]] == [
        "Measured by Signoff",
        "Claimed by the submitter",
        "Other checks",
    ]
    assert [each["metric_data"][0]["value"] for each in ours["metric_groups"][:2]] == [0.985, 0.991]


def test_the_checks_that_failed_or_ask_come_first() -> None:
    assert [(each["name"], each["value"]) for each in group(EVIDENCE, "Checks to look at")] == [
        ("champion:auc [age<30]", "failed"),
        ("champion:auc", "asks"),
    ]
    assert [each["name"] for each in group(EVIDENCE, "Other checks")] == ["artifact:model", "metric:auc"]


def test_many_checks_to_look_at_are_counted() -> None:
    failed = [{"name": f"metric:{n}", "status": "failed", "reason": "too low"} for n in range(7)]

    assert shown({**FIRST, "checks": failed})["evaluation_observation"].endswith(
        "Look at metric:0, metric:1, metric:2, metric:3, metric:4 and 2 more."
    )


def test_a_confusion_matrix_has_a_row_for_each_actual_class() -> None:
    counts = {"0": {"0": 60, "1": 2}, "1": {"1": 40}, "2": {"0": 1}}

    (matrix,) = group(
        {**FIRST, "metrics": {"claimed": claimed(confusion=counts), "measured": None}}, "Confusion matrix"
    )

    assert matrix["value"] == [[60, 2, 0], [0, 40, 0], [1, 0, 0]]
    assert matrix["x_axis_name"] == matrix["y_axis_name"] == ["0", "1", "2"]


def test_a_confusion_matrix_of_too_many_classes_is_told_instead() -> None:
    counts = {str(n): {str(n): 1} for n in range(21)}

    (told,) = group({**FIRST, "metrics": {"claimed": claimed(confusion=counts), "measured": None}}, "Confusion matrix")

    assert (told["type"], told["value"]) == ("string", "21 classes: see the evidence")


def test_the_data_set_is_named_by_its_place_or_its_digest() -> None:
    place = measurements(value("auc", 0.9)) | {"dataset": {"sha256": None, "uri": "s3://data/held-out.csv", "rows": 9}}

    ours = shown({**FIRST, "metrics": {"claimed": claimed(), "measured": place}})

    assert ours["datasets"] == ["s3://data/held-out.csv", f"sha256:{'d' * 64}"]


def test_a_bias_that_could_not_be_computed_says_why() -> None:
    found = {"facet": "age", "value": "<30", "metric": "DPPL", "value_found": 0.1, "error": None}
    absent = {**found, "metric": "DI", "value_found": None, "error": "no rows"}

    computed, missing = group({**FIRST, "bias": [found, absent]}, "Bias")

    assert (computed["name"], computed["value"]) == ("DPPL of age = <30", 0.1)
    assert (missing["value"], missing["notes"]) == ("not computed", "no rows")


def test_evidence_of_the_first_version_is_shown_too() -> None:
    ours = shown({"checks": CHECKS[:1], "verdict": "passed"})

    assert [each["name"] for each in ours["metric_groups"]] == ["Other checks"]


def test_text_of_others_cannot_command_a_terminal_or_break_the_line() -> None:
    hostile = [{"name": "metric:\x1b[2Jx\ny", "status": "failed", "reason": "a\r\nb"}]

    (check,) = group({**FIRST, "checks": hostile}, "Checks to look at")

    assert (check["name"], check["notes"]) == (r"metric:\u001b[2Jx y", r"a\u000d b")
