"""A table whose columns have a strong, a weak and no effect on the target, and a pipeline for it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder


def table(rows: int = 300) -> tuple[pd.DataFrame, pd.Series[Any]]:
    """Make features and a target: `strong` has a large effect, `town` a small one, `none` no effect."""
    rng = np.random.default_rng(1)
    town = rng.choice(["far", "near"], rows)
    features = pd.DataFrame({"strong": rng.normal(size=rows), "town": town, "none": rng.normal(size=rows)})
    target = 3 * features["strong"] + (town == "far") + 0.1 * rng.normal(size=rows)
    return features, target.rename("score")


def pipeline(estimator: Any) -> Pipeline:
    columns = make_column_transformer((OneHotEncoder(), ["town"]), remainder="passthrough", sparse_threshold=0)
    return Pipeline([("features", columns), ("estimator", estimator)])
