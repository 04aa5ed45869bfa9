"""The names of the metrics and of the parts of the data; importing this module is fast."""

from __future__ import annotations

REGRESSION = {"r2": True, "rmse": False, "mae": False, "median_absolute_error": False, "mape": False, "rmsle": False}
BINARY = {"f1": True, "precision": True, "recall": True}  # of the positive class; only two classes have one
MACRO = {f"{name}_macro": True for name in BINARY}
LABELS = {"accuracy": True, "balanced_accuracy": True, **BINARY, **MACRO, "mcc": True}
PROBABILITIES = {"roc_auc": True, "average_precision": True, "log_loss": False, "brier": False}
CLASSIFICATION = LABELS | PROBABILITIES
GREATER_IS_BETTER: dict[str, bool] = REGRESSION | CLASSIFICATION
THRESHOLD, ROUNDS = "threshold", "rounds"  # what a fit has found on held-out rows is recorded like a metric
TRIVIAL = "trivial"  # comes before the slash in the score of a model that predicts one value
DATA_PARTS = ("train", "validation", "cv", "test")  # what comes before the slash in the name of a metric


def greater_is_better(name: str) -> bool:
    """Check whether a greater value of a metric is better.

    Args:
        name: Name of the metric, with or without the part of the data (`test/r2`). An unknown metric is better when
            greater, unless its name ends like a cost: seconds, milliseconds, megabytes or a standard deviation.
    """
    bare = name.rpartition("/")[2]
    is_cost = bare.endswith(("seconds", "_ms", "megabytes", "_std"))
    return GREATER_IS_BETTER.get(bare, not is_cost)


def metric_spread(metrics: dict[str, float], metric: str) -> float | None:
    """Return the standard deviation of a metric over folds or repeats; None when it was scored once."""
    return metrics.get(f"cv/{metric}_std", metrics.get(f"validation/{metric}_std"))
