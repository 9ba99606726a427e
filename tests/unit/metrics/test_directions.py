"""Which way a metric is better, by its name."""

import pytest

from signoff.metrics.directions import higher_is_better


@pytest.mark.parametrize(
    ("name", "higher"),
    [
        ("auc", True),
        ("ROC_AUC", True),
        ("weighted_f1", True),
        ("macro avg.f1-score", True),
        ("validation_macro_recall", True),
        ("rmse", False),
        ("test.log loss", False),
        ("false_positive_rate", False),
        ("auc_of_costs", None),
        ("example_count", None),
        ("f1.support", None),
        ("", None),
    ],
)
def test_well_known_metrics_have_a_direction_and_others_none(name: str, higher: bool | None):
    assert higher_is_better(name) is higher
