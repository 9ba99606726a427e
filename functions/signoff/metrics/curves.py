"""Curves of a classifier, out of a quality document: receiver operating characteristic, and precision and recall."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

_POINTS = 200  # of a curve that are kept; no screen shows more
# By their names in SageMaker Model Monitor's document: the axes, and the fields of a point.
# https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-metrics.html
_KNOWN = {
    "receiver_operating_characteristic_curve": (
        "Receiver operating characteristic",
        ("false positive rate", "false_positive_rates"),
        ("true positive rate", "true_positive_rates"),
    ),
    "precision_recall_curve": ("Precision and recall", ("recall", "recalls"), ("precision", "precisions")),
}


@dataclass(frozen=True)
class Curve:
    """A curve: its title, what its axes are, and its points, both coordinates from 0 to 1."""

    title: str
    horizontal: str
    vertical: str
    points: tuple[tuple[float, float], ...]


def curves_of(document: Any) -> list[Curve]:
    """Return the curves of a quality document as SageMaker Model Monitor writes it, in the order of `_KNOWN`.

    A curve that is not one (no numbers from 0 to 1, or not as many of each) is left out.
    """
    metrics = document.get("binary_classification_metrics") if isinstance(document, Mapping) else None
    if not isinstance(metrics, Mapping):
        return []
    found = (_curve(metrics.get(name), *known) for name, known in _KNOWN.items())
    return [curve for curve in found if curve]


def _curve(said: Any, title: str, horizontal: tuple[str, str], vertical: tuple[str, str]) -> Curve | None:
    if not isinstance(said, Mapping):
        return None
    across, up = _shares(said.get(horizontal[1])), _shares(said.get(vertical[1]))
    if len(across) < 2 or len(across) != len(up):
        return None
    return Curve(title, horizontal[0], vertical[0], tuple(_thinned(sorted(zip(across, up, strict=True)))))


def _shares(values: Any) -> list[float]:
    """Return numbers from 0 to 1; none at all where anything else is among them."""
    numbers = values if isinstance(values, list) else []
    return [float(each) for each in numbers] if all(map(_is_share, numbers)) else []


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value) and 0 <= value <= 1


def _thinned(points: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    """Return at most `_POINTS` of the points, evenly among all, the first and the last among them."""
    last = len(points) - 1
    if last < _POINTS:
        return points
    return [points[round(each * last / (_POINTS - 1))] for each in range(_POINTS)]
