"""The metrics of rows are those that scikit-learn computes of the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sklearn import metrics as sklearn
from sklearn.calibration import calibration_curve

from signoff.metrics import quality, scores
from signoff.metrics import rows as rows_of
from signoff.metrics.rows import Row, Task, Unmeasurable
from signoff.metrics.scores import Scores, score

BINARY, COLOURS, NUMBER = (
    Task("binary", ("no", "yes")),
    Task("multiclass", ("blue", "green", "red")),
    Task("regression"),
)

probability = st.one_of(st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.7, 1.0]), st.floats(0, 1))
number = st.floats(-1e6, 1e6)
close = {"rel": 1e-9, "abs": 1e-9}


def value(found: Scores, name: str, group: str | None = None) -> float:
    (only,) = (each.value for each in found.values if (each.name, each.slice) == (name, group))
    return only


def reasons(found: Scores) -> dict[str, str]:
    return {name: reason for name, group, reason in found.skipped if group is None}


def binary(pairs: Sequence[tuple[bool, float]]) -> list[Row]:
    return [Row("yes" if true else "no", "yes" if said >= 0.5 else "no", (said,)) for true, said in pairs]


@given(st.lists(st.tuples(st.booleans(), probability), min_size=1, max_size=60))
@example([(True, 0.5), (False, 0.5)])
@example([(True, 1.0), (False, 1.0), (True, 0.0)])
def test_a_binary_classifiers_metrics_are_scikit_learns(pairs: list[tuple[bool, float]]) -> None:
    found = score(BINARY, binary(pairs))
    true, said = [each for each, _ in pairs], [each for _, each in pairs]
    predicted = [each >= 0.5 for each in said]

    assert value(found, "accuracy") == pytest.approx(sklearn.accuracy_score(true, predicted))
    assert value(found, "log_loss") == pytest.approx(sklearn.log_loss(true, said, labels=[False, True]), **close)
    assert value(found, "brier") == pytest.approx(sklearn.brier_score_loss(true, said, pos_label=True), **close)
    if any(predicted):
        assert value(found, "precision") == pytest.approx(sklearn.precision_score(true, predicted))
    if any(true):
        assert value(found, "recall") == pytest.approx(sklearn.recall_score(true, predicted))
    if any(true) or any(predicted):
        assert value(found, "f1") == pytest.approx(sklearn.f1_score(true, predicted))
    if len({*true}) == 2:
        assert value(found, "auc") == pytest.approx(sklearn.roc_auc_score(true, said), **close)
    (matrix,) = [found.confusion]
    assert matrix is not None
    counted = [[matrix[a][b] for b in BINARY.labels] for a in BINARY.labels]
    assert counted == sklearn.confusion_matrix(true, predicted, labels=[False, True]).tolist()
    assert {each.name for each in found.values} | reasons(found).keys() == {*rows_of.BINARY}


@given(st.lists(st.tuples(st.booleans(), probability), min_size=1, max_size=60))
def test_the_calibration_error_is_that_of_scikit_learns_curve_weighted_by_rows(pairs: list[tuple[bool, float]]) -> None:
    true, said = [each for each, _ in pairs], [each for _, each in pairs]
    rates, means = calibration_curve(true, said, n_bins=10, pos_label=True)
    filled = sorted({scores.bisect_left(scores._EDGES, each) for each in said})
    counts = [sum(scores.bisect_left(scores._EDGES, each) == bin_ for each in said) for bin_ in filled]
    expected = sum(abs(rate - mean) * n for rate, mean, n in zip(rates, means, counts, strict=True)) / len(said)

    assert value(score(BINARY, binary(pairs)), "ece") == pytest.approx(expected, abs=1e-9)


@given(
    st.lists(st.tuples(st.sampled_from(COLOURS.labels), st.tuples(*[st.floats(0.01, 1)] * 3)), min_size=1, max_size=40)
)
def test_a_classifiers_averages_are_scikit_learns(pairs: list[tuple[str, tuple[float, float, float]]]) -> None:
    shares = [tuple(each / sum(weights) for each in weights) for _, weights in pairs]
    said = [COLOURS.labels[share.index(max(share))] for share in shares]
    true = [label for label, _ in pairs]
    found = score(COLOURS, [Row(*each) for each in zip(true, said, shares, strict=True)])

    assert value(found, "accuracy") == pytest.approx(sklearn.accuracy_score(true, said))
    assert value(found, "micro_f1") == pytest.approx(sklearn.f1_score(true, said, average="micro"))
    for average in ("macro", "weighted"):
        expected = sklearn.precision_recall_fscore_support(true, said, average=average, zero_division=0)
        for name, each in zip(("precision", "recall", "f1"), expected, strict=False):
            assert value(found, f"{average}_{name}") == pytest.approx(each), (average, name)
    assert value(found, "log_loss") == pytest.approx(
        sklearn.log_loss(true, shares, labels=list(COLOURS.labels)), **close
    )
    one_hot = [[label == each for each in COLOURS.labels] for label in true]
    squared = sum(
        (s - t) ** 2 for share, row in zip(shares, one_hot, strict=True) for s, t in zip(share, row, strict=True)
    )
    assert value(found, "brier") == pytest.approx(squared / len(true), **close)
    assert {each.name for each in found.values} == {*rows_of.MULTICLASS}


@given(st.lists(st.tuples(number, number), min_size=1, max_size=60))
def test_a_regressions_metrics_are_scikit_learns(pairs: list[tuple[float, float]]) -> None:
    true, said = [each for each, _ in pairs], [each for _, each in pairs]
    found = score(NUMBER, [Row(*each) for each in pairs])

    assert value(found, "mae") == pytest.approx(sklearn.mean_absolute_error(true, said), **close)
    assert value(found, "mse") == pytest.approx(sklearn.mean_squared_error(true, said), **close)
    assert value(found, "rmse") == pytest.approx(sklearn.root_mean_squared_error(true, said), **close)
    if len({*true}) > 1 and max(true) - min(true) > 1e-3:
        assert value(found, "r2") == pytest.approx(sklearn.r2_score(true, said), rel=1e-6, abs=1e-6)


def test_what_cannot_be_computed_has_a_reason_and_no_value() -> None:
    found = score(BINARY, binary([(False, 0.1), (False, 0.2)]))

    assert reasons(found) == {
        "precision": "no row is predicted to be yes",
        "recall": "no row is truly yes",
        "f1": "no row is truly yes",
        "auc": "all rows have the same true label",
    }
    assert reasons(score(NUMBER, [Row(1.0, 2.0), Row(1.0, 1.0)])) == {"r2": "all rows have the same true value"}
    assert reasons(score(NUMBER, [Row(1e300, 0.0), Row(0.0, 0.0)])).keys() >= {"mse", "rmse"}


def test_labels_alone_have_no_metrics_of_probabilities() -> None:
    found = score(BINARY, [Row("yes", "yes"), Row("no", "yes", (0.7,))])

    assert value(found, "accuracy") == 0.5
    assert reasons(found).keys() == {"auc", "log_loss", "brier", "ece"}


def test_the_best_constant_answer_stands_beside_the_accuracy_alone() -> None:
    found = score(BINARY, binary([(True, 0.9), (False, 0.2), (False, 0.6)]))

    assert {each.name: each.best_constant for each in found.values if each.best_constant} == {"accuracy": 2 / 3}


def test_each_slice_is_measured_by_itself() -> None:
    rows = [
        Row("yes", "yes", (0.9,), ("region=EU",)),
        Row("no", "yes", (0.8,), ("region=US",)),
        Row("no", "no", (0.1,)),
    ]
    found = score(BINARY, rows)

    assert (value(found, "accuracy"), found.rows) == (2 / 3, 3)
    assert (value(found, "accuracy", "region=EU"), value(found, "accuracy", "region=US")) == (1, 0)


def test_the_same_rows_in_another_order_have_the_same_counted_metrics() -> None:
    rows = binary([(True, 0.9), (False, 0.2), (False, 0.6), (True, 0.6), (False, 0.9)])
    counted = ("accuracy", "precision", "recall", "f1", "auc")
    first, last = score(BINARY, rows), score(BINARY, rows[::-1])

    assert [value(first, name) for name in counted] == [value(last, name) for name in counted]


@pytest.mark.parametrize(
    ("task", "row", "reason"),
    [
        (BINARY, Row("yes", "yes", (nan,)), "row 1: [nan] are not probabilities, from 0 to 1"),
        (BINARY, Row("yes", "yes", (1.5,)), "row 1: [1.5] are not probabilities, from 0 to 1"),
        (BINARY, Row("yes", "yes", (0.5, 0.5)), "row 1: 2 probabilities instead of 1"),
        (BINARY, Row("maybe", "yes"), "row 1: the true label is 'maybe', none of no, yes"),
        (BINARY, Row("yes", "maybe"), "row 1: the predicted label is 'maybe', none of no, yes"),
        (COLOURS, Row("red", "red", (0.5, 0.5, 0.5)), "row 1: the probabilities of all labels add up to 1.5, not 1"),
        (NUMBER, Row(1.0, nan), "row 1: the predicted value is nan, no finite number"),
        (NUMBER, Row("1", 1.0), "row 1: the true value is '1', no finite number"),
    ],
)
def test_a_row_that_is_none_of_the_task_is_refused_by_name(task: Task, row: Row, reason: str) -> None:
    with pytest.raises(Unmeasurable) as refused:
        score(task, [row])
    assert str(refused.value) == reason


def test_what_was_measured_is_read_like_any_quality_document() -> None:
    rows = [Row("yes", "yes", (0.9,), ("region=EU",)), Row("no", "yes", (0.8,), ("region=US",))]
    found = score(BINARY, rows)
    read = quality.measured(found.document(BINARY, "ab" * 32), [("my auc", "binary_classification_metrics.auc.value")])

    assert (read.format, read.dataset.rows, read.dataset.sha256) == ("model-monitor-binary", 2, "ab" * 32)
    assert {(each.name.replace("my ", ""), each.slice, each.value) for each in read.values} == {
        (each.name, each.slice, each.value) for each in found.values
    }
    assert (read.find("my auc").value, read.find("accuracy").best_constant) == (1, 0.5)  # type: ignore[union-attr]
    assert read.confusion == {"no": {"no": 0, "yes": 1}, "yes": {"no": 0, "yes": 1}}
    for task, row in ((NUMBER, Row(1.0, 2.0)), (COLOURS, Row("red", "red"))):
        assert quality.measured(score(task, [row]).document(task, "")).format == f"model-monitor-{task.kind}"


def test_a_policys_names_are_those_of_the_task_or_stand_where_its_metrics_do() -> None:
    asked = [("auc", "auc"), ("ours", "binary_classification_metrics.f1.value"), ("cost", "business.cost")]

    assert BINARY.named(asked) == [
        ("auc", "binary_classification_metrics.auc.value"),
        ("ours", "binary_classification_metrics.f1.value"),
    ]


def test_no_rows_too_many_rows_and_too_many_slices_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scores, "ROWS", 2)
    monkeypatch.setattr(scores, "SLICES", 2)

    with pytest.raises(Unmeasurable, match="no rows"):
        score(NUMBER, [])
    with pytest.raises(Unmeasurable, match="more than 2 rows"):
        score(NUMBER, [Row(1, 1)] * 3)
    with pytest.raises(Unmeasurable, match="row 1: there are more than 2 slices, the last `c=1`"):
        score(NUMBER, [Row(1, 1, (), ("a=1", "b=1", "c=1"))])
