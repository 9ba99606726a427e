"""Quality documents as the tools that write them do."""

from __future__ import annotations

from typing import Any

NO_DEVIATION = "NaN"  # below 200 rows


def reading(value: float, deviation: float | str = NO_DEVIATION) -> dict[str, Any]:
    """Return a metric as SageMaker Model Monitor writes it."""
    return {"value": value, "standard_deviation": deviation}


# Model Monitor's three documents with the fields, and from the examples, of
# https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-metrics.html
BINARY: dict[str, Any] = {
    "version": 0.0,
    "dataset": {"item_count": 4, "evaluation_time": "2026-11-02T09:30:00.000Z"},
    "binary_classification_metrics": {
        "confusion_matrix": {"0": {"0": 1, "1": 2}, "1": {"0": 0, "1": 1}},
        "recall": reading(1.0),
        "precision": reading(0.3333333333333333),
        "accuracy": reading(0.5),
        "recall_best_constant_classifier": reading(1.0),
        "precision_best_constant_classifier": reading(0.25),
        "accuracy_best_constant_classifier": reading(0.25),
        "true_positive_rate": reading(1.0),
        "true_negative_rate": reading(0.33333333333333337),
        "false_positive_rate": reading(0.6666666666666666),
        "false_negative_rate": reading(0.0),
        "receiver_operating_characteristic_curve": {
            "false_positive_rates": [0.0, 0.0, 0.0, 0.0, 0.0, 1.0],
            "true_positive_rates": [0.0, 0.25, 0.5, 0.75, 1.0, 1.0],
        },
        "precision_recall_curve": {"precisions": [1.0] * 5, "recalls": [0.0, 0.25, 0.5, 0.75, 1.0]},
        "auc": reading(1.0),
        "f0_5": reading(0.3846153846153846),
        "f1": reading(0.5),
        "f2": reading(0.7142857142857143),
        "f0_5_best_constant_classifier": reading(0.29411764705882354),
        "f1_best_constant_classifier": reading(0.4),
        "f2_best_constant_classifier": reading(0.625),
    },
}
MULTICLASS: dict[str, Any] = {
    "version": 0.0,
    "dataset": {"item_count": 2096, "evaluation_time": "2026-11-02T09:30:00.000Z"},
    "multiclass_classification_metrics": {
        "confusion_matrix": {"0": {"0": 1180, "1": 510}, "1": {"0": 268, "1": 138}},
        "accuracy": reading(0.6288167938931297, 0.00375663881299405),
        "weighted_recall": reading(0.6288167938931297, 0.003756638812994008),
        "weighted_precision": reading(0.6983172269629505, 0.006195912915307507),
        "weighted_f1": reading(0.6571162346664904, 0.004385008075019733),
        "accuracy_best_constant_classifier": reading(0.19370229007633588, 0.0032049848450732355),
        "weighted_recall_best_constant_classifier": reading(0.19370229007633588, 0.0032049848450732355),
        "weighted_precision_best_constant_classifier": reading(0.03752057718081697, 0.001241536088657851),
        "weighted_f1_best_constant_classifier": reading(0.06286421244683643, 0.0019113576884608862),
    },
}
REGRESSION: dict[str, Any] = {
    "version": 0.0,
    "dataset": {"item_count": 5000, "evaluation_time": "2026-11-02T09:30:00.000Z"},
    "regression_metrics": {
        "mae": reading(0.3711832061068702, 0.0037566388129940394),
        "mse": reading(0.3711832061068702, 0.0037566388129940524),
        "rmse": reading(0.609248066149471, 0.003079253267651125),
        "r2": reading(-1.3766111872212665, 0.022653980022771227),
    },
}
# An MLflow run, as `mlflow runs describe` and the REST API print it: its metrics at each step that was logged.
# https://mlflow.org/docs/latest/api_reference/rest-api.html#mlflowmetric
MLFLOW_RUN: dict[str, Any] = {
    "info": {"run_id": "b5cf3a", "status": "FINISHED", "start_time": 1762075800000},
    "data": {
        "metrics": [
            {"key": "val_auc", "value": 0.91, "timestamp": 1762075810000, "step": 1},
            {"key": "val_auc", "value": 0.95, "timestamp": 1762075830000, "step": 3},
            {"key": "val_auc", "value": 0.93, "timestamp": 1762075820000, "step": 2},
            {"key": "log_loss", "value": 0.21, "timestamp": 1762075830000, "step": 0},
        ],
        "params": [{"key": "depth", "value": "6"}],
    },
}
# `EvaluationResult.save` of `mlflow.models.evaluate` writes its metrics as one object:
# https://mlflow.org/docs/latest/ml/evaluation/model-eval
MLFLOW_EVALUATION: dict[str, Any] = {
    "example_count": 1000,
    "accuracy_score": 0.873,
    "f1_score": 0.71,
    "log_loss": 0.274,
    "roc_auc": 0.927,
}
# A bias report, with the fields and metrics of Clarify's own tests:
# https://github.com/aws/amazon-sagemaker-clarify/blob/master/tests/integration/test_bias_metrics_integration.py
BIAS: dict[str, Any] = {
    "version": "1.0",
    "pre_training_bias_metrics": {
        "label": "Class1Good2Bad",
        "label_value_or_threshold": "1",
        "facets": {
            "ForeignWorker": [
                {
                    "value_or_threshold": "1",
                    "metrics": [
                        {
                            "name": "CDDL",
                            "description": "Conditional Demographic Disparity in Labels (CDDL)",
                            "value": None,
                            "error": "Group variable is empty or not provided",
                        },
                        {"name": "CI", "description": "Class Imbalance (CI)", "value": -0.9288888888888889},
                        {
                            "name": "DPL",
                            "description": "Difference in Positive Proportions in Labels (DPL)",
                            "value": 0.17453917050691248,
                        },
                    ],
                }
            ]
        },
    },
    "post_training_bias_metrics": {
        "label": "Class1Good2Bad",
        "label_value_or_threshold": "1",
        "facets": {
            "ForeignWorker": [
                {
                    "value_or_threshold": "1",
                    "metrics": [
                        {"name": "DI", "description": "Disparate Impact (DI)", "value": 0.7945111996779227},
                        {
                            "name": "DPPL",
                            "description": "Difference in Positive Proportions in Predicted Labels (DPPL)",
                            "value": 0.18801843317972350,
                        },
                    ],
                }
            ]
        },
    },
    "explanations": {"kernel_shap": {"label0": {"global_shap_values": {"A151": 0.02}, "expected_value": 0.5}}},
}
# The constraints that a model quality baseline suggests: the metrics of the baseline themselves.
CONSTRAINTS: dict[str, Any] = {
    "version": 0.0,
    "binary_classification_constraints": {
        "recall": {"threshold": 0.78, "comparison_operator": "LessThanThreshold"},
        "false_positive_rate": {"threshold": 0.2, "comparison_operator": "GreaterThanThreshold"},
    },
}
