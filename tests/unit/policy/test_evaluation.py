"""What a policy says of measuring models is refused where it could not be done."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.policy_files import EVALUATION, ROWS, SMOKE, faults


def evaluation(**fields: Any) -> dict[str, Any]:
    return {"evaluation": {**EVALUATION, **fields}}


def smoke(**fields: Any) -> dict[str, Any]:
    return {"smoke": {**SMOKE, **fields}}


def rows(**fields: Any) -> dict[str, Any]:
    return evaluation(data={**ROWS, **fields})


LINES = {"content_type": "application/jsonlines", "label": "churned", "features": "$.features"}
CLASSES = {"task": "multiclass", "labels": ["a", "b", "c"], "predictions": {"kind": "probabilities"}}


@pytest.mark.parametrize(
    "document",
    [
        evaluation(),
        rows(**LINES, id="id", slices={"region": "region"}),
        rows(id="2", slices={"region": "3"}),
        evaluation(predictions={"kind": "label"}, metrics=["accuracy", "f1"], threshold=1, tolerance=0),
        evaluation(**CLASSES, metrics=["macro_f1", "log_loss"]),
        evaluation(task="regression", labels=[], predictions={"kind": "value"}, metrics=["rmse"]),
        smoke(predictions={"kind": "value", "path": "[0]"}),
        {**evaluation(), **smoke()},
    ],
)
def test_what_can_be_measured_is_accepted(document: dict[str, Any]) -> None:
    assert faults(document) == {}


@pytest.mark.parametrize(
    ("document", "path", "words"),
    [
        (rows(uri="s3://held-out/"), "evaluation.data.uri", "must be the S3 URI of one object"),
        (rows(uri="s3://held-out/prefix/"), "evaluation.data.uri", "must be the S3 URI of one object"),
        (rows(version="null"), "evaluation.data.version", "must be the version id that S3 gave the object"),
        (rows(sha256="AB" * 32), "evaluation.data.sha256", "must be a SHA-256"),
        (rows(label="churned"), "evaluation.data.label", "a column of CSV is its position, from 0; `churned` is none"),
        (rows(label="-1"), "evaluation.data.label", "a column of CSV is its position"),
        (rows(label="²"), "evaluation.data.label", "a column of CSV is its position"),
        (rows(id="id"), "evaluation.data.id", "a column of CSV is its position"),
        (rows(slices={"a": "a"}), "evaluation.data.slices.a", "a column of CSV is its position"),
        (rows(features="$"), "evaluation.data.features", "is the whole row, the true answer too"),
        (rows(features="[1:]"), "evaluation.data.features", "must be a path of SageMaker's InputFilter"),
        (rows(content_type="text/plain"), "evaluation.data.content_type", "must be one of"),
        (evaluation(labels=["1"]), "evaluation.labels", "a binary task has two"),
        (evaluation(labels=["0", "1", "2"]), "evaluation.labels", "a binary task has two"),
        (evaluation(labels=["1", "1"]), "evaluation.labels[1]", "is the same as"),
        (evaluation(labels=["1", "1.0"]), "evaluation.labels[1]", "`1.0` and `1` are the same label"),
        (evaluation(**{**CLASSES, "labels": ["a"]}), "evaluation.labels", "a multiclass task has at least two"),
        (evaluation(task="regression"), "evaluation.labels", "a regression has none"),
        (evaluation(task="regression"), "evaluation.predictions.kind", "of a regression task is `value`"),
        (evaluation(metrics=["rmse"]), "evaluation.metrics[0]", "is none of those of a binary task: accuracy, "),
        (
            evaluation(predictions={"kind": "label"}, metrics=["auc"]),
            "evaluation.metrics[0]",
            "`auc` is computed of probabilities, and the model answers labels",
        ),
        (evaluation(threshold=2), "evaluation.threshold", "at most 1"),
        (evaluation(tolerance=-1), "evaluation.tolerance", "at least 0"),
        (evaluation(job={"minutes": 721}), "evaluation.job.minutes", "at most 720"),
        (evaluation(job={"instance_type": "m5.large"}), "evaluation.job.instance_type", "must be an instance type"),
        (
            evaluation(predictions={"kind": "label", "path": "a["}),
            "evaluation.predictions.path",
            "not a valid JMESPath",
        ),
        (smoke(predictions={"kind": "probabilities"}), "smoke.predictions.kind", "are no single answer"),
        (smoke(data={**ROWS, "slices": {"a": "1"}}), "smoke.data.slices", "a smoke test has none"),
        ({"smoke": {"data": {}, "predictions": {"kind": "label"}}}, "smoke.data.label", "is required and missing"),
    ],
)
def test_what_cannot_be_measured_is_refused_where_it_stands(document: Any, path: str, words: str) -> None:
    assert words in faults(document)[path]
