"""What only boosters can do: be looked at between rounds, and share the bins of their training rows."""

from __future__ import annotations

import inspect
import math
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlrunner.evaluation import metrics
from mlrunner.evaluation.metrics import Predictions, unwrap
from mlrunner.search.trial import Pruned

if TYPE_CHECKING:
    from mlrunner.search.trial import Prepared, TrialTask

REPORTS = 25  # in a fit at most: each is written to the study
MATRICES: OrderedDict[tuple[Any, ...], Any] = OrderedDict()
KEPT = 12


class Rounds:
    """Reports the objective between the rounds of XGBoost and LightGBM; other estimators are fitted whole."""

    def __init__(self, report: Callable[[int, float], bool], task: TrialTask, prepared: Prepared) -> None:
        self.report, self.task, self.prepared = report, task, prepared
        self._seen, self._every = 0, 1

    def __deepcopy__(self, memo: dict[int, Any]) -> Rounds:
        return self  # scikit-learn copies the arguments of an estimator, and this holds a pipe

    def options(self, estimator: Any) -> dict[str, Any]:
        """Arrange for reports, in the estimator or in the arguments of its `fit`.

        Args:
            estimator: Unfitted; XGBoost takes the metric in its constructor.
        """
        inner = estimator.estimator if type(estimator).__name__ == "LabelCodes" else estimator
        library = type(inner).__module__.partition(".")[0]
        if library not in ("xgboost", "lightgbm"):
            return {}
        self._every = math.ceil(int(inner.get_params().get("n_estimators") or 100) / REPORTS)
        rows, known = self._judged()
        if library == "xgboost":
            inner.set_params(eval_metric=self._measured)
            return {"eval_set": [(rows, known)], "verbose": False}
        return {**_shown(inner, rows, known), "eval_metric": self._named}

    def _judged(self) -> tuple[Any, Any]:
        """Take the rows that are scored; classes as codes, without those that the training rows do not have."""
        rows, known = self.prepared.validation, np.asarray(self.prepared.known)
        if self.task.task == "regression":
            return rows, known
        found = pd.Index(np.unique(np.asarray(self.prepared.target))).get_indexer(pd.Index(known))
        return (rows, found) if (found >= 0).all() else (rows[found >= 0], found[found >= 0])

    def _named(self, y_true: Any, y_pred: Any) -> tuple[str, float, bool]:
        """Measure as LightGBM wants it told: a name, the value, and whether more is better, which nobody asks."""
        return "objective", self._measured(y_true, y_pred), True

    def _measured(self, y_true: Any, y_pred: Any) -> float:
        """Measure the objective after a round, and report it now and then."""
        value = self._objective(np.asarray(y_true), np.asarray(y_pred))
        self._seen += 1
        if self._seen % self._every == 0 and np.isfinite(value) and self.report(self._seen, value):
            raise Pruned
        return value

    def _objective(self, y_true: Any, y_pred: Any) -> float:
        if self.task.task == "regression":
            return metrics.measure(Predictions(y_true, y_pred), "regression").get(self.task.metric, float("nan"))
        proba = y_pred if y_pred.ndim == 2 else np.column_stack([1 - y_pred, y_pred])
        classes = np.arange(proba.shape[1])
        told = Predictions(y_true.astype(int), proba.argmax(axis=1), proba, classes)
        return metrics.measure(told, "classification").get(self.task.metric, float("nan"))


def _shown(inner: Any, rows: Any, known: Any) -> dict[str, Any]:
    """Name the rows that are scored as this version of LightGBM wants them named."""
    if "eval_X" in inspect.signature(inner.fit).parameters:
        return {"eval_X": rows, "eval_y": known}
    return {"eval_set": [(rows, known)]}


def release(fitted: Any) -> None:
    """Take the reports off a fitted estimator, so that it can be saved."""
    inner = unwrap(fitted)
    if callable(getattr(inner, "eval_metric", None)):
        inner.set_params(eval_metric=None)


@contextmanager
def sharing_bins(*arrays: Any) -> Iterator[None]:
    """Let XGBoost's estimators find the bins of arrays that an earlier trial has seen.

    Building them is a fifth of a short fit, and they depend on the rows and `max_bin` only, so a model is the same to
    the bit. Within the block XGBoost's own hook for making its matrices is replaced.

    Args:
        arrays: Those that outlive the fit; others are binned anew.
    """
    module = sys.modules.get("xgboost.sklearn")  # not imported: then nothing here is XGBoost's
    original = getattr(getattr(module, "XGBModel", None), "_create_dmatrix", None)
    if module is None or original is None:
        yield
        return
    lasting = {id(array) for array in arrays}

    def created(self: Any, ref: Any, **told: Any) -> Any:
        others = [name for name, value in told.items() if name not in ("data", "label") and value is not None]
        if id(told.get("data")) not in lasting or set(others) - {"missing", "enable_categorical", "feature_types"}:
            return original(self, ref, **told)
        rest = repr([(name, told[name]) for name in sorted(told) if name not in ("data", "label")])
        key = (id(told["data"]), self.max_bin, self.tree_method, self.booster, self.device, rest, id(ref))
        matrix = MATRICES.get(key)
        if matrix is None or not np.array_equal(matrix[0].get_label(), np.asarray(told["label"], np.float32)):
            MATRICES[key] = (original(self, ref, **told), told["data"], ref)  # the ids hold as long as these do
        MATRICES.move_to_end(key)
        while len(MATRICES) > KEPT:
            MATRICES.popitem(last=False)
        return MATRICES[key][0]

    module.XGBModel._create_dmatrix = created
    try:
        yield
    finally:
        module.XGBModel._create_dmatrix = original
