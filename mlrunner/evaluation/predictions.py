"""Predictions of a fitted estimator: predicted once, shared by scores and plots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlrunner.core.column_roles import Task
from mlrunner.core.errors import ModelError
from mlrunner.core.finite import describe_invalid, find_invalid
from mlrunner.core.forests import predict_reproducibly
from mlrunner.core.score_settings import DEFAULT_SCORING, ScoreSettings, find_label

Array = npt.NDArray[Any]

# `predict` of these is the argmax of `predict_proba`, so calling both would evaluate every tree twice.
# HistGradientBoosting is excluded for two classes: it resolves a tie in favour of the second class.
PREDICT_IS_ARGMAX = {"XGBClassifier", "LGBMClassifier", "RandomForestClassifier", "ExtraTreesClassifier"}
ARGMAX_BEYOND_TWO = PREDICT_IS_ARGMAX | {"HistGradientBoostingClassifier"}


@dataclass(frozen=True)
class Predictions:
    """Hold the true and the predicted values of some rows.

    Args:
        y_true: True values, shape (n_rows,).
        y_pred: Predicted values, shape (n_rows,).
        y_proba: Class probabilities, shape (n_rows, n_classes); None without probabilities.
        classes: Classes of the training rows, in the order of the columns of y_proba; None for regression.
        target: Name of the target column, for axis labels.
        scoring: What the scores are computed by.
        weight: Weight of each row in the scores, shape (n_rows,); None: all rows weigh the same.
    """

    y_true: Array
    y_pred: Array
    y_proba: Array | None = None
    classes: Array | None = None
    target: str = "target"
    scoring: ScoreSettings = DEFAULT_SCORING
    weight: Array | None = None

    @cached_property
    def codes(self) -> tuple[list[Any], Array, Array]:
        """Labels (training classes first, then unseen ones), and the label codes of y_true and of y_pred."""
        labels = pd.Index([] if self.classes is None else self.classes, dtype=object)
        both = pd.Index(np.concatenate([self.y_true.astype(object), self.y_pred.astype(object)]), dtype=object)
        codes = labels.get_indexer(both)
        if (codes < 0).any():
            labels = labels.append(both[codes < 0].unique())
            codes = labels.get_indexer(both)
        return list(labels), codes[: len(self.y_true)], codes[len(self.y_true) :]

    @property
    def invalid(self) -> Array:
        """Mask of the rows whose prediction or probabilities are NaN or infinite, shape (n_rows,)."""
        invalid = find_invalid(self.y_pred)
        return invalid if self.y_proba is None else invalid | find_invalid(self.y_proba).any(axis=1)

    @property
    def positive_code(self) -> int | None:
        """Code of the positive class; None unless there are two classes."""
        if self.classes is None or len(self.classes) != 2:
            return None
        return 1 if self.scoring.positive is None else find_label(self.classes, self.scoring.positive)

    def classify(self, threshold: float) -> Predictions:
        """Predict the positive class of two where its probability reaches a threshold; other predictions stay."""
        place = self.positive_code
        if place is None or self.y_proba is None:
            return self
        is_positive = self.y_proba[:, place] >= threshold
        return replace(self, y_pred=np.asarray(self.classes)[np.where(is_positive, place, 1 - place)])

    def select(self, rows: Array) -> Predictions:
        """Select rows by position or by a boolean mask."""
        proba = None if self.y_proba is None else self.y_proba[rows]
        weight = None if self.weight is None else self.weight[rows]
        return replace(self, y_true=self.y_true[rows], y_pred=self.y_pred[rows], y_proba=proba, weight=weight)


def predict(
    estimator: Any,
    features: pd.DataFrame,
    target: pd.Series[Any],
    task: Task,
    scoring: ScoreSettings | None = None,
    weight: Array | None = None,
) -> Predictions:
    """Predict every row once.

    Args:
        estimator: Fitted Pipeline or estimator.
        features: Feature columns, shape (n_rows, n_features); zero rows give empty predictions.
        target: True values, shape (n_rows,).
        task: Regression or classification.
        scoring: What the scores are computed by; None: the defaults.
        weight: Weight of each row in the scores; None: all rows weigh the same.
    """
    name = "target" if target.name is None else str(target.name)
    about: dict[str, Any] = {"target": name, "scoring": scoring or DEFAULT_SCORING, "weight": weight}
    if len(features) == 0:
        return Predictions(np.empty(0), np.empty(0), **about)
    inputs, last = preprocess(estimator, features)
    if task == "regression":
        y_pred = np.ravel(predict_reproducibly(last, "predict", inputs))
        return Predictions(target.to_numpy(dtype=float), y_pred, **about)
    return _predict_classes(last, inputs, np.asarray(target), about)


def _predict_classes(last: Any, inputs: Any, y_true: Array, about: dict[str, Any]) -> Predictions:
    classes = np.asarray(getattr(last, "classes_", []))
    has_proba = len(classes) > 0 and hasattr(last, "predict_proba")
    proba = predict_reproducibly(last, "predict_proba", inputs) if has_proba else None
    if type(last).__name__ == "ThresholdClassifier":
        return Predictions(y_true, last.classify(proba), proba, classes, **about)
    argmax = PREDICT_IS_ARGMAX if len(classes) <= 2 else ARGMAX_BEYOND_TWO
    if proba is not None and type(unwrap_estimator(last)).__name__ in argmax:
        return Predictions(y_true, classes[proba.argmax(axis=1)], proba, classes, **about)
    y_pred = np.ravel(predict_reproducibly(last, "predict", inputs))
    if len(classes) == 0:  # an estimator of another library
        classes = np.unique(np.concatenate([y_true, y_pred]))
    return Predictions(y_true, y_pred, proba, classes, **about)


def refuse_invalid(parts: Mapping[str, Predictions]) -> None:
    """Refuse predictions that are NaN or infinite.

    Args:
        parts: Predictions by the name of their rows, for the message.

    Raises:
        ModelError: With the number of such rows.
    """
    counts = {name: int(predictions.invalid.sum()) for name, predictions in parts.items()}
    if not any(counts.values()):
        return
    rows = sum(len(predictions.y_true) for predictions in parts.values())
    values = np.concatenate([np.ravel(of_part.y_pred) for of_part in parts.values() if len(of_part.y_true)])
    where = ", ".join(f"{count:,} of {name}" for name, count in counts.items() if count)
    raise ModelError(
        f"The model {describe_invalid(sum(counts.values()), rows, values)}{f' ({where})' if len(parts) > 1 else ''}; "
        "choose another model, or settings with which it does not diverge."
    )


def preprocess(estimator: Any, features: pd.DataFrame) -> tuple[Any, Any]:
    """Apply all steps of a fitted Pipeline except the last.

    Returns:
        The transformed features, and the last step.
    """
    steps = getattr(estimator, "steps", None)
    if steps is None:
        return features, estimator
    return (estimator[:-1].transform(features) if len(steps) > 1 else features), steps[-1][1]


def unwrap_estimator(last: Any) -> Any:
    """Return the classifier inside a threshold and label codes, or the argument itself."""
    is_wrapper = type(last).__name__ in ("ThresholdClassifier", "LabelEncodingClassifier")
    return unwrap_estimator(last.estimator_) if is_wrapper else last
