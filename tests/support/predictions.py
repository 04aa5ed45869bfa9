"""Small tables and predictions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from mlrunner.core.column_roles import Task
from mlrunner.evaluation.metrics import measure
from mlrunner.evaluation.predictions import Predictions, predict


def labelled(
    y_true: list[Any], y_pred: list[Any], proba: list[list[float]] | None = None, classes: str = "ab"
) -> Predictions:
    """Make predictions of one-letter classes."""
    probabilities = None if proba is None else np.array(proba)
    return Predictions(np.array(y_true, object), np.array(y_pred, object), probabilities, np.array(list(classes)))


def table(rows: int, seed: int = 0) -> tuple[pd.DataFrame, pd.Series[Any]]:
    """Make two numeric features, and a score that depends on the first."""
    rng = np.random.default_rng(seed)
    features = pd.DataFrame({"x": rng.normal(size=rows), "z": rng.normal(size=rows)})
    return features, (2 * features["x"] + rng.normal(size=rows) + 10).rename("score")


def grades(rows: int, classes: str) -> tuple[pd.DataFrame, pd.Series[Any]]:
    """Make features, and equally frequent one-letter classes that depend on the first."""
    features, score = table(rows)
    codes = pd.qcut(score, len(classes), labels=False).to_numpy()
    return features, pd.Series(np.array(list(classes), object)[codes], name="grade")


def score(estimator: Any, features: pd.DataFrame, target: pd.Series[Any], task: Task) -> dict[str, float]:
    """Predict, and compute every metric of the task."""
    return measure(predict(estimator, features, target, task), task)
