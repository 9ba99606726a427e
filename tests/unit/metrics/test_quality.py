"""Quality documents of all kinds: which metrics they have, what those are called, and what is told of the rest."""

import json
from typing import Any

import jmespath
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import classification_report, confusion_matrix

from signoff.documents.canonical_json import canonical
from signoff.metrics.quality import DOCUMENT_LIMIT, MAX_SLICES, MAX_VALUES, Unreadable, measured, read
from signoff.metrics.values import Dataset, Measurements, MetricValue, StoredFile, measurements_of
from tests.support.quality_documents import BINARY, MLFLOW_EVALUATION, MLFLOW_RUN, MULTICLASS, REGRESSION, reading
from tests.support.repository import ROOT

WRITTEN = ROOT / "tests/corpus/quality_documents"
DEEP: Any = 0.5
for _ in range(10):
    DEEP = {"in": DEEP}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
)


def values(measurements: Measurements) -> dict[str, float]:
    return {value.name: value.value for value in measurements.values}


def reasons(measurements: Measurements) -> dict[str, str]:
    return {skipped.path: skipped.reason for skipped in measurements.skipped}


def test_a_binary_document_of_model_monitor_is_read_whole():
    found = measured(BINARY)
    assert found.format == "model-monitor-binary"
    assert list(values(found)) == [
        *("recall", "precision", "accuracy", "true_positive_rate", "true_negative_rate"),
        *("false_positive_rate", "false_negative_rate", "auc", "f0_5", "f1", "f2"),
    ]
    assert found.find("accuracy") == MetricValue(
        "accuracy", 0.5, "binary_classification_metrics.accuracy.value", None, best_constant=0.25
    )
    assert found.confusion == {"0": {"0": 1, "1": 2}, "1": {"0": 0, "1": 1}}
    assert found.dataset == Dataset(rows=4)
    assert reasons(found) == {
        "version": "the version of the format",
        "dataset.item_count": "the data set, which is told as such",
        "dataset.evaluation_time": "the data set, which is told as such",
        "binary_classification_metrics.receiver_operating_characteristic_curve": "a curve, shown in the report",
        "binary_classification_metrics.precision_recall_curve": "a curve, shown in the report",
    }


def test_the_deviations_of_a_multiclass_document_are_kept_beside_its_values():
    found = measured(MULTICLASS)
    assert found.format == "model-monitor-multiclass"
    assert found.find("weighted_f1") == MetricValue(
        "weighted_f1",
        0.6571162346664904,
        "multiclass_classification_metrics.weighted_f1.value",
        standard_deviation=0.004385008075019733,
        best_constant=0.06286421244683643,
    )
    assert found.confusion is not None
    assert sum(n for row in found.confusion.values() for n in row.values()) == 2096


def test_a_regression_document_has_its_four_metrics():
    found = measured(REGRESSION)
    assert found.format == "model-monitor-regression"
    assert list(values(found)) == ["mae", "mse", "rmse", "r2"]


def test_of_a_history_of_mlflow_the_last_step_counts():
    found = measured(MLFLOW_RUN)
    assert found.format == "mlflow"
    assert values(found) == {"val_auc": 0.95, "log_loss": 0.21}
    assert reasons(found)["info.start_time"] == "told of the run, and no metric"


def test_a_run_that_mlflow_wrote_has_its_metrics_and_no_others():
    found = read((WRITTEN / "mlflow_run.json").read_bytes(), [("auc", "data.metrics.val_auc")])
    assert (found.format, values(found)) == ("mlflow", {"auc": 0.95, "log_loss": 0.21})


def test_the_history_that_mlflow_wrote_has_the_value_of_the_last_step():
    assert values(read((WRITTEN / "mlflow_history.json").read_bytes())) == {"val_auc": 0.95}


@pytest.mark.parametrize("document", [MLFLOW_RUN["data"], MLFLOW_RUN["data"]["metrics"]], ids=["data", "list"])
def test_an_mlflow_history_may_stand_at_the_top(document: Any):
    assert values(measured(document)) == {"val_auc": 0.95, "log_loss": 0.21}
    assert measured(document).format == "mlflow"


def test_of_one_step_the_latest_value_counts():
    logged = [{"key": "auc", "value": value, "timestamp": time, "step": 0} for value, time in ((0.9, 2), (0.8, 1))]
    assert values(measured(logged)) == {"auc": 0.9}
    assert values(measured([{"key": "auc", "value": 0.9}, {"key": "auc", "value": 0.8}])) == {"auc": 0.8}


def test_a_flat_document_has_its_numbers():
    found = measured(MLFLOW_EVALUATION)
    assert (found.format, values(found)) == ("flat", MLFLOW_EVALUATION)


def test_a_report_of_scikit_learn_has_metrics_named_after_their_path():
    actual, predicted = [0, 1, 1, 0, 1, 1], [0, 1, 0, 0, 1, 1]
    report = classification_report(actual, predicted, output_dict=True)
    report["confusion_matrix"] = confusion_matrix(actual, predicted).tolist()
    found = read(json.dumps(report).encode())
    assert found.format == "other"
    assert values(found)["macro avg.f1-score"] == report["macro avg"]["f1-score"]
    assert found.confusion == {"0": {"0": 2, "1": 0}, "1": {"0": 1, "1": 3}}


@pytest.mark.parametrize("document", [BINARY, MULTICLASS, REGRESSION, MLFLOW_RUN, {"a b": {"ü.'\"": 1}, "a": [2]}])
def test_each_path_is_an_expression_that_finds_its_value(document: dict[str, Any]):
    found = measured(document)
    assert found.values
    assert [jmespath.search(value.path, document) for value in found.values] == [v.value for v in found.values]


def test_a_policys_name_wins_where_its_path_points():
    found = measured(BINARY, [("area", 'binary_classification_metrics."auc".value')])
    assert found.values[0].name == "area"
    assert "auc" not in values(found)


def test_a_policys_name_is_taken_from_what_the_document_calls_so():
    found = measured({"auc": 0.9, "test": {"auc": 0.8}}, [("auc", "test.auc")])
    assert [(value.name, value.value) for value in found.values] == [("auc", 0.8), ("auc (2)", 0.9)]


def test_what_is_only_called_as_a_policy_calls_it_does_not_take_the_name():
    found = measured({"auc": 0.9, "slices": {"eu": {"auc": 0.8}}}, [("auc", "test.auc")])
    assert found.find("auc") is None
    assert found.find("auc", "eu") is None
    assert [value.name for value in found.values] == ["auc (2)", "auc (2)"]


def test_what_a_policy_computes_is_a_metric_too():
    found = measured({"folds": [0.8, 0.9, 1.0], "f1": 0.5}, [("mean", "avg(folds)")])
    assert values(found) == {"mean": pytest.approx(0.9), "f1": 0.5}
    assert reasons(found) == {"folds": "a list, not a single number"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("0.97", "a text"),
        (None, "null"),
        (True, "a boolean"),
        (float("nan"), "no finite number"),
        (float("inf"), "no finite number"),
        (10**400, "no finite number"),
        ([0.5, 0.6], "a list, not a single number"),
        ({}, "empty"),
        (reading("NaN"), "a text"),  # type: ignore[arg-type]
        (DEEP, "nested deeper than 8 levels"),
    ],
    ids=["text", "null", "boolean", "NaN", "infinite", "too large", "list", "empty", "reading", "deep"],
)
def test_what_is_no_metric_is_told_with_its_reason(content: Any, reason: str):
    found = measured({"m": content, "auc": 0.9})
    assert values(found) == {"auc": 0.9}
    ((path, why),) = reasons(found).items()
    assert path.startswith("m")
    assert why == reason


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("nowhere", "nothing"),
        ("text", "str instead of a finite number"),
        ("length(auc)", "cannot be evaluated: In function length(), invalid type for value: 0.9"),
    ],
)
def test_what_a_policy_does_not_find_is_told_at_its_path(path: str, why: str):
    found = measured({"auc": 0.9, "text": "0.9"}, [("m", path)])
    assert (found.why_not(path) or "").startswith(why)
    assert found.find("m") is None


@pytest.mark.parametrize(
    "matrix",
    [
        {},
        {"0": 1},
        {"0": {"0": -1}},
        {"0": {"0": 0.5}},
        {"0": {"0": True}},
        [[1, 2], 3],
        {str(i): {"0": 1} for i in range(101)},
    ],
    ids=["empty", "flat", "negative", "half", "boolean", "ragged", "many"],
)
def test_what_is_no_confusion_matrix_is_not_taken_for_one(matrix: Any):
    found = measured({"auc": 0.9, "confusion_matrix": matrix})
    assert found.confusion is None
    assert reasons(found) == {"confusion_matrix": "no matrix of counts of at most 100 classes"}


def test_a_document_may_hold_one_for_each_slice():
    document = {
        "auc": 0.9,
        "slices": {"country=DE": {"auc": 0.8, "confusion_matrix": [[1]]}, "country=FR": {"auc": "none"}},
    }
    found = measured(document, [("area", "auc")])
    assert found.slices == ("country=DE", "country=FR")
    assert found.find("area", "country=DE") == MetricValue("area", 0.8, "auc", slice="country=DE")
    assert found.why_not("auc", "country=FR") == "str instead of a finite number"
    assert found.confusion is None


@pytest.mark.parametrize(
    ("slices", "reason"),
    [
        ([], "no object with a document for each slice"),
        ({"": {"auc": 1}}, "the name of a slice has 1 to 200 characters"),
        ({"x" * 201: {"auc": 1}}, "the name of a slice has 1 to 200 characters"),
        ({str(i): {} for i in range(MAX_SLICES + 1)}, f"more than {MAX_SLICES} slices; the others are left out"),
    ],
    ids=["list", "nameless", "long", "many"],
)
def test_what_is_no_slice_is_told(slices: Any, reason: str):
    found = measured({"auc": 0.9, "slices": slices})
    assert found.slices == tuple(str(i) for i in range(MAX_SLICES) if len(slices) > MAX_SLICES)
    assert reason in reasons(found).values()


def test_a_document_names_the_data_that_it_is_about():
    said = {"sha256": "AB" * 32, "uri": "s3://data/holdout.csv", "item_count": 100}
    assert measured({"dataset": said}).dataset == Dataset("ab" * 32, "s3://data/holdout.csv", 100)
    odd = {"sha256": "ab", "uri": 7, "item_count": -1}
    assert measured({"dataset": odd}).dataset == Dataset()
    assert measured({"dataset": "s3://data"}).dataset == Dataset()


def test_thousands_of_numbers_are_cut_and_what_a_policy_names_is_among_those_kept():
    document = {f"m{i}": i for i in range(MAX_VALUES * 2)}
    found = measured(document, [("last", f"m{MAX_VALUES * 2 - 1}")])
    assert len(found.values) == MAX_VALUES + 1
    assert found.find("last") is not None
    assert f"more than {MAX_VALUES} numbers; the others are left out" in reasons(found).values()


def test_thousands_of_other_things_are_counted():
    found = measured({f"m{i}": "text" for i in range(300)})
    assert len(found.skipped) == 101
    assert found.skipped[-1].reason == "and 200 more that are no metrics"


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b'{"a": NaN}', b'{"a": 1, "a": 2}'])
def test_what_is_not_json_is_not_read(data: bytes):
    with pytest.raises(Unreadable, match="the model quality document cannot be read: "):
        read(data)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b'{"m": 0.5, "m": 0.99}', "m is given more than once"),
        (b'\xef\xbb\xbf{"m": 0.99}', "byte order mark"),
        ('{"m": 0.99}'.encode("utf-16"), "is not UTF-8"),
        (b'{"m": 0.99, "other": NaN}', "other is NaN"),
        (b'{"m": 1e999}', "m is 1e999"),
        (f'{{"m": 1{"0" * 400}}}'.encode(), "m is 1000"),
        (b"[" * 100_000, "nested deeper"),
        (b" " * (DOCUMENT_LIMIT + 1), "at most 16,777,216"),
    ],
    ids=["doubled key", "byte order mark", "UTF-16", "NaN", "infinite", "large", "deep", "long"],
)
def test_a_document_that_two_readers_would_read_differently_is_not_read_and_says_where(data: bytes, why: str):
    with pytest.raises(Unreadable, match=why):
        read(data)


def test_a_document_may_be_larger_than_a_manifest():
    assert read(json.dumps({"m": 0.99, "more": "x" * (2 * 1024 * 1024)}).encode()).find("m") is not None


@given(JSON)
def test_any_json_gives_measurements_that_can_be_written_and_read_again(document: Any):
    found = measured(document, [("m", "a.b"), ("n", "length(@)")]).of(StoredFile("s3://vault/q.json", "ab"))
    assert measurements_of(json.loads(canonical(found.document))) == found
    names = [(value.name, value.slice) for value in found.values]
    assert len(names) == len(set(names))
