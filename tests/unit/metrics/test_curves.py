"""The curves of a quality document, and what is no curve."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.metrics.curves import curves_of
from tests.support.quality_documents import BINARY

ROC = "receiver_operating_characteristic_curve"


def with_roc(across: Any, up: Any) -> dict[str, Any]:
    return {"binary_classification_metrics": {ROC: {"false_positive_rates": across, "true_positive_rates": up}}}


def test_a_document_of_model_monitor_has_both_curves() -> None:
    first, second = curves_of(BINARY)
    assert (first.horizontal, first.vertical) == ("false positive rate", "true positive rate")
    assert first.points[0] == (0.0, 0.0)
    assert first.points[-1] == (1.0, 1.0)
    assert (second.horizontal, second.vertical) == ("recall", "precision")


@pytest.mark.parametrize(
    ("across", "up"),
    [
        ([0, 1], [0, 2]),
        ([0, 1], [0, "1"]),
        ([0, 1], [0, float("nan")]),
        ([0, 1], [0, True]),
        ([0, 1], [0, 0.5, 1]),
        ([0], [1]),
        ("01", "01"),
        (None, [0, 1]),
    ],
)
def test_what_is_no_curve_is_left_out(across: Any, up: Any) -> None:
    assert curves_of(with_roc(across, up)) == []


@pytest.mark.parametrize("document", [None, [], "text", {}, {"binary_classification_metrics": [1]}])
def test_a_document_of_another_kind_has_none(document: Any) -> None:
    assert curves_of(document) == []


@given(st.lists(st.floats(0, 1), min_size=2, max_size=500))
def test_a_curve_keeps_its_ends_and_has_no_more_points_than_are_seen(shares: list[float]) -> None:
    (curve,) = curves_of(with_roc(shares, shares))
    assert len(curve.points) <= 200
    assert (curve.points[0][0], curve.points[-1][0]) == (min(shares), max(shares))
