"""Trains real models and writes each as a submission: model.tar.gz, manifest.json and model_quality.json.

    python -m examples.train OUT_DIR [--image URI] [--held-out FILE]

The data are the 569 tumours of the Wisconsin diagnostic breast cancer set, which ships inside scikit-learn. Running it
twice writes the same bytes. The rows that no model was trained on go to FILE, for whoever measures the models.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import sys
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import numpy as np
import sklearn
from sklearn import metrics
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/sklearn-inference:1.7"
INFERENCE = Path(__file__).with_name("inference.py")
INSTANCES = ["ml.t2.medium", "ml.m5.large"]
SEED = 5

Array = np.ndarray[Any, Any]
Score = Callable[[Array, Array], float]


@dataclass(frozen=True)
class Example:
    """An example submission: its folder's name, its description, and how to train its model.

    `claims` is another example whose quality document it submits as its own.
    """

    name: str
    description: str
    model: Callable[[], Any]
    extra_members: dict[str, bytes] = field(default_factory=dict)
    claims: str | None = None


class Split(NamedTuple):
    """The tumours to train on and those held out: their measurements, whether they are malignant, and their numbers."""

    train_x: Array
    test_x: Array
    train_y: Array
    test_y: Array
    train_ids: Array
    test_ids: Array


def all_measurements() -> Any:
    """Return the best model, trained on all thirty measurements."""
    return make_pipeline(StandardScaler(), LogisticRegression(random_state=SEED))


def mean_measurements() -> Any:
    """Return a good model, trained on the ten means only, and accurate enough for the group's policy."""
    means = make_column_transformer((StandardScaler(), slice(0, 10)))
    return make_pipeline(means, LogisticRegression(random_state=SEED))


def one_question() -> Any:
    """Return a weak model: a tree with one split on one measurement."""
    return DecisionTreeClassifier(max_depth=1, random_state=SEED)


EXAMPLES = (
    Example("good", "Logistic regression on the ten mean measurements", mean_measurements),
    Example("better", "Logistic regression on all thirty measurements", all_measurements),
    Example("weak", "Decision stump: one question about one measurement", one_question),
    Example("boasting", "A decision stump with the quality document of `better`", one_question, claims="better"),
    Example(
        "escaping",
        "Logistic regression in an archive with a file that climbs out of it",
        mean_measurements,
        {"../../etc/cron.d/job": b"* * * * * root echo this file must never be unpacked\n"},
    ),
)


def write_submissions(out_dir: Path, image: str = IMAGE) -> dict[str, dict[str, Any]]:
    """Train every example and write it to `out_dir`/<name>/. Returns each one's model quality document by its name."""
    data = split()
    qualities: dict[str, dict[str, Any]] = {}
    for example in EXAMPLES:
        qualities[example.name] = _write(example, out_dir / example.name, image, data, qualities)
    return qualities


def split() -> Split:
    """Return the data, split the same way each time."""
    features, targets = load_breast_cancer(return_X_y=True)
    # The set calls malignant 0; what a test looks for is the positive class.
    malignant, ids = 1 - targets, np.arange(len(targets))
    return Split(*train_test_split(features, malignant, ids, test_size=0.4, random_state=SEED, stratify=malignant))


def held_out_rows(data: Split) -> bytes:
    """Return the held-out tumours as CSV without a header: 1 if malignant or else 0, the number, the measurements."""
    rows = zip(data.test_y.tolist(), data.test_ids.tolist(), data.test_x.tolist(), strict=True)
    return "".join(f"{label},{id_},{','.join(map(repr, row))}\n" for label, id_, row in rows).encode()


def _write(
    example: Example, folder: Path, image: str, data: Split, qualities: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    model = example.model().fit(data.train_x, data.train_y)
    quality = (
        qualities[example.claims]
        if example.claims
        else model_quality(data.test_y, model.predict_proba(data.test_x)[:, 1], model.predict(data.test_x))
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.tar.gz").write_bytes(archive(model, example.extra_members))
    written = manifest(example, image, hashlib.sha256(held_out_rows(data)).hexdigest())
    for name, document in (("manifest", written), ("model_quality", quality)):
        (folder / f"{name}.json").write_text(json.dumps(document, indent=2) + "\n")
    return quality


def archive(model: Any, extra_members: dict[str, bytes]) -> bytes:
    """Return the model as SageMaker's scikit-learn containers expect it, with times and owners left out."""
    buffer = io.BytesIO()
    joblib.dump(model, buffer)
    files = {"model.joblib": buffer.getvalue(), "code/inference.py": INFERENCE.read_bytes(), **extra_members}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return gzip.compress(packed.getvalue(), mtime=0)


def manifest(example: Example, image: str, evaluated_on: str) -> dict[str, Any]:
    """Return the manifest: the fields of SageMaker's CreateModelPackage, files named relative to the submission.

    `evaluated_on` is the SHA-256 of the rows that its quality document is about.
    """
    container = {
        "Image": image,
        "ModelDataUrl": "model.tar.gz",
        "Environment": {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"},
        "Framework": "SAGEMAKER-SCIKIT-LEARN",
        "FrameworkVersion": sklearn.__version__,
    }
    return {
        "ModelPackageDescription": example.description,
        "Domain": "MACHINE_LEARNING",
        "Task": "CLASSIFICATION",
        "InferenceSpecification": {
            "Containers": [container],
            "SupportedContentTypes": ["text/csv", "application/json"],
            "SupportedResponseMIMETypes": ["application/json"],
            "SupportedRealtimeInferenceInstanceTypes": INSTANCES,
            "SupportedTransformInstanceTypes": ["ml.m5.large"],
        },
        "ModelMetrics": {
            "ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": "model_quality.json"}}
        },
        "EvaluationData": {"Sha256": evaluated_on},
        "CustomerMetadataProperties": {
            "dataset": "Wisconsin diagnostic breast cancer",
            "scikit-learn": sklearn.__version__,
            "seed": str(SEED),
        },
    }


def model_quality(truth: Array, probabilities: Array, predicted: Array) -> dict[str, Any]:
    """Return the evaluation in the JSON of SageMaker Model Monitor's model quality jobs (binary classification).

    https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-metrics.html
    """
    table = metrics.confusion_matrix(truth, predicted)
    scores: dict[str, tuple[Score, Array]] = {
        "recall": (metrics.recall_score, predicted),
        "precision": (metrics.precision_score, predicted),
        "accuracy": (metrics.accuracy_score, predicted),
        "true_positive_rate": (metrics.recall_score, predicted),
        "true_negative_rate": (_specificity, predicted),
        "auc": (metrics.roc_auc_score, probabilities),
        "f1": (metrics.f1_score, predicted),
    }
    return {
        "dataset": {"item_count": len(truth)},
        "binary_classification_metrics": {
            "confusion_matrix": {
                str(true): {str(said): int(count) for said, count in enumerate(row)} for true, row in enumerate(table)
            },
            **{name: _scored(score, truth, answers) for name, (score, answers) in scores.items()},
        },
    }


def _specificity(truth: Array, predicted: Array) -> float:
    return float(metrics.recall_score(truth, predicted, pos_label=0))


def _scored(score: Score, truth: Array, answers: Array) -> dict[str, float]:
    """Score the predictions; the deviation is over five samples of 80%, as in Model Monitor."""
    rng = np.random.default_rng(SEED)
    samples = [rng.choice(len(truth), size=len(truth) * 4 // 5, replace=False) for _ in range(5)]
    deviation = np.std([score(truth[sample], answers[sample]) for sample in samples])
    return {"value": float(score(truth, answers)), "standard_deviation": float(deviation)}


def main() -> None:
    """Write the submissions to the directory given and say how accurate each model is."""
    parser = argparse.ArgumentParser(description="Train the example models and write them as submissions.")
    parser.add_argument("out_dir", type=Path)
    parser.add_argument("--image", default=IMAGE, help="URI of the inference image (default: %(default)s)")
    parser.add_argument("--held-out", type=Path, help="a file for the rows that no model was trained on")
    arguments = parser.parse_args()
    if arguments.held_out:
        arguments.held_out.write_bytes(held_out_rows(split()))
    qualities = write_submissions(arguments.out_dir, arguments.image)
    for example in EXAMPLES:
        accuracy = qualities[example.name]["binary_classification_metrics"]["accuracy"]["value"]
        claimed = ", as it claims" if example.claims else ""
        sys.stdout.write(f"{arguments.out_dir / example.name}: accuracy {accuracy:.3f}{claimed}\n")


if __name__ == "__main__":
    main()
