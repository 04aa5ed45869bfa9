"""Metrics: the names allowed in `objective.metric` and `gate.metric`, and their computation.

The metrics are computed with numpy: scikit-learn's functions sort the labels at each call, and warn or raise where a
metric is undefined. Here an undefined metric is NaN.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from mlrunner.core.errors import ConfigError, nearest
from mlrunner.core.metric_names import CLASSIFICATION, GREATER_IS_BETTER, REGRESSION
from mlrunner.evaluation.predictions import Array, Predictions, predict, refuse_invalid

if TYPE_CHECKING:
    from mlrunner.core.column_roles import Task


def metric_names(task: Task) -> list[str]:
    """List the metrics of a task; roc_auc and log_loss require an estimator with probabilities."""
    return list(REGRESSION if task == "regression" else CLASSIFICATION)


def direction(metric: str, key: str = "objective.metric") -> Literal["maximize", "minimize"]:
    """Return the direction in which a metric improves.

    Args:
        metric: Metric name, with or without a split prefix ("validation/r2").
        key: Configuration key that holds the name, for the error message.

    Raises:
        ConfigError: If the metric is unknown.
    """
    name = metric.rpartition("/")[2]
    if name not in GREATER_IS_BETTER:
        known = ", ".join(GREATER_IS_BETTER)
        raise ConfigError(f"{key} is '{metric}', but the metrics are {known}.{nearest(name, GREATER_IS_BETTER)}")
    return "maximize" if GREATER_IS_BETTER[name] else "minimize"


def score(estimator: Any, features: pd.DataFrame, target: pd.Series[Any], task: Task) -> dict[str, float]:
    """Predict once and compute every metric of the task; see `measure`.

    Raises:
        ModelError: If a prediction is NaN or infinite.
    """
    predictions = predict(estimator, features, target, task)
    refuse_invalid({"the scored rows": predictions})
    return measure(predictions, task)


def measure(predictions: Predictions, task: Task) -> dict[str, float]:
    """Compute every metric of the task.

    Returns:
        Metric values by name. A value is NaN where the metric is undefined: r2 of a constant target, mape of a target
        with a zero, roc_auc of one class, every metric of zero rows. roc_auc and log_loss are absent without
        probabilities.
    """
    if len(predictions.y_true) == 0:
        return dict.fromkeys(metric_names(task), float("nan"))
    with np.errstate(all="ignore"):
        if task == "regression":
            return _regression(predictions.y_true.astype(float), predictions.y_pred.astype(float))
        return _labels(predictions) | _probabilities(predictions)


def _regression(y_true: Array, y_pred: Array) -> dict[str, float]:
    error = np.abs(y_true - y_pred)
    mean_square = float(np.mean(error**2))
    return {
        "r2": 1 - mean_square / float(np.var(y_true)) if np.ptp(y_true) > 0 else float("nan"),
        "rmse": mean_square**0.5,
        "mae": float(np.mean(error)),
        "median_absolute_error": float(np.median(error)),
        "mape": float(np.mean(error / np.abs(y_true))) if np.all(y_true != 0) else float("nan"),
    }


def count_confusion(true: Array, predicted: Array, size: int) -> Array:
    """Count label codes: a matrix of shape (size, size), true classes by predicted classes."""
    return np.bincount(true * size + predicted, minlength=size * size).reshape(size, size)


def _labels(predictions: Predictions) -> dict[str, float]:
    counts = count_confusion(*predictions.codes[1:], len(predictions.codes[0]))
    hits, actual, predicted = counts.diagonal(), counts.sum(axis=1), counts.sum(axis=0)
    present = actual + predicted > 0  # as in scikit-learn: macro averages cover the classes that occur
    recall = hits / np.maximum(actual, 1)
    return {
        "accuracy": float(hits.sum() / counts.sum()),
        "balanced_accuracy": float(recall[actual > 0].mean()),
        "f1": float((2 * hits / np.maximum(actual + predicted, 1))[present].mean()),
        "precision": float((hits / np.maximum(predicted, 1))[present].mean()),
        "recall": float(recall[present].mean()),
    }


def _probabilities(predictions: Predictions) -> dict[str, float]:
    if predictions.y_proba is None:
        return {}
    return {"roc_auc": _roc_auc(predictions.codes[1], predictions.y_proba), "log_loss": log_loss(predictions)}


def _roc_auc(true: Array, proba: Array) -> float:
    """Compute the area of the second of two classes; for more, the one-vs-rest mean over the classes that occur."""
    columns = [1] if proba.shape[1] == 2 else range(proba.shape[1])
    areas = [area_under_roc(true == k, proba[:, k]) for k in columns if (true == k).any()]
    return float(np.mean(areas)) if areas else float("nan")


def area_under_roc(positive: Array, scores: Array) -> float:
    """Compute the probability that a positive row ranks above a negative one (Mann-Whitney; ties count half)."""
    n = int(positive.sum())
    pairs, ranks = n * (len(positive) - n), pd.Series(scores).rank().to_numpy()
    return float((ranks[positive].sum() - n * (n + 1) / 2) / pairs) if pairs else float("nan")


def log_loss(predictions: Predictions) -> float:
    """Average -log(probability of the true class); a class unseen in training has probability 0."""
    proba, true = np.asarray(predictions.y_proba), predictions.codes[1]
    is_seen = true < proba.shape[1]
    assigned = np.where(is_seen, proba[np.arange(len(true)), np.where(is_seen, true, 0)], 0)
    epsilon = np.finfo(proba.dtype).eps  # as in scikit-learn: clip by the precision of the type
    return float(-np.log(np.clip(assigned, epsilon, 1 - epsilon), dtype=float).mean())
