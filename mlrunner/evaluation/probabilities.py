"""Metrics of class probabilities; those of one class are of the positive class of two, or else means over classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from mlrunner.evaluation.predictions import Array, Predictions

RankMetric = Callable[["Array", "Array", "Array | None"], float]


def measure_probabilities(predictions: Predictions) -> dict[str, float]:
    """Compute every metric of probabilities; none without probabilities."""
    if predictions.y_proba is None:
        return {}
    return {
        "roc_auc": _average_classes(predictions, area_under_roc),
        "average_precision": _average_classes(predictions, average_precision),
        "log_loss": log_loss(predictions),
        "brier": brier_score(predictions),
    }


def _average_classes(predictions: Predictions, metric: RankMetric) -> float:
    """Apply a metric to the positive class of two; for more, take the one-vs-rest mean over the classes that occur."""
    proba, true = np.asarray(predictions.y_proba), predictions.codes[1]
    positive = predictions.positive_code
    columns = range(proba.shape[1]) if positive is None else [positive]
    values = [metric(true == k, proba[:, k], predictions.weight) for k in columns if (true == k).any()]
    return float(np.mean(values)) if values else float("nan")


def area_under_roc(positive: Array, scores: Array, weight: Array | None = None) -> float:
    """Compute the probability that a positive row ranks above a negative one (Mann-Whitney; ties count half)."""
    if weight is not None:
        ups, downs = _sum_by_score(positive, scores, weight)
        pairs = ups.sum() * downs.sum()
        below = np.cumsum(downs) - downs / 2
        return float((ups * below).sum() / pairs) if pairs else float("nan")
    n = int(positive.sum())
    pairs, ranks = n * (len(positive) - n), pd.Series(scores).rank().to_numpy()
    return float((ranks[positive].sum() - n * (n + 1) / 2) / pairs) if pairs else float("nan")


def average_precision(positive: Array, scores: Array, weight: Array | None = None) -> float:
    """Sum the precision at each threshold, weighted by the increase in recall."""
    ups, downs = _sum_by_score(positive, scores, np.ones(len(positive)) if weight is None else weight)
    hits, selected = np.cumsum(ups[::-1]), np.cumsum((ups + downs)[::-1])
    total = ups.sum()
    precision = np.divide(hits, selected, out=np.zeros(len(hits)), where=selected > 0)
    return float((precision * ups[::-1]).sum() / total) if total else float("nan")


def _sum_by_score(positive: Array, scores: Array, weight: Array) -> tuple[Array, Array]:
    """Sum the weights of the positive and of the negative rows with equal scores, in ascending order of the scores."""
    places = np.unique(scores, return_inverse=True)[1]
    size = int(places.max()) + 1
    ups = np.bincount(places, np.where(positive, weight, 0.0), size)
    return ups, np.bincount(places, np.where(positive, 0.0, weight), size)


def log_loss(predictions: Predictions) -> float:
    """Average -log(probability of the true class); a class unseen in training has probability 0."""
    proba, true = np.asarray(predictions.y_proba), predictions.codes[1]
    is_seen = true < proba.shape[1]
    assigned = np.where(is_seen, proba[np.arange(len(true)), np.where(is_seen, true, 0)], 0)
    epsilon = np.finfo(proba.dtype).eps  # as in scikit-learn: clip by the precision of the type
    return average(-np.log(np.clip(assigned, epsilon, 1 - epsilon), dtype=float), predictions.weight)


def brier_score(predictions: Predictions) -> float:
    """Average the squared error of the probabilities: of the positive class of two, or else summed over the classes."""
    proba, true = np.asarray(predictions.y_proba, dtype=float), predictions.codes[1]
    size = max(proba.shape[1], int(true.max()) + 1)
    errors = np.eye(size)[true]
    errors[:, : proba.shape[1]] -= proba
    return average((errors**2).sum(axis=1) / (2 if size == 2 else 1), predictions.weight)


def average(values: Array, weight: Array | None) -> float:
    """Average the rows, by their weights where they have some; NaN when these add up to zero."""
    if weight is None:
        return float(np.mean(values))
    return float((values * weight).sum() / weight.sum())
