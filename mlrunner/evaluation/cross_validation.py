"""Cross-validation: the scores of the folds that a split of `split/*kfold` numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlrunner.evaluation.metrics import Predictions, measure, predict

if TYPE_CHECKING:
    from mlrunner.core.column_roles import Task


@dataclass(frozen=True)
class CrossValidation:
    """The scores of every fold, and what was predicted for the rows while they were held out."""

    folds: list[dict[str, float]]
    held_out: list[Predictions]

    @property
    def mean(self) -> dict[str, float]:
        """Average each metric over the folds; NaN when one fold has none."""
        return {name: float(np.mean([fold[name] for fold in self.folds])) for name in self.folds[0]}

    @property
    def std(self) -> dict[str, float]:
        """Give each metric's standard deviation over the folds, as `cross_val_score(...).std()` does."""
        with np.errstate(all="ignore"):
            return {name: float(np.std([fold[name] for fold in self.folds])) for name in self.folds[0]}

    @property
    def predictions(self) -> Predictions:
        """Join the held-out rows of all folds; a class that a fold never saw has probability 0 there."""
        y_true = np.concatenate([part.y_true for part in self.held_out])
        y_pred = np.concatenate([part.y_pred for part in self.held_out])
        seen = [part.classes for part in self.held_out if part.classes is not None]
        classes = np.unique(np.concatenate(seen)) if seen else None
        known = [
            pd.DataFrame(part.y_proba, columns=part.classes).reindex(columns=classes, fill_value=0.0)
            for part in self.held_out
            if part.y_proba is not None
        ]
        proba = pd.concat(known).to_numpy() if known else None
        return Predictions(y_true, y_pred, proba, classes, self.held_out[0].target)


def cross_validate(
    make_estimator: Callable[[], Any],
    features: pd.DataFrame,
    target: pd.Series[Any],
    folds: pd.Series[int],
    task: Task,
) -> CrossValidation:
    """Fit one new estimator a fold, on the other folds' rows; `folds` shares the features' index."""
    numbers = folds.reindex(features.index).to_numpy()
    held_out = []
    for number in np.unique(numbers):
        inside = numbers == number
        fitted = make_estimator().fit(features[~inside], target[~inside])
        held_out.append(predict(fitted, features[inside], target[inside], task))
    return CrossValidation([measure(predictions, task) for predictions in held_out], held_out)
