"""Metrics: the names that `objective.metric` and `gate.metric` may hold, and how each is computed.

Direct numpy forms: scikit-learn's sort the labels at each call, and warn or raise where a metric is
undefined. Here undefined is NaN, so that nothing downstream takes it for a number.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlrunner.core.errors import ConfigError, nearest
from mlrunner.core.metric_names import CLASSIFICATION, GREATER_IS_BETTER, REGRESSION

if TYPE_CHECKING:
    from mlrunner.core.column_roles import Task

Array = npt.NDArray[Any]

# Their own `predict` is the argmax of `predict_proba`: asking for both would walk every tree twice.
# (Two classes of HistGradientBoosting are left out: it gives a tie to the second.)
PREDICT_IS_ARGMAX = {"XGBClassifier", "LGBMClassifier", "RandomForestClassifier", "ExtraTreesClassifier"}
FORESTS = {"RandomForestClassifier", "RandomForestRegressor", "ExtraTreesClassifier", "ExtraTreesRegressor"}
ARGMAX_BEYOND_TWO = PREDICT_IS_ARGMAX | {"HistGradientBoostingClassifier"}


@dataclass(frozen=True)
class Predictions:
    """What an estimator says of rows whose answer is known; scores and plots share one.

    Args:
        y_true: One value a row.
        y_pred: One value a row.
        y_proba: Rows by classes; None without probabilities.
        classes: The classes seen in training, as y_proba's columns; None for a regression.
        target: The target column's name, for the axes of the plots.
    """

    y_true: Array
    y_pred: Array
    y_proba: Array | None = None
    classes: Array | None = None
    target: str = "target"

    @cached_property
    def codes(self) -> tuple[list[Any], Array, Array]:
        """Number the labels: all of them (classes first, then those unseen in training), y_true, y_pred."""
        labels = pd.Index([] if self.classes is None else self.classes, dtype=object)
        both = pd.Index(np.concatenate([self.y_true.astype(object), self.y_pred.astype(object)]), dtype=object)
        codes = labels.get_indexer(both)
        if (codes < 0).any():
            labels = labels.append(both[codes < 0].unique())
            codes = labels.get_indexer(both)
        return list(labels), codes[: len(self.y_true)], codes[len(self.y_true) :]


def default_metric(task: Task) -> str:
    """Name the metric that a run returns when `objective.metric` is null."""
    return "r2" if task == "regression" else "accuracy"


def metric_names(task: Task) -> list[str]:
    """List the metrics of a task; roc_auc and log_loss also need an estimator with probabilities."""
    return list(REGRESSION if task == "regression" else CLASSIFICATION)


def direction(metric: str, key: str = "objective.metric") -> Literal["maximize", "minimize"]:
    """Say which way a metric improves: "maximize" or "minimize".

    Args:
        metric: A metric's name, with or without a split before it ("validation/r2").
        key: The config key that holds it.

    Raises:
        ConfigError: There is no such metric.
    """
    name = metric.rpartition("/")[2]
    if name not in GREATER_IS_BETTER:
        known = ", ".join(GREATER_IS_BETTER)
        raise ConfigError(f"{key} is '{metric}', but the metrics are {known}.{nearest(name, GREATER_IS_BETTER)}")
    return "maximize" if GREATER_IS_BETTER[name] else "minimize"


def before_last(estimator: Any, features: pd.DataFrame) -> tuple[Any, Any]:
    """Apply every step of a fitted Pipeline but the last; return what that gives, and the last step."""
    steps = getattr(estimator, "steps", None)
    if steps is None:
        return features, estimator
    return (estimator[:-1].transform(features) if len(steps) > 1 else features), steps[-1][1]


def unwrap(last: Any) -> Any:
    """Find the library's own estimator behind `LabelCodes`."""
    # By name: `estimator_` alone also marks bagging and tuned thresholds, which must not be unwrapped.
    return last.estimator_ if type(last).__name__ == "LabelCodes" else last


def predict(estimator: Any, features: pd.DataFrame, target: pd.Series[Any], task: Task) -> Predictions:
    """Predict every row once with a fitted Pipeline or estimator; no row gives empty predictions."""
    name = "target" if target.name is None else str(target.name)
    if len(features) == 0:
        return Predictions(np.empty(0), np.empty(0), target=name)
    inputs, last = before_last(estimator, features)
    if task == "regression":
        return Predictions(target.to_numpy(dtype=float), np.ravel(answers(last, "predict", inputs)), target=name)
    classes = np.asarray(getattr(last, "classes_", []))
    has_proba = len(classes) > 0 and hasattr(last, "predict_proba")
    proba = answers(last, "predict_proba", inputs) if has_proba else None
    argmax = PREDICT_IS_ARGMAX if len(classes) <= 2 else ARGMAX_BEYOND_TWO
    if proba is not None and type(unwrap(last)).__name__ in argmax:
        return Predictions(np.asarray(target), classes[proba.argmax(axis=1)], proba, classes, name)
    return Predictions(np.asarray(target), np.ravel(answers(last, "predict", inputs)), proba, classes, name)


def answers(last: Any, method: str, inputs: Any) -> Any:
    """Ask a fitted estimator, so that the same rows have the same answers to the last digit.

    A forest adds its trees up in the order in which its threads come to their ends, which is another one each time.
    Here its threads share out the rows instead.
    """
    ask = getattr(last, method)
    if type(last).__name__ not in FORESTS or getattr(last, "n_jobs", None) in (None, 1):
        return ask(inputs)
    from joblib import Parallel, delayed, effective_n_jobs

    jobs = last.n_jobs
    size = -(-len(inputs) // effective_n_jobs(jobs))
    parts = [inputs[start : start + size] for start in range(0, len(inputs), size)]
    try:
        last.n_jobs = 1
        return np.concatenate(Parallel(jobs, prefer="threads")(delayed(ask)(part) for part in parts))
    finally:
        last.n_jobs = jobs


def score(estimator: Any, features: pd.DataFrame, target: pd.Series[Any], task: Task) -> dict[str, float]:
    """Predict once and measure; see `measure`."""
    return measure(predict(estimator, features, target, task), task)


def measure(predictions: Predictions, task: Task) -> dict[str, float]:
    """Compute every metric of the task.

    Returns:
        Metric by name. Undefined is NaN: r2 of a constant target, mape where the target has a zero, roc_auc
        of one class, everything when there is no row. roc_auc and log_loss are absent without probabilities.
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


def confusion(true: Array, predicted: Array, size: int) -> Array:
    """Count codes: actual classes by predicted classes."""
    return np.bincount(true * size + predicted, minlength=size * size).reshape(size, size)


def _labels(predictions: Predictions) -> dict[str, float]:
    counts = confusion(*predictions.codes[1:], len(predictions.codes[0]))
    hits, actual, said = counts.diagonal(), counts.sum(axis=1), counts.sum(axis=0)
    present = actual + said > 0  # as scikit-learn: macro means go over the classes that occur at all
    recall = hits / np.maximum(actual, 1)
    return {
        "accuracy": float(hits.sum() / counts.sum()),
        "balanced_accuracy": float(recall[actual > 0].mean()),
        "f1": float((2 * hits / np.maximum(actual + said, 1))[present].mean()),
        "precision": float((hits / np.maximum(said, 1))[present].mean()),
        "recall": float(recall[present].mean()),
    }


def _probabilities(predictions: Predictions) -> dict[str, float]:
    if predictions.y_proba is None:
        return {}
    return {"roc_auc": _roc_auc(predictions.codes[1], predictions.y_proba), "log_loss": log_loss(predictions)}


def _roc_auc(true: Array, proba: Array) -> float:
    """Rank the last class of two; of more, average one-against-rest over the classes that occur."""
    columns = [1] if proba.shape[1] == 2 else range(proba.shape[1])
    areas = [area_under_roc(true == k, proba[:, k]) for k in columns if (true == k).any()]
    return float(np.mean(areas)) if areas else float("nan")


def area_under_roc(positive: Array, scores: Array) -> float:
    """Compute the chance that a positive row ranks above a negative one (Mann-Whitney; ties count half)."""
    n = int(positive.sum())
    pairs, ranks = n * (len(positive) - n), pd.Series(scores).rank().to_numpy()
    return float((ranks[positive].sum() - n * (n + 1) / 2) / pairs) if pairs else float("nan")


def log_loss(predictions: Predictions) -> float:
    """Average -log(probability given to the true class); a class unseen in training was given none."""
    proba, true = np.asarray(predictions.y_proba), predictions.codes[1]
    known = true < proba.shape[1]
    given = np.where(known, proba[np.arange(len(true)), np.where(known, true, 0)], 0)
    epsilon = np.finfo(proba.dtype).eps  # as scikit-learn, which clips by the type's own precision
    return float(-np.log(np.clip(given, epsilon, 1 - epsilon), dtype=float).mean())
