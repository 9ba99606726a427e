"""Whether more of a metric is better, for the metrics whose names everybody writes alike."""

from __future__ import annotations

# Without averages, parts of the data and stages before them.
_HIGHER = """
    accuracy accuracy_score balanced_accuracy balanced_accuracy_score precision precision_score recall recall_score
    sensitivity specificity true_positive_rate true_negative_rate f0_5 f1 f2 f1_score auc roc_auc roc_auc_score
    precision_recall_auc pr_auc au_prc average_precision average_precision_score r2 r2_score explained_variance
    matthews_corrcoef mcc cohen_kappa kappa ndcg hit_rate bleu
"""
_LOWER = """
    false_positive_rate false_negative_rate log_loss logloss cross_entropy hinge_loss brier brier_score
    brier_score_loss ece mae mse rmse mape mean_absolute_error mean_squared_error root_mean_squared_error
    mean_absolute_percentage_error median_absolute_error max_error perplexity wer cer
"""
_BEFORE = ("weighted_", "macro_", "micro_", "test_", "validation_", "val_", "eval_", "holdout_")


def higher_is_better(name: str) -> bool | None:
    """Return whether more of the metric of that name is better, or None for a name that is not known.

    Of `test.macro avg.f1-score` the last part counts.
    """
    known = name.rpartition(".")[2].lower().replace("-", "_").replace(" ", "_")
    for before in (*_BEFORE, *_BEFORE):  # validation_macro_f1
        known = known.removeprefix(before)
    if known in _HIGHER.split():
        return True
    return False if known in _LOWER.split() else None
