"""Predict with forests so that equal rows give equal results to the last digit."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from mlrunner.core.estimators import INNER, get_library, unwrap

FORESTS = {"RandomForestClassifier", "RandomForestRegressor", "ExtraTreesClassifier", "ExtraTreesRegressor"}


def predict_reproducibly(last: Any, method: str, inputs: Any) -> Any:
    """Call a prediction method so that equal rows give equal results to the last digit.

    The threads of a forest add up the trees in the order in which they finish, and floating-point sums depend on it.
    Here each thread predicts a share of the rows with all trees instead.

    Args:
        last: Fitted estimator; requests share it, so it is not modified.
        method: `predict`, `predict_proba` or `decision_function`.
        inputs: Rows, shape (n_rows, n_features).
    """
    forest = unwrap(last)
    if type(forest).__name__ not in FORESTS or getattr(forest, "n_jobs", None) in (None, 1):
        return getattr(last, method)(inputs)
    from joblib import Parallel, delayed, effective_n_jobs, parallel_config

    jobs, call = forest.n_jobs, getattr(_copy_single(last), method)
    with parallel_config("threading"):  # in the worker of a search, the default would warn about processes
        size = max(1, -(-len(inputs) // effective_n_jobs(jobs)))
        parts = [inputs[start : start + size] for start in range(0, len(inputs), size)] or [inputs]
        if len(parts) == 1:
            return call(inputs)
        return np.concatenate(Parallel(jobs)(delayed(call)(part) for part in parts))


def _copy_single(last: Any) -> Any:
    """Copy a fitted forest and what wraps it, to predict with one thread; the trees are shared."""
    single, attribute = copy.copy(last), INNER.get(type(last).__name__)
    if attribute is None:
        single.n_jobs = 1
    else:
        setattr(single, attribute, _copy_single(getattr(last, attribute)))
    return single


def predict_pipeline(pipeline: Any, rows: Any, method: str = "predict") -> Any:
    """Predict rows with a fitted pipeline, as `predict_reproducibly` does.

    Args:
        pipeline: Fitted scikit-learn pipeline.
        rows: Raw rows.
        method: "predict" or "predict_proba".
    """
    inputs = pipeline[:-1].transform(rows)
    if get_library(type(unwrap(pipeline[-1]))) == "xgboost" and hasattr(inputs, "to_numpy"):
        inputs = inputs.to_numpy()  # XGBoost reads a table column by column: 600 columns of a row take 20 ms
    return predict_reproducibly(pipeline[-1], method, inputs)
