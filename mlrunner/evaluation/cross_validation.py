"""Cross-validation over the folds of a split."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlrunner.core.folds import list_folds
from mlrunner.evaluation.metrics import measure
from mlrunner.evaluation.predictions import Array, Predictions, predict, refuse_invalid
from mlrunner.evaluation.weights import name_weight, weigh_rows

if TYPE_CHECKING:
    from mlrunner.core.column_roles import Task
    from mlrunner.core.score_settings import ScoreSettings


@dataclass(frozen=True)
class CrossValidation:
    """Hold the scores and the held-out predictions of every fold.

    Args:
        scores: Metric values by name, one dict a fold.
        held_out: Predictions for the held-out rows, one a fold.
    """

    scores: list[dict[str, float]]
    held_out: list[Predictions]

    @property
    def mean(self) -> dict[str, float]:
        """Mean of each metric over the folds; NaN when it is NaN for one fold."""
        return {name: float(np.mean(values)) for name, values in self.by_metric.items()}

    @property
    def std(self) -> dict[str, float]:
        """Standard deviation of each metric over the folds, as `cross_val_score(...).std()` computes it."""
        with np.errstate(all="ignore"):
            return {name: float(np.std(values)) for name, values in self.by_metric.items()}

    @property
    def by_metric(self) -> dict[str, list[float]]:
        """Scores of all folds by metric name."""
        names = dict.fromkeys(name for scores in self.scores for name in scores)
        return {name: [scores.get(name, math.nan) for scores in self.scores] for name in names}

    @property
    def predictions(self) -> Predictions:
        """Held-out predictions of all folds; a class absent from a fold's training rows has probability 0 there."""
        y_true = np.concatenate([fold.y_true for fold in self.held_out])
        y_pred = np.concatenate([fold.y_pred for fold in self.held_out])
        fold_classes = [fold.classes for fold in self.held_out if fold.classes is not None]
        classes = np.unique(np.concatenate(fold_classes)) if fold_classes else None
        tables = [
            pd.DataFrame(fold.y_proba, columns=fold.classes).reindex(columns=classes, fill_value=0.0)
            for fold in self.held_out
            if fold.y_proba is not None
        ]
        proba = pd.concat(tables).to_numpy() if tables else None
        weights = [fold.weight for fold in self.held_out if fold.weight is not None]
        weight = np.concatenate(weights) if weights else None
        first = self.held_out[0]
        return replace(first, y_true=y_true, y_pred=y_pred, y_proba=proba, classes=classes, weight=weight)

    def classify(self, threshold: float) -> CrossValidation:
        """Return the scores of two classes that are predicted by a threshold."""
        held_out = [predictions.classify(threshold) for predictions in self.held_out]
        return CrossValidation([measure(predictions, "classification") for predictions in held_out], held_out)


def cross_validate(
    make_estimator: Callable[[], Any],
    features: pd.DataFrame,
    target: pd.Series[Any],
    folds: pd.DataFrame,
    task: Task,
    scoring: ScoreSettings | None = None,
    weight: Array | None = None,
    model: object = None,
) -> CrossValidation:
    """Fit a new estimator for each fold on its training rows, and score it on the rows that it holds out.

    Args:
        make_estimator: Factory of unfitted estimators.
        features: Feature columns, shape (n_rows, n_features).
        target: True values, shape (n_rows,).
        folds: Table of folds for the rows of `features`; see `core.folds`.
        task: Regression or classification.
        scoring: What the scores are computed by; None: the defaults.
        weight: Weight of each row in fits and scores; None: all rows weigh the same.
        model: Model, whose `class_weight` balances the classes and whose `early_stopping` ends boosting.

    Raises:
        ModelError: If a prediction is NaN or infinite.
    """
    held_out = []
    for train, scored, marks in list_folds(folds):
        rows, known, estimator = features.iloc[train], target.iloc[train], make_estimator()
        inner, outer = (None, None) if weight is None else (weight[train], weight[scored])
        weights = weigh_rows(model, known, inner)
        if hasattr(model, "stop_early"):
            model.stop_early(estimator, (rows, known, weights), marks=marks)
        fitted = estimator.fit(rows, known, **name_weight(estimator, weights))
        held_out.append(predict(fitted, features.iloc[scored], target.iloc[scored], task, scoring, outer))
    refuse_invalid({f"fold {number}": predictions for number, predictions in enumerate(held_out)})
    return CrossValidation([measure(predictions, task) for predictions in held_out], held_out)
