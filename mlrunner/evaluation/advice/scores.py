"""The scores of a trivial model, and warnings about the scores of a model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlrunner.core.formatting import format_number
from mlrunner.core.warning_names import Notice
from mlrunner.evaluation.metrics import direction, measure
from mlrunner.evaluation.predictions import Predictions

if TYPE_CHECKING:
    from mlrunner.core.column_roles import Task
    from mlrunner.evaluation.scoring import Evaluation

Array = npt.NDArray[Any]
CONSTANTS = {"regression": "the mean of the training rows", "classification": "always the most frequent class"}
SEVERAL_ERRORS = 4.0  # standard errors between two parts; 3 occur by chance in one of a few hundred runs
APART = 1.25  # ratio of the errors of two parts below which a difference does not matter


def score_trivial(train: pd.Series[Any], predictions: Predictions, task: Task) -> dict[str, float]:
    """Score a model that predicts one value for every row: the mean, or the most frequent class and the shares.

    Args:
        train: Target of the training rows.
        predictions: Predictions of the model for the rows to score on.
        task: Regression or classification.

    Returns:
        Value of each metric of the task.
    """
    rows = len(predictions.y_true)
    if task == "regression":
        return measure(replace(predictions, y_pred=np.full(rows, float(train.mean()))), task)
    labels = train.value_counts()
    classes = list(labels.index) if predictions.classes is None else list(predictions.classes)
    shares = (labels.reindex(classes).fillna(0) / len(train)).to_numpy(dtype=float)
    most = np.full(rows, classes[int(shares.argmax())], dtype=predictions.y_true.dtype)
    proba = None if predictions.y_proba is None else np.tile(shares, (rows, 1))
    return measure(replace(predictions, y_pred=most, y_proba=proba), task)


def warn_of_scores(evaluation: Evaluation, trivial: Mapping[str, float], metric: str, task: Task) -> Iterator[Notice]:
    """Return what a good colleague would say about the scores of a model.

    Args:
        evaluation: Scores and predictions of the model.
        trivial: Scores of the trivial model on the rows of the objective.
        metric: Metric of the objective.
        task: Regression or classification.
    """
    own = measure(evaluation.predictions, task)
    is_maximized = direction(metric, custom=evaluation.predictions.scoring.custom) == "maximize"
    yield from warn_of_trivial(own, trivial, metric, task, is_maximized)
    parts = evaluation.held_out
    if {"validation", "test"} <= set(parts):
        yield from warn_of_gap(parts["validation"].predictions, parts["test"].predictions, task)


def warn_of_trivial(
    scores: Mapping[str, float], trivial: Mapping[str, float], metric: str, task: Task, is_maximized: bool
) -> Iterator[Notice]:
    """Tell that a model is not better than a trivial one by the metric of the objective.

    Args:
        scores: Scores of the model by name.
        trivial: Scores of the trivial model on the same rows.
        metric: Metric of the objective.
        task: Regression or classification.
        is_maximized: Whether a greater value of the metric is better.
    """
    own, other = scores.get(metric), trivial.get(metric)
    if own is None or other is None or not np.isfinite([own, other]).all():
        return
    if own == other or (own > other) != is_maximized:
        word = "the same as" if own == other else "worse than"
        yield Notice(
            "no_better_than_trivial",
            f"{metric} {format_number(own)} is {word} {CONSTANTS[task]} ({format_number(other)}).",
        )


def warn_of_gap(validation: Predictions, test: Predictions, task: Task) -> Iterator[Notice]:
    """Tell that the errors of validation and test rows differ by more than chance."""
    first, second = _errors(validation, task), _errors(test, task)
    if min(len(first), len(second)) < 2:
        return
    chance = (first.var(ddof=1) / len(first) + second.var(ddof=1) / len(second)) ** 0.5
    low, high = sorted((float(first.mean()), float(second.mean())))
    if high - low > SEVERAL_ERRORS * chance and high > APART * low:
        noun = "mean absolute error" if task == "regression" else "share of wrong labels"
        yield Notice(
            "validation_differs_from_test",
            f"the {noun} is {format_number(float(first.mean()))} in validation and "
            f"{format_number(float(second.mean()))} in test rows, more than chance: the rows differ.",
        )


def _errors(predictions: Predictions, task: Task) -> Array:
    if task == "regression":
        return np.asarray(np.abs(predictions.y_true.astype(float) - predictions.y_pred.astype(float)))
    return np.asarray(predictions.codes[1] != predictions.codes[2], dtype=float)
