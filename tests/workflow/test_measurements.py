"""A model is measured on the engine: a temporary one is really asked about rows that its submitter may not read."""

from pathlib import Path
from typing import Any

import pytest

from examples import train
from local.engine.seed import seed_held_out
from signoff.model_package.temporary_model import NAME
from tests.support.groups import Group, Package
from tests.support.submissions import Files


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("examples")
    train.write_submissions(folder)
    return folder


def files(examples: Path, name: str) -> Files:
    return {path.name: path.read_bytes() for path in (examples / name).iterdir()}


def judged(package: Package) -> dict[str, tuple[str, str]]:
    return {check["name"]: (check["status"], check["reason"]) for check in package.evidence()["checks"]}


def test_models_are_measured_and_held_against_what_is_claimed(group: Group, examples: Path) -> None:
    rows = seed_held_out(group.pipeline.stack.engine, train.held_out_rows(train.split()))
    evaluation: dict[str, Any] = {
        "data": {**rows, "label": "0", "id": "1", "features": "$[2:]"},
        "task": "binary",
        "labels": ["0", "1"],
        "predictions": {"kind": "probability", "path": "[1]"},
        "tolerance": 0.001,
        "metrics": ["auc"],
    }
    accuracy = {"name": "accuracy", "path": "binary_classification_metrics.accuracy.value", "at_least": 0.92}
    group.policy(evaluation=evaluation, metrics=[accuracy])

    better = group.pending(files(examples, "better"))
    boasting = group.submit(files(examples, "boasting")).package().until("ValidationFailed")
    unfitted = files(examples, "good") | {"model.tar.gz": train.archive(train.all_measurements(), {})}
    failing = group.submit(unfitted).package().until("ValidationFailed")

    measured, claimed = (better.evidence()["metrics"][kind] for kind in ("measured", "claimed"))
    values = {
        kind: {each["name"]: each["value"] for each in found["values"]}
        for kind, found in (("measured", measured), ("claimed", claimed))
    }
    for name in ("accuracy", "precision", "recall", "f1", "auc"):
        assert values["measured"][name] == pytest.approx(values["claimed"][name], abs=1e-9), name
    assert measured["dataset"] == {"sha256": rows["sha256"], "uri": rows["uri"], "rows": 228}
    assert judged(better)["evaluation"] == ("passed", f"measured on 228 rows of {rows['uri']}")
    assert judged(boasting)["claim:accuracy"][0] == "failed"
    assert judged(boasting)["metric:accuracy"][0] == "failed"
    assert judged(failing)["evaluation"][0] == "failed"
    models = group.pipeline.aws("sagemaker").list_models(NameContains=NAME)["Models"]
    assert models == []
