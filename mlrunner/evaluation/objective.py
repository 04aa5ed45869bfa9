"""Check that the objective of a model is a number: a run without one cannot be ranked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mlrunner.core.errors import DataError
from mlrunner.core.folds import list_folds
from mlrunner.core.metric_names import CLASSIFICATION, GREATER_IS_BETTER

if TYPE_CHECKING:
    from mlrunner.evaluation.scoring import Evaluation
    from mlrunner.evaluation.split_data import SplitData

# Reasons why a metric of finite predictions is undefined, about the rows that it is computed on.
REASONS = {
    "roc_auc": "which hold one class only",
    "r2": "whose target is constant",
    "mape": "whose target contains 0",
    "rmsle": "with a target or a prediction of -1 or less",
}


def find_objective_error(metric: str, scores: dict[str, float]) -> str | None:
    """Describe why an objective is unusable: absent, NaN or infinite; None where it is a finite number."""
    if metric not in scores:
        known = ", ".join(name for name in scores if "/" not in name and not name.endswith("_std"))
        return f"the model gives no {metric}; it gives {known}"
    return None if np.isfinite(scores[metric]) else f"{metric} is {scores[metric]}"


def refuse_undefined(metric: str, evaluation: Evaluation, data: SplitData) -> None:
    """Refuse an evaluation whose objective is not a finite number.

    Raises:
        DataError: With the rows on which the metric is undefined, and what to choose instead.
    """
    error = find_objective_error(metric, evaluation.scores)
    if error is None or metric not in GREATER_IS_BETTER:  # seconds are no score of predictions
        return
    if metric not in evaluation.scores:
        raise DataError(f"objective.metric is {metric}, but {error}.")
    where = "the validation rows"
    if evaluation.folds is not None:
        values = evaluation.folds.metrics[metric]
        where = f"{int((~np.isfinite(values)).sum())} of {len(values)} folds"
    reason = f", {REASONS[metric]}" if metric in REASONS else ""
    raise DataError(f"objective.metric={metric} is undefined for {where}{reason}; {_advise(metric, data)}.")


def _advise(metric: str, data: SplitData) -> str:
    """Return what to set: another metric, or a split that has every class in each part."""
    if metric != "roc_auc":
        return f"set objective.metric={'accuracy' if metric in CLASSIFICATION else 'mae'}"
    targets = pd.concat([part[data.roles.target] for part in (data.train, data.validation, data.test)])
    rarest = 0 if data.roles.group is not None else int(targets.value_counts().min())
    folds = list_folds(data.folds)
    if 0 < sum(len(fold.held_out) for fold in folds) < len(data.train):  # folds by time: no class can be dealt out
        return "set objective.metric=log_loss"
    count = min(rarest - 1, len(folds))  # the test rows have one member as well
    split = f"split=stratified_kfold split.folds={count}" if folds else "split=stratified"
    is_possible = count > 1 if folds else rarest > 2
    return f"set {split}, or objective.metric=log_loss" if is_possible else "set objective.metric=log_loss"
