from __future__ import annotations

import hashlib
import importlib.util
import json
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore.session
import jmespath
import numpy as np
import pytest
from msgspec import convert
from sklearn.datasets import load_breast_cancer

from examples import train
from signoff.artifact import scan
from signoff.artifact.inspection import inspect
from signoff.artifact.report import Inspection
from signoff.policy.artifact import Artifact
from signoff.policy.policy import parse
from signoff.submission.json_objects import read
from signoff.submission.manifest import Manifest
from signoff.submission.manifest_shape import manifest_shape
from tests.support.repository import ROOT

if TYPE_CHECKING:
    from types import ModuleType

POLICY = json.loads((ROOT / "infra/policies/groups/breast-cancer.json").read_text())
NAMES = ("good", "better", "weak", "boasting", "escaping")


@pytest.fixture(scope="module")
def submissions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out_dir = tmp_path_factory.mktemp("submissions")
    train.write_submissions(out_dir)
    return out_dir


def accuracy(submissions: Path, name: str) -> float:
    quality = json.loads((submissions / name / "model_quality.json").read_text())
    value = jmespath.search(POLICY["metrics"][0]["path"], quality)
    assert isinstance(value, float)
    return value


def inspected(submissions: Path, name: str) -> Inspection:
    data = (submissions / name / "model.tar.gz").read_bytes()
    return inspect([data], convert(POLICY["artifact"], Artifact).requirements, scan.scan)


def load_inference(folder: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("inference", folder / "code/inference.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def served(submissions: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[ModuleType, Any]:
    """What a container has after it started with the good model: the code, and the model loaded by it."""
    folder = tmp_path_factory.mktemp("model")
    with tarfile.open(submissions / "good/model.tar.gz") as tar:
        tar.extractall(folder, filter="data")
    code = load_inference(folder)
    return code, code.model_fn(str(folder))


def test_training_writes_whole_submissions(submissions: Path) -> None:
    written = {str(path.relative_to(submissions)) for path in submissions.rglob("*") if path.is_file()}
    files = ("model.tar.gz", "manifest.json", "model_quality.json")
    assert written == {f"{name}/{file}" for name in NAMES for file in files}


def test_the_threshold_lies_between_the_weak_model_and_the_good_one(submissions: Path) -> None:
    threshold = POLICY["metrics"][0]["at_least"]
    assert accuracy(submissions, "weak") < threshold <= accuracy(submissions, "good") < accuracy(submissions, "better")
    assert accuracy(submissions, "escaping") == accuracy(submissions, "good")


def test_the_boasting_example_is_the_weak_model_and_claims_to_be_better(submissions: Path) -> None:
    archives = {name: (submissions / name / "model.tar.gz").read_bytes() for name in ("weak", "boasting")}
    assert archives["boasting"] == archives["weak"]
    assert accuracy(submissions, "boasting") == accuracy(submissions, "better")


@pytest.mark.parametrize("name", ["good", "better", "weak"])
def test_a_valid_archive_passes_inspection_with_the_files_its_policy_requires(submissions: Path, name: str) -> None:
    inspection = inspected(submissions, name)
    assert inspection.findings == ()
    assert [(entry.name, entry.kind) for entry in inspection.inventory] == [
        ("model.joblib", "pickle"),
        ("code/inference.py", "python source"),
    ]


def test_the_escaping_archive_is_refused_for_the_member_that_climbs_out(submissions: Path) -> None:
    inspection = inspected(submissions, "escaping")
    assert [(finding.member, finding.rule) for finding in inspection.findings] == [
        ("../../etc/cron.d/job", "parent-directory")
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_manifest_names_only_files_of_its_submission(submissions: Path, name: str) -> None:
    manifest = json.loads((submissions / name / "manifest.json").read_text())
    names = jmespath.search("[InferenceSpecification.Containers[].ModelDataUrl, ModelMetrics.*.*.S3Uri[]][]", manifest)
    assert sorted(names) == ["model.tar.gz", "model_quality.json"]
    assert all((submissions / name / file).is_file() for file in names)


def test_a_manifest_names_the_data_that_the_quality_document_is_about(submissions: Path) -> None:
    manifest = json.loads((submissions / "good/manifest.json").read_text())
    rows = train.held_out_rows(train.split())
    assert manifest["EvaluationData"] == {"Sha256": hashlib.sha256(rows).hexdigest()}


@pytest.mark.parametrize("name", NAMES)
def test_a_manifest_has_no_fault(submissions: Path, name: str) -> None:
    sagemaker = botocore.session.get_session().get_service_model("sagemaker")
    shapes = (sagemaker.operation_model(call).input_shape for call in ("CreateModelPackage", "CreateModel"))
    document = read((submissions / name / "manifest.json").read_bytes())
    manifest = Manifest(document, "artifacts", f"breast-cancer/{name}", manifest_shape(*shapes))
    assert manifest.faults() == []


def test_the_groups_policy_can_be_read_once_it_has_its_execution_role() -> None:
    role = "arn:aws:iam::123456789012:role/model"
    policy = parse(json.dumps(POLICY | {"deployment": POLICY["deployment"] | {"execution_role": role}}))
    assert policy.lists("arn:aws:iam::123456789012:user/approver")
    assert not policy.lists("arn:aws:iam::123456789012:user/submitter")
    assert policy.artifact.required_files == ("model.joblib",)


def test_the_image_is_the_callers_to_name(tmp_path: Path) -> None:
    image = "210987654321.dkr.ecr.eu-west-1.amazonaws.com/mine:2"
    script = [sys.executable, str(ROOT / "examples/train.py"), str(tmp_path), "--image", image]
    said = subprocess.run(script, capture_output=True, text=True, check=True, cwd=tmp_path).stdout  # noqa: S603
    manifest = json.loads((tmp_path / "good/manifest.json").read_text())
    assert manifest["InferenceSpecification"]["Containers"][0]["Image"] == image
    assert said.splitlines()[0] == f"{tmp_path / 'good'}: accuracy 0.943"


def test_training_again_in_another_process_writes_the_same_bytes(submissions: Path, tmp_path: Path) -> None:
    script = [sys.executable, "-m", "examples.train", str(tmp_path)]
    subprocess.run(script, capture_output=True, check=True, cwd=ROOT)  # noqa: S603
    first = {path.relative_to(submissions): path.read_bytes() for path in submissions.rglob("*.*")}
    again = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*.*")}
    assert len(again) == 3 * len(NAMES)
    assert again == first


def test_the_held_out_rows_are_those_that_no_model_was_trained_on(submissions: Path) -> None:
    data = train.split()
    rows = [line.split(",") for line in train.held_out_rows(data).decode().splitlines()]
    features, targets = load_breast_cancer(return_X_y=True)

    assert {len(row) for row in rows} == {32}
    assert {int(row[1]) for row in rows} | set(data.train_ids.tolist()) == set(range(len(targets)))
    assert {int(row[1]) for row in rows}.isdisjoint(data.train_ids.tolist())
    assert all([float(value) for value in row[2:]] == features[int(row[1])].tolist() for row in rows)
    assert all(int(row[0]) == 1 - targets[int(row[1])] for row in rows)


def test_the_quality_document_agrees_with_its_own_confusion_matrix(submissions: Path) -> None:
    quality = json.loads((submissions / "good/model_quality.json").read_text())["binary_classification_metrics"]
    table = quality["confusion_matrix"]
    right, all_answers = table["0"]["0"] + table["1"]["1"], sum(sum(row.values()) for row in table.values())
    assert quality["accuracy"]["value"] == pytest.approx(right / all_answers)
    assert quality["recall"]["value"] == pytest.approx(table["1"]["1"] / sum(table["1"].values()))
    assert 0 < quality["accuracy"]["standard_deviation"] < 0.05


def test_the_good_archive_answers_a_csv_request_in_json(served: tuple[ModuleType, Any]) -> None:
    code, model = served
    features, targets = load_breast_cancer(return_X_y=True)
    body = "\n".join(",".join(map(str, row)) for row in features)
    predictions = code.predict_fn(code.input_fn(body, "text/csv"), model)
    answer, content_type = code.output_fn(predictions, "application/json")
    labels = [prediction["label"] for prediction in json.loads(answer)["predictions"]]
    expected = np.where(targets == 0, "malignant", "benign")
    assert content_type == "application/json"
    assert np.mean(np.array(labels) == expected) >= 0.92


def test_the_good_archive_answers_in_csv_with_a_line_for_each_row(served: tuple[ModuleType, Any]) -> None:
    code, model = served
    rows = load_breast_cancer(return_X_y=True)[0][:3]

    answer, content_type = code.output_fn(code.predict_fn(rows, model), "text/csv")

    expected = zip(model.predict(rows), model.predict_proba(rows)[:, 1], strict=True)
    assert (answer, content_type) == ("".join(f"{label},{float(p)!r}\n" for label, p in expected), "text/csv")


def test_the_good_archive_answers_json_as_it_answers_csv(served: tuple[ModuleType, Any]) -> None:
    code, model = served
    rows = load_breast_cancer(return_X_y=True)[0][:3]
    body = json.dumps({"instances": rows.tolist()}).encode()
    csv = "\n".join(",".join(map(str, row)) for row in rows).encode()
    answers = [
        code.predict_fn(code.input_fn(*request), model) for request in ((body, "application/json"), (csv, "text/csv"))
    ]
    assert answers[0] == answers[1]
    assert all(0 <= answer["probability"] <= 1 for answer in answers[0])


def test_a_request_of_another_kind_is_refused_by_name(served: tuple[ModuleType, Any]) -> None:
    code, _ = served
    with pytest.raises(ValueError, match="image/png is not supported"):
        code.input_fn(b"", "image/png")
