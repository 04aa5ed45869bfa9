"""Metrics of one's own: functions with the interface of `sklearn.metrics`, chosen in `conf/metric/`."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from mlrunner.core.build import locate
from mlrunner.core.errors import ConfigError, DataError, MlrunnerError, first_line
from mlrunner.core.metric_names import GREATER_IS_BETTER

if TYPE_CHECKING:
    from mlrunner.core.column_roles import Task
    from mlrunner.core.score_settings import CustomMetric
    from mlrunner.evaluation.predictions import Predictions


def measure_custom(predictions: Predictions, task: Task) -> dict[str, float]:
    """Compute the metrics of one's own for the task; those of probabilities are absent without probabilities.

    Raises:
        DataError: When a function fails or returns no number.
    """
    return {
        name: _call(name, metric, predictions, task)
        for name, metric in predictions.scoring.custom.items()
        if metric.task == task and not (metric.needs_proba and predictions.y_proba is None)
    }


def _call(name: str, metric: CustomMetric, predictions: Predictions, task: Task) -> float:
    function, arguments = _locate(name, metric), dict(metric.arguments)
    if predictions.weight is not None and "sample_weight" in _parameters(function):
        arguments["sample_weight"] = predictions.weight
    try:
        return float(function(*_select_values(metric, predictions, task), **arguments))
    except MlrunnerError:
        raise
    except Exception as error:  # the user's function may raise anything
        reason = f"{type(error).__name__}: {first_line(error)}"
        raise DataError(f"metric.{name}: {metric.target} failed ({reason}); correct it or leave it out.") from error


def _select_values(metric: CustomMetric, predictions: Predictions, task: Task) -> tuple[Any, Any]:
    """Select true and predicted values; of two classes the positive one is 1 and the other is 0."""
    if task == "regression":
        return predictions.y_true.astype(float), predictions.y_pred.astype(float)
    positive, (_, true, predicted) = predictions.positive_code, predictions.codes
    if positive is None:
        return predictions.y_true, predictions.y_proba if metric.needs_proba else predictions.y_pred
    binary = (true == positive).astype(int)
    if metric.needs_proba:
        return binary, np.asarray(predictions.y_proba)[:, positive]
    return binary, (predicted == positive).astype(int)


def problems(custom: Mapping[str, CustomMetric], task: Task | None) -> Iterator[str]:
    """Yield one sentence for each metric that has the name of another, no function, or arguments that it refuses."""
    for name, metric in custom.items():
        key = f"metric.{name}"
        if name in GREATER_IS_BETTER:
            yield f"{key} has the name of a metric that is always computed; choose another name."
        elif task is not None and metric.task != task:
            yield f"{key} is for {metric.task}, but dataset.task is {task}; leave it out."
        else:
            yield from _function_problems(name, metric)


def _function_problems(name: str, metric: CustomMetric) -> Iterator[str]:
    try:
        signature = inspect.signature(_locate(name, metric))
    except MlrunnerError as error:
        yield str(error)
        return
    except (TypeError, ValueError):  # compiled functions have no signature
        return
    try:
        signature.bind("y_true", "y_pred", **metric.arguments)
    except TypeError as error:
        yield f"metric.{name}.arguments do not fit {metric.target}{signature}: {error}; correct them."


def _locate(name: str, metric: CustomMetric) -> Any:
    function = locate(metric.target, f"metric.{name}._target_")
    if not callable(function):
        raise ConfigError(f"metric.{name}._target_={metric.target} is not a function; name one of y_true and y_pred.")
    return function


def _parameters(function: Any) -> Mapping[str, Any]:
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):
        return {}
