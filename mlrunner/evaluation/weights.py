"""Weights of the rows: those of `dataset.weight`, and those that balance the classes; both reach `fit`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from mlrunner.core.column_roles import Roles
    from mlrunner.evaluation.predictions import Array


def select_weight(table: pd.DataFrame, roles: Roles) -> Array | None:
    """Select the weights of the rows of a cleaned table, shape (n_rows,); None where all rows weigh the same."""
    return None if roles.weight not in table else table[roles.weight].to_numpy(dtype=float)


def weigh_rows(model: object, target: pd.Series[Any], weight: Array | None) -> Array | None:
    """Multiply the weights of the training rows by those that balance the classes.

    With `class_weight="balanced"`, the rows of each class weigh n_rows / (n_classes * n_rows_of_class), as in
    scikit-learn.

    Args:
        model: Model, whose `class_weight` is None or "balanced".
        target: True values of the training rows.
        weight: Weights of these rows; None where all weigh the same.
    """
    if getattr(model, "class_weight", None) is None:
        return weight
    codes = np.unique(np.asarray(target), return_inverse=True)[1]
    counts = np.bincount(codes)
    balanced = (len(codes) / (len(counts) * counts))[codes]
    return balanced if weight is None else balanced * weight


def name_weight(estimator: Any, weight: Array | None) -> dict[str, Array]:
    """Return the argument of `fit` that holds the weights: of a pipeline, that of its last step; empty without any."""
    if weight is None:
        return {}
    steps = getattr(estimator, "steps", None)
    return {"sample_weight" if steps is None else f"{steps[-1][0]}__sample_weight": weight}
