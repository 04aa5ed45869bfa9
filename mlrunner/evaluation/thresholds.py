"""Tune the threshold of two classes (`model.threshold=tuned`): find the one with the best metric on held-out rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mlrunner.core.errors import DataError
from mlrunner.core.metric_names import LABELS
from mlrunner.core.score_settings import ScoreSettings
from mlrunner.evaluation.custom_metrics import measure_custom
from mlrunner.evaluation.metrics import direction, measure_counts

if TYPE_CHECKING:
    from mlrunner.core.score_settings import CustomMetric
    from mlrunner.evaluation.predictions import Array, Predictions

TUNED = "tuned"
KEY = f"model.threshold={TUNED}"
ONE_SIDED = ("precision", "recall")  # alone, they are best when few rows or all rows are positive
DEFAULT_METRIC = "balanced_accuracy"  # as in scikit-learn's TunedThresholdClassifierCV
MAX_CALLS = 200  # of a metric of one's own in each fit; scikit-learn tries 100 thresholds


def is_tuned(model: object) -> bool:
    """Check whether a model has `threshold="tuned"`."""
    return getattr(model, "threshold", None) == TUNED


def list_tunable(custom: Mapping[str, CustomMetric]) -> list[str]:
    """List the metrics that depend on the threshold: those of labels, and those of one's own that take labels."""
    own = [name for name, metric in custom.items() if metric.task == "classification" and not metric.needs_proba]
    return [*LABELS, *own]


def tune(model: Any, fits: Sequence[Predictions], objective: str) -> float:
    """Find the threshold of a model; see `find_threshold`.

    The metric is `model.threshold_metric`, or the objective, or balanced accuracy where the objective does not depend
    on the threshold or is precision or recall alone.

    Args:
        model: Model with `threshold="tuned"`.
        fits: Predictions for the held-out rows of each fit, at least one.
        objective: Metric of the objective.
    """
    tunable = set(list_tunable(fits[0].scoring.custom)) - {*ONE_SIDED}
    return find_threshold(fits, model.threshold_metric or (objective if objective in tunable else DEFAULT_METRIC))


def find_threshold(fits: Sequence[Predictions], metric: str) -> float:
    """Find the threshold with the best mean of a metric over fits; of equally good ones, the nearest to 0.5.

    Candidates lie halfway between neighbouring probabilities, so that a last digit decides about no row.

    Args:
        fits: Predictions for the held-out rows of each fit, with probabilities.
        metric: Name of a metric of labels.

    Raises:
        DataError: When the rows hold one class only, or the metric is undefined for every threshold.
    """
    binary = [fit for fit in fits if fit.positive_code is not None]  # a fold may have trained on one class
    if not have_both_classes(binary):
        raise DataError(f"{KEY} needs held-out rows of both classes; choose split=stratified or a number.")
    candidates = _list_candidates([_positive_proba(fit) for fit in binary])
    if metric not in LABELS and len(candidates) > MAX_CALLS:
        candidates = np.linspace(candidates[0], candidates[-1], MAX_CALLS)
    scores = np.mean([_score(fit, candidates, metric) for fit in binary], axis=0).round(12)
    if np.isnan(scores).all():
        raise DataError(f"{KEY}: {metric} is undefined for every threshold; set model.threshold_metric=f1.")
    sign = 1 if direction(metric, custom=binary[0].scoring.custom) == "maximize" else -1
    best = candidates[sign * scores == np.nanmax(sign * scores)]
    return float(best[np.argmin(np.abs(best - 0.5))])


def have_both_classes(fits: Sequence[Predictions]) -> bool:
    """Check whether the rows of fits hold both classes, as a threshold between them needs it."""
    return len(set().union(*(fit.codes[1].tolist() for fit in fits if fit.positive_code is not None))) > 1


def _positive_proba(fit: Predictions) -> Array:
    return np.asarray(fit.y_proba)[:, fit.positive_code]


def _list_candidates(probabilities: list[Array]) -> Array:
    """List thresholds that divide the rows in all possible ways, in ascending order."""
    values = np.unique(np.concatenate([[0.0], *probabilities, [1.0]]))
    between = (values[:-1] + values[1:]) / 2
    return between if min(proba.min() for proba in probabilities) > 0 else np.append(0.0, between)


def _score(fit: Predictions, thresholds: Array, metric: str) -> Array:
    """Compute a metric of the fit's labels at each threshold."""
    if metric in LABELS:
        return np.asarray(measure_counts(_count_confusion(fit, thresholds), fit.positive_code)[metric])
    own = replace(
        fit, scoring=ScoreSettings(positive=fit.scoring.positive, custom={metric: fit.scoring.custom[metric]})
    )
    return np.array([measure_custom(own.classify(value), "classification")[metric] for value in thresholds.tolist()])


def _count_confusion(fit: Predictions, thresholds: Array) -> Array:
    """Sum the weights of true by predicted classes at each threshold, shape (n_thresholds, 2, 2)."""
    proba, positive = _positive_proba(fit), fit.codes[1] == fit.positive_code
    order = np.argsort(proba)
    weight = np.ones(len(proba)) if fit.weight is None else fit.weight
    below = np.searchsorted(proba[order], thresholds)  # number of rows that are predicted as negative
    sums = [np.append(0.0, np.cumsum(np.where(is_true, weight, 0.0)[order])) for is_true in (~positive, positive)]
    counts = np.stack([np.stack([total[below], total[-1] - total[below]], axis=-1) for total in sums], axis=-2)
    return counts if fit.positive_code == 1 else counts[:, ::-1, ::-1]
