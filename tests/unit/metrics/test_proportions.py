"""Metrics that are proportions of a confusion matrix's counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, precision_score, recall_score

from signoff.metrics.proportions import Proportion, comparable, proportion
from signoff.metrics.quality import measured
from signoff.metrics.values import MetricValue
from tests.support.quality_documents import BINARY, MULTICLASS

COUNTS = st.integers(1, 40)


def value(name: str, number: float, of_slice: str | None = None) -> MetricValue:
    return MetricValue(name, number, f"m.{name}.value", slice=of_slice)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("accuracy", Proportion(2, 4, None)),
        ("recall", Proportion(1, 1, "1")),
        ("precision", Proportion(1, 3, "1")),
        ("true_negative_rate", Proportion(1, 3, "1")),
        ("false_positive_rate", Proportion(2, 3, "1")),
        ("false_negative_rate", Proportion(0, 1, "1")),
        ("auc", None),
        ("f1", None),
    ],
)
def test_what_model_monitor_computes_of_its_matrix_is_found_in_it(name: str, expected: Proportion | None):
    found = measured(BINARY)
    metric = found.find(name)
    assert metric is not None
    assert proportion(metric, found.confusion) == expected


def test_the_matrix_of_the_documentations_multiclass_example_gives_its_accuracy():
    found = measured(MULTICLASS)
    metric = found.find("accuracy")
    assert metric is not None
    assert proportion(metric, found.confusion) == Proportion(1318, 2096, None)


@given(COUNTS, COUNTS, COUNTS, COUNTS, st.sampled_from(["0", "1"]))
def test_a_proportion_is_the_metric_of_scikit_learn(tn: int, fp: int, fn: int, tp: int, positive: str):
    actual, predicted = ["0"] * (tn + fp) + ["1"] * (fn + tp), ["0"] * tn + ["1"] * fp + ["0"] * fn + ["1"] * tp
    matrix = {"0": {"0": tn, "1": fp}, "1": {"0": fn, "1": tp}}
    for name, score in (
        ("accuracy", accuracy_score(actual, predicted)),
        ("recall", recall_score(actual, predicted, pos_label=positive)),
        ("precision", precision_score(actual, predicted, pos_label=positive)),
    ):
        found = proportion(value(name, float(score)), matrix)
        assert found is not None
        assert found.successes / found.trials == pytest.approx(score)


def test_a_matrix_that_contradicts_a_metric_says_nothing_of_it():
    matrix = {"0": {"0": 90, "1": 10}, "1": {"0": 5, "1": 95}}
    assert proportion(value("accuracy", 0.99), matrix) is None
    assert proportion(value("recall", 0.99), matrix) is None


def test_a_metric_of_a_slice_is_none_of_the_whole_matrix():
    matrix = {"0": {"0": 1}}
    assert proportion(value("accuracy", 1.0), matrix) == Proportion(1, 1, None)
    assert proportion(value("accuracy", 1.0, of_slice="eu"), matrix) is None
    assert proportion(value("accuracy", 1.0), None) is None


def test_a_policys_own_name_is_seen_through_by_its_path():
    metric = MetricValue("hit quota", 0.5, "binary_classification_metrics.accuracy.value")
    assert proportion(metric, {"0": {"0": 1, "1": 1}}) == Proportion(1, 2, None)


def test_of_three_classes_only_the_accuracy_is_known():
    matrix = {"a": {"a": 1}, "b": {"b": 1}, "c": {"c": 0, "a": 2}}
    assert proportion(value("accuracy", 0.5), matrix) == Proportion(2, 4, None)
    assert proportion(value("recall", 1.0), matrix) is None


def test_matrices_are_comparable_if_each_class_is_truly_there_as_often():
    one = {"0": {"0": 5, "1": 5}, "1": {"1": 3}}
    assert comparable(one, {"0": {"0": 10}, "1": {"0": 3}, "2": {"0": 0}})
    assert not comparable(one, {"0": {"0": 10}, "1": {"0": 4}})
