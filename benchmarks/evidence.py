"""What reading and comparing the metrics of two models takes, against parsing the same two documents with json."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from typing import Any

from signoff.metrics import quality
from signoff.metrics.comparison import Comparison

SIZES = (10, 100, 400)  # metrics in each of the two documents
_REPEATED = 20


def document(metrics: int, better: float) -> bytes:
    """A model quality document as SageMaker Model Monitor writes it, with that many metrics and a confusion matrix."""
    scores: dict[str, Any] = {
        f"metric_{number}": {"value": 0.5 + better + number / 10_000, "standard_deviation": 0.01}
        for number in range(metrics)
    }
    right = 450 + round(better * 100)
    scores["confusion_matrix"] = {"0": {"0": right, "1": 500 - right}, "1": {"0": 500 - right, "1": right}}
    return json.dumps({"binary_classification_metrics": scores}).encode()


def measure(runs: int) -> list[dict[str, Any]]:
    """Return, for each of `SIZES`, the medians of the seconds for both ways, and their ratio."""
    return [_row(size, runs) for size in SIZES]


def _row(metrics: int, runs: int) -> dict[str, Any]:
    documents = document(metrics, 0.1), document(metrics, 0.0)
    parsed = _median(lambda: [json.loads(each) for each in documents], runs)
    compared = _median(lambda: _compared(*documents), runs)
    bytes_read = sum(map(len, documents))
    return {"metrics": metrics, "bytes": bytes_read, "json": parsed, "seconds": compared, "ratio": compared / parsed}


def _compared(candidate: bytes, champion: bytes) -> None:
    found = Comparison({}, 0.95).rows(quality.read(candidate), quality.read(champion), same_data=True)
    if not found:
        raise AssertionError("nothing was compared")


def _median(act: Callable[[], Any], runs: int) -> float:
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        for _ in range(_REPEATED):
            act()
        times.append((time.perf_counter() - began) / _REPEATED)
    return statistics.median(times)
