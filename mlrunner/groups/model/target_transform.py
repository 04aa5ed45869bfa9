"""Fit a regression on a transformed target and predict in the original unit; part of the logged model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

TargetTransform = Literal["log1p", "sqrt", "power", "quantile"]
QUANTILES = 100
BOUNDS = {"log1p": -1.0, "sqrt": 0.0}  # smallest target; log1p excludes the bound itself


def transform_target(estimator: Any, transform: TargetTransform) -> Any:
    """Wrap an estimator, so that it is fitted on the transformed target and predicts in the original unit.

    Args:
        estimator: Unfitted regressor.
        transform: "log1p", "sqrt", "power" (Yeo-Johnson, standardized) or "quantile" (to a normal distribution).
    """
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.preprocessing import PowerTransformer, QuantileTransformer

    if transform == "log1p":
        return TransformedTargetRegressor(estimator, func=np.log1p, inverse_func=np.expm1)
    if transform == "sqrt":
        return TransformedTargetRegressor(estimator, func=np.sqrt, inverse_func=np.square)
    if transform == "power":
        return TransformedTargetRegressor(estimator, transformer=PowerTransformer())
    normal = QuantileTransformer(n_quantiles=QUANTILES, output_distribution="normal", random_state=0)
    return TransformedTargetRegressor(estimator, transformer=normal)


def target_problems(transform: TargetTransform, target: pd.Series) -> list[str]:
    """Return a sentence for a target whose values the transform does not take.

    Args:
        transform: Name of the transform.
        target: Numeric target; missing values are ignored.
    """
    bound, smallest = BOUNDS.get(transform), target.min()
    if bound is None or smallest > bound or (transform == "sqrt" and smallest == bound):
        return []
    needs = "values above -1" if transform == "log1p" else "values from 0"
    key = f"model.target_transform={transform}"
    return [f"{key} needs {needs}, but '{target.name}' has {smallest:g}; choose power or quantile, or leave it null."]
