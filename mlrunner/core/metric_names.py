"""The names of the metrics, and which way each is better; light, for what only compares numbers."""

from __future__ import annotations

REGRESSION = {"r2": True, "rmse": False, "mae": False, "median_absolute_error": False, "mape": False}
LABELS = {"accuracy": True, "balanced_accuracy": True, "f1": True, "precision": True, "recall": True}
CLASSIFICATION = LABELS | {"roc_auc": True, "log_loss": False}
GREATER_IS_BETTER: dict[str, bool] = REGRESSION | CLASSIFICATION


def greater_is_better(name: str) -> bool:
    """Tell which way a metric is better, by its bare name or with its part (`test/r2`).

    What costs (seconds, milliseconds, megabytes) is better when it is less; any other metric that is not ours when it
    is more.
    """
    bare = name.rpartition("/")[2]
    is_cost = bare.endswith(("seconds", "_ms", "megabytes", "_std"))
    return GREATER_IS_BETTER.get(bare, not is_cost)
