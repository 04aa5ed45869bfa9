"""Metrics: the names allowed in `objective.metric` and `gate.metric`, and their computation.

The metrics are computed with numpy: scikit-learn's functions sort the labels at each call, and warn or raise where a
metric is undefined. Here an undefined metric is NaN.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np

from mlrunner.core.column_roles import Task
from mlrunner.core.errors import ConfigError, nearest
from mlrunner.core.metric_names import CLASSIFICATION, GREATER_IS_BETTER, REGRESSION
from mlrunner.core.score_settings import CustomMetric
from mlrunner.evaluation.custom_metrics import measure_custom
from mlrunner.evaluation.predictions import Array, Predictions
from mlrunner.evaluation.probabilities import average, measure_probabilities


def metric_names(task: Task) -> list[str]:
    """List the metrics that are always computed for a task; some require probabilities, some two classes."""
    return list(REGRESSION if task == "regression" else CLASSIFICATION)


def direction(
    metric: str, key: str = "objective.metric", custom: Mapping[str, CustomMetric] | None = None
) -> Literal["maximize", "minimize"]:
    """Return the direction in which a metric improves.

    Args:
        metric: Metric name, with or without a split prefix ("validation/r2").
        key: Configuration key that holds the name, for the error message.
        custom: Metrics of one's own by name.

    Raises:
        ConfigError: If the metric is unknown.
    """
    name, own = metric.rpartition("/")[2], custom or {}
    if name in own:
        return own[name].direction
    if name not in GREATER_IS_BETTER:
        known = [*GREATER_IS_BETTER, *own]
        raise ConfigError(f"{key} is '{metric}', but the metrics are {', '.join(known)}.{nearest(name, known)}")
    return "maximize" if GREATER_IS_BETTER[name] else "minimize"


def measure(predictions: Predictions, task: Task) -> dict[str, float]:
    """Compute every metric of the task, with the weights of the rows where they have some.

    Returns:
        Metric values by name. A value is NaN where the metric is undefined: r2 of a constant target, mape of a target
        with a zero, rmsle of a value at or below -1, roc_auc of one class, every metric of zero rows. Metrics of
        probabilities are absent without probabilities; f1, precision and recall, those of the positive class, are
        absent unless there are two classes.
    """
    if len(predictions.y_true) == 0:
        own = [name for name, metric in predictions.scoring.custom.items() if metric.task == task]
        return dict.fromkeys([*metric_names(task), *own], float("nan"))
    with np.errstate(all="ignore"):
        if task == "regression":
            return _regression(predictions) | measure_custom(predictions, task)
        return _labels(predictions) | measure_probabilities(predictions) | measure_custom(predictions, task)


def _regression(predictions: Predictions) -> dict[str, float]:
    y_true, y_pred = predictions.y_true.astype(float), predictions.y_pred.astype(float)
    error, weight = np.abs(y_true - y_pred), predictions.weight
    mean_square = average(error**2, weight)
    return {
        "r2": 1 - mean_square / _variance(y_true, weight) if np.ptp(y_true) > 0 else float("nan"),
        "rmse": mean_square**0.5,
        "mae": average(error, weight),
        "median_absolute_error": _median(error, weight),
        "mape": average(error / np.abs(y_true), weight) if np.all(y_true != 0) else float("nan"),
        "rmsle": average((np.log1p(y_true) - np.log1p(y_pred)) ** 2, weight) ** 0.5
        if min(y_true.min(), y_pred.min()) > -1
        else float("nan"),
    }


def _variance(values: Array, weight: Array | None) -> float:
    return float(np.var(values)) if weight is None else average((values - average(values, weight)) ** 2, weight)


def _median(values: Array, weight: Array | None) -> float:
    """Compute the weighted median: between two values when the weights on both sides are equal."""
    if weight is None:
        return float(np.median(values))
    order = np.argsort(values)[weight[np.argsort(values)] > 0]
    if len(order) == 0 or np.isnan(values).any():
        return float("nan")
    below = np.cumsum(weight[order])
    half = below[-1] / 2
    places = np.searchsorted(below, half), min(np.searchsorted(below, half, side="right"), len(order) - 1)
    return float(values[order[list(places)]].mean())


def count_confusion(true: Array, predicted: Array, size: int, weight: Array | None = None) -> Array:
    """Count label codes, or sum their weights: a matrix of shape (size, size), true classes by predicted classes."""
    return np.bincount(true * size + predicted, weight, minlength=size * size).reshape(size, size)


def _labels(predictions: Predictions) -> dict[str, float]:
    counts = count_confusion(*predictions.codes[1:], len(predictions.codes[0]), predictions.weight)
    return {name: float(value) for name, value in measure_counts(counts, predictions.positive_code).items()}


def measure_counts(counts: Array, positive: int | None) -> dict[str, Array]:
    """Compute the metrics of labels.

    Args:
        counts: Counts or weights of true classes by predicted classes, shape (..., n_classes, n_classes).
        positive: Position of the positive class of two; None: no metrics of one class.

    Returns:
        Metric values by name, shape (...).
    """
    hits, actual, predicted = np.diagonal(counts, axis1=-2, axis2=-1), counts.sum(axis=-1), counts.sum(axis=-2)
    present = actual + predicted > 0  # as in scikit-learn: macro averages cover the classes that occur
    by_class = {
        "f1": _divide(2 * hits, actual + predicted),
        "precision": _divide(hits, predicted),
        "recall": _divide(hits, actual),
    }
    return {
        "accuracy": hits.sum(axis=-1) / actual.sum(axis=-1),
        "balanced_accuracy": by_class["recall"].mean(axis=-1, where=actual > 0),
        **({} if positive is None else {name: values[..., positive] for name, values in by_class.items()}),
        **{f"{name}_macro": values.mean(axis=-1, where=present) for name, values in by_class.items()},
        "mcc": _matthews(hits.sum(axis=-1), actual, predicted),
    }


def _divide(numerators: Array, denominators: Array) -> Array:
    """Divide element by element; x / 0 is 0, as in scikit-learn."""
    return np.divide(numerators, denominators, out=np.zeros(numerators.shape), where=denominators > 0)


def _matthews(hits: Array, actual: Array, predicted: Array) -> Array:
    """Compute Matthews' correlation coefficient; 0 when all rows have one true or one predicted class."""
    total, actual, predicted = actual.sum(axis=-1).astype(float), actual.astype(float), predicted.astype(float)
    spread = (total**2 - (actual**2).sum(axis=-1)) * (total**2 - (predicted**2).sum(axis=-1))
    covariance = hits * total - (actual * predicted).sum(axis=-1)
    return _divide(covariance, np.sqrt(spread.clip(min=0)))
