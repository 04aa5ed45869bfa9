"""The importance that a fitted model itself gives to each feature, by name."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlrunner.core.estimators import unwrap
from mlrunner.evaluation.predictions import Array


def list_importances(fitted: Any) -> list[dict[str, Any]]:
    """List the features of a fitted pipeline with the library's own importance or the coefficient, the greatest first.

    Args:
        fitted: Fitted pipeline of encoders and an estimator.

    Returns:
        Keys `feature`, `column` (that it is made of) and `importance`; empty for a model that has neither.
    """
    values, encoder = read_importances(unwrap(fitted.steps[-1][1])), fitted.steps[0][1]
    if values is None or not hasattr(encoder, "source_columns_"):
        return []
    features = zip(encoder.feature_names_out_, encoder.source_columns_, values.tolist(), strict=True)
    listed = [{"feature": name, "column": column, "importance": value} for name, column, value in features]
    return sorted(listed, key=lambda feature: -abs(feature["importance"]))


def read_importances(estimator: Any) -> Array | None:
    """Return `feature_importances_` or `coef_`, shape (n_features,); of several classes the mean absolute coefficient.

    Args:
        estimator: Fitted estimator.

    Returns:
        None for an estimator that has neither.
    """
    try:
        values = getattr(estimator, "feature_importances_", None)
        values = getattr(estimator, "coef_", None) if values is None else values
    except (AttributeError, NotImplementedError, ValueError):  # of a kernel, or of a linear booster
        return None
    if values is None:
        return None
    numbers: Array = np.atleast_2d(np.asarray(values, dtype=float))
    means: Array = numbers[0] if len(numbers) == 1 else np.abs(numbers).mean(axis=0)
    return means
