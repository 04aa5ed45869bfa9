"""Report the objective between the boosting rounds of XGBoost and LightGBM."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlrunner.core.estimators import get_library
from mlrunner.evaluation import metrics
from mlrunner.evaluation.predictions import Array, Predictions, unwrap_estimator
from mlrunner.evaluation.weights import weigh_rows
from mlrunner.groups.model import EstimatorModel, Model, early_stopping
from mlrunner.groups.model.early_stopping import lightgbm_evaluation_set
from mlrunner.groups.model.label_encoding import LabelEncodingClassifier
from mlrunner.search.trial import TrialPruned

if TYPE_CHECKING:
    from mlrunner.search.trial import TrialTask
    from mlrunner.search.trial.fit_data import FitData

MAX_REPORTS = 25  # in a fit: each is written to the study


class RoundReporter:
    """Computes the objective after each boosting round and reports it at most `MAX_REPORTS` times.

    Args:
        report: Function of the round and the value; returns True when the trial is to be pruned.
        task: Task of the trial.
        data: Rows of the fit.
    """

    def __init__(self, report: Callable[[int, float], bool], task: TrialTask, data: FitData) -> None:
        self._report, self._task, self._data = report, task, data
        self._rounds, self._interval = 0, 1
        self._weight: Array | None = None

    def __deepcopy__(self, memo: dict[int, Any]) -> RoundReporter:
        return self  # scikit-learn copies the arguments of an estimator, and this holds a pipe

    def attach(self, estimator: Any) -> dict[str, Any]:
        """Set up the reports of an estimator.

        Args:
            estimator: Unfitted estimator; XGBoost takes the metric in its constructor.

        Returns:
            Keyword arguments for `fit`; empty for an estimator of another library, which reports nothing.
        """
        inner = estimator.estimator if isinstance(estimator, LabelEncodingClassifier) else estimator
        library = get_library(type(inner))
        if library not in ("xgboost", "lightgbm"):
            return {}
        self._interval = math.ceil(int(inner.get_params().get("n_estimators") or 100) / MAX_REPORTS)
        self._weight = self._data.validation_weight
        rows, target = self._select_validation()
        if library == "xgboost":
            inner.set_params(eval_metric=self._evaluate)
            return {"eval_set": [(rows, target)], "verbose": False}
        return {**lightgbm_evaluation_set(inner, rows, target), "eval_metric": self._evaluate_for_lightgbm}

    def _select_validation(self) -> tuple[Any, Any]:
        """Return the rows to score and their targets: classes as codes, without those that training does not have."""
        rows, target = self._data.validation, np.asarray(self._data.validation_target)
        if self._task.task == "regression":
            return rows, target
        classes = pd.Index(np.unique(np.asarray(self._data.train_target)))
        codes = classes.get_indexer(pd.Index(target))
        if (codes >= 0).all():
            return rows, codes
        self._weight = None if self._weight is None else self._weight[codes >= 0]
        return rows[codes >= 0], codes[codes >= 0]

    def _evaluate_for_lightgbm(self, y_true: Any, y_pred: Any) -> tuple[str, float, bool]:
        """Return a name, the value, and the direction, which LightGBM uses for early stopping only."""
        return "objective", self._evaluate(y_true, y_pred), True

    def _evaluate(self, y_true: Any, y_pred: Any) -> float:
        value = self._compute_objective(np.asarray(y_true), np.asarray(y_pred))
        self._rounds += 1
        is_due = self._rounds % self._interval == 0
        if is_due and np.isfinite(value) and self._report(self._rounds, value):
            raise TrialPruned
        return value

    def _compute_objective(self, y_true: Any, y_pred: Any) -> float:
        if self._task.task == "regression":
            predictions = Predictions(y_true, y_pred, scoring=self._task.scoring, weight=self._weight)
            return metrics.measure(predictions, "regression").get(self._task.metric, math.nan)
        proba = y_pred if y_pred.ndim == 2 else np.column_stack([1 - y_pred, y_pred])
        labels = np.unique(np.asarray(self._data.train_target))
        predicted, scoring = labels[proba.argmax(axis=1)], self._task.scoring
        true = labels[y_true.astype(int)]
        predictions = Predictions(true, predicted, proba, labels, scoring=scoring, weight=self._weight)
        return metrics.measure(predictions, "classification").get(self._task.metric, math.nan)


def stop_early(model: Model, estimator: Any, data: FitData) -> list[int]:
    """Find and set the number of boosting rounds of an unfitted estimator; empty for a model that does not stop early.

    The rows that decide are those that are scored, or with folds some of the training rows.
    """
    if not isinstance(model, EstimatorModel) or model.early_stopping is None:
        return []
    train = data.train, data.train_target, weigh_rows(model, data.train_target, data.train_weight)
    held_out = (data.validation, data.validation_target) if data.marks is None else None
    rows = early_stopping.choose_rows(train, held_out, data.marks)
    rounds = early_stopping.find_rounds(estimator, *rows, model.early_stopping)
    early_stopping.set_rounds(estimator, rounds)
    return [rounds]


def detach(fitted: Any) -> None:
    """Remove the reporter from a fitted estimator, so that the estimator can be saved."""
    inner = unwrap_estimator(fitted)
    if callable(getattr(inner, "eval_metric", None)):
        inner.set_params(eval_metric=None)
