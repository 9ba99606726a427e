"""Bias reports as SageMaker Clarify writes them, and the constraints of a quality monitor."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.metrics import bias, constraints
from signoff.metrics.bias import BiasValue
from signoff.metrics.constraints import Constraint
from signoff.metrics.quality import Unreadable
from tests.support.quality_documents import BIAS, CONSTRAINTS
from tests.support.repository import ROOT


def reported(metric: Any) -> list[BiasValue]:
    facets = {"age": [{"value_or_threshold": 40, "metrics": [metric]}]}
    return bias.read(json.dumps({"post_training_bias_metrics": {"facets": facets}}).encode())


def test_a_report_has_the_metrics_of_each_group_before_and_after_training():
    found = bias.read(json.dumps(BIAS).encode())
    assert [(each.label, each.value) for each in found] == [
        ("ForeignWorker:CDDL [1]", None),
        ("ForeignWorker:CI [1]", -0.9288888888888889),
        ("ForeignWorker:DPL [1]", 0.17453917050691248),
        ("ForeignWorker:DI [1]", 0.7945111996779227),
        ("ForeignWorker:DPPL [1]", 0.18801843317972350),
    ]
    assert found[0].document == {
        "facet": "ForeignWorker",
        "value": "1",
        "metric": "CDDL",
        "value_found": None,
        "error": "Group variable is empty or not provided",
    }


def test_a_report_that_clarifys_library_wrote_is_read_whole():
    found = bias.read((ROOT / "tests/corpus/quality_documents/clarify_analysis.json").read_bytes())
    assert len(found) == 21
    assert {each.metric for each in found if each.value is None} == {"CDDL", "CDDPL"}
    assert {each.error for each in found} == {None, "Group variable is empty or not provided"}


@pytest.mark.parametrize(
    ("metric", "error"),
    [
        ({"name": "DI", "value": None}, "has no value"),
        ({"name": "DI"}, "has no value"),
        ({"name": "DI", "value": "0.8"}, "its value is no finite number"),
        ({"name": "DI", "value": True}, "its value is no finite number"),
        ({"name": "DI", "value": None, "error": "x" * 1000}, "x" * 500 + "..."),
    ],
)
def test_a_metric_without_a_value_says_why(metric: Any, error: str):
    (found,) = reported(metric)
    assert (found.value, found.error) == (None, error)


def test_an_equal_ratio_is_1_and_every_other_metrics_equality_is_0():
    assert [reported({"name": name, "value": 0.75})[0].distance for name in ("DI", "DPPL")] == [0.25, 0.75]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"{", "is not JSON"),
        (b"{}", "has no bias metrics"),
        (b'{"post_training_bias_metrics": {"facets": {"a": [{"metrics": [NaN]}]}}}', "NaN"),
    ],
)
def test_what_is_no_report_is_not_read(data: bytes, why: str):
    with pytest.raises(Unreadable, match=why):
        bias.read(data)


def test_a_report_of_thousands_of_metrics_is_not_read():
    metrics = [{"name": str(i), "value": 0.1} for i in range(501)]
    facets = {"age": [{"value_or_threshold": "1", "metrics": metrics}]}
    with pytest.raises(Unreadable, match="more than 500 metrics"):
        bias.read(json.dumps({"pre_training_bias_metrics": {"facets": facets}}).encode())


@given(st.recursive(st.none() | st.integers() | st.text(max_size=3), lambda each: st.lists(each, max_size=3)))
def test_whatever_stands_where_facets_are_expected_is_refused_or_read(content: Any):
    document = {"pre_training_bias_metrics": {"facets": {"age": content}}}
    with pytest.raises(Unreadable):
        bias.read(json.dumps(document).encode())


def test_constraints_are_read_with_the_path_of_what_they_are_about():
    assert constraints.read(json.dumps(CONSTRAINTS).encode()) == [
        Constraint("recall", "binary_classification_metrics.recall.value", 0.78, floor=True),
        Constraint("false_positive_rate", "binary_classification_metrics.false_positive_rate.value", 0.2, floor=False),
    ]


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"binary_classification_constraints": {}},
        {"binary_classification_constraints": {"auc": {"threshold": 0.5, "comparison_operator": "EqualTo"}}},
        {"binary_classification_constraints": {"auc": {"comparison_operator": "LessThanThreshold"}}},
        {"binary_classification_constraints": {"auc": 0.5}},
    ],
)
def test_constraints_of_another_form_are_not_read(said: Any):
    with pytest.raises(Unreadable, match="the constraints cannot be read"):
        constraints.read(json.dumps(said).encode())
