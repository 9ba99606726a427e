"""How a SageMaker scikit-learn container loads and asks the model; goes into the archive as code/inference.py.

The container calls `model_fn` once, then for every request `input_fn`, `predict_fn` and `output_fn`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import joblib
import numpy as np

LABELS = ("benign", "malignant")


def model_fn(model_dir: str) -> Any:
    """Load the model from the directory into which SageMaker has unpacked model.tar.gz."""
    return joblib.load(Path(model_dir) / "model.joblib")


def input_fn(request_body: bytes | str, content_type: str) -> np.ndarray[Any, Any]:
    """Read rows of features: text/csv without a header, or application/json {"instances": [[...], ...]}."""
    text = request_body.decode() if isinstance(request_body, bytes) else request_body
    if content_type == "text/csv":
        return np.loadtxt(text.splitlines(), delimiter=",", ndmin=2)
    if content_type == "application/json":
        return np.asarray(json.loads(text)["instances"], dtype=float)
    raise ValueError(f"Content type {content_type} is not supported; send text/csv or application/json")


def predict_fn(rows: np.ndarray[Any, Any], model: Any) -> list[dict[str, Any]]:
    """Return the label of each row and the probability that the tumour is malignant."""
    labels, probabilities = model.predict(rows), model.predict_proba(rows)[:, 1]
    return [
        {"label": LABELS[int(label)], "probability": float(probability)}
        for label, probability in zip(labels, probabilities, strict=True)
    ]


def output_fn(predictions: list[dict[str, Any]], accept: str) -> tuple[str, str]:
    """Write predictions as application/json, or as text/csv: lines of class (1: malignant) and probability."""
    if accept == "text/csv":
        lines = (f"{LABELS.index(each['label'])},{each['probability']!r}\n" for each in predictions)
        return "".join(lines), accept
    if accept not in ("application/json", "*/*"):
        raise ValueError(f"Response type {accept} is not supported; accept application/json or text/csv")
    return json.dumps({"predictions": predictions}), "application/json"
