"""SHAP values of tree models: what each column adds to the raw prediction of a row.

The values of a row and the base add up to the raw prediction: the target, its transform, log-odds or a probability.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mlrunner.core.errors import ConfigError
from mlrunner.core.estimators import get_library, unwrap
from mlrunner.evaluation.predictions import Array, preprocess

SAMPLE_ROWS = 1000  # more change the means little
LOG_LINK = re.compile("poisson|gamma|tweedie", re.IGNORECASE)
MODELS = "xgboost, lightgbm, catboost, rf, hist_gradient_boosting, scikit-learn's GradientBoosting and single trees"


@dataclass(frozen=True)
class Contributions:
    """Hold what each column adds to the raw predictions of some rows.

    Args:
        columns: Names of the columns.
        values: Contributions, shape (n_rows, n_columns, n_outputs).
        base: Raw prediction without any column, shape (n_outputs,).
        classes: Label of each output; empty for a regression.
        unit: What a contribution is measured in.
    """

    columns: list[str]
    values: Array
    base: Array
    classes: list[Any]
    unit: str

    @property
    def raw(self) -> Array:
        """Raw predictions, shape (n_rows, n_outputs)."""
        raw: Array = self.base + self.values.sum(axis=1)
        return raw

    def sum_by(self, sources: Sequence[str]) -> Contributions:
        """Add up the columns that have the same source.

        Args:
            sources: Source of each column.
        """
        names = list(dict.fromkeys(sources))
        is_source = np.array([[source == name for name in names] for source in sources], dtype=float)
        sums = np.einsum("rco,cn->rno", self.values, is_source)
        return Contributions(names, sums, self.base, self.classes, self.unit)


def explain(fitted: Any, features: pd.DataFrame) -> Contributions:
    """Compute the contribution of each cleaned column to the predictions of a tree model.

    Args:
        fitted: Fitted pipeline that takes cleaned feature columns.
        features: Cleaned feature columns, shape (n_rows, n_columns).

    Raises:
        ConfigError: When the model is not made of trees.
    """
    inputs, last = preprocess(fitted, features)
    values = find_explainer(last)(unwrap(last), inputs)
    classes = np.asarray(getattr(last, "classes_", [])).tolist()
    if len(classes) == 2:
        values, classes = values[:, -1:], classes[1:]
    by_feature = np.moveaxis(values[:, :, :-1], 1, 2)
    sources = getattr(fitted[-2], "source_columns_", inputs.columns) if len(fitted.steps) > 1 else inputs.columns
    unit = describe_unit(last, classes)
    encoded = Contributions(list(map(str, sources)), by_feature, values[:, :, -1].mean(axis=0), classes, unit)
    return encoded.sum_by(list(map(str, sources)))


def limit_rows(fitted: Any) -> int:
    """Return the number of rows that are explained in a few seconds.

    Args:
        fitted: Fitted pipeline.

    Raises:
        ConfigError: When the model is not made of trees.
    """
    from mlrunner.evaluation import tree_conversion

    last = fitted.steps[-1][1]
    is_converted = find_explainer(last) is tree_conversion.explain
    return min(SAMPLE_ROWS, tree_conversion.limit_rows(unwrap(last))) if is_converted else SAMPLE_ROWS


def find_explainer(last: Any) -> Callable[[Any, pd.DataFrame], Array]:
    """Return the function that explains a fitted estimator; it returns shape (n_rows, n_outputs, n_features + 1).

    Raises:
        ConfigError: When the model is not made of trees.
    """
    from mlrunner.evaluation import tree_conversion

    inner = unwrap(last)
    explainer = EXPLAINERS.get(get_library(type(inner)))
    if explainer is None and tree_conversion.can_convert(inner):
        explainer = tree_conversion.explain
    if explainer is None:
        raise ConfigError(f"Contributions are computed for {MODELS}, but the model is {type(inner).__name__}.")
    return explainer


def _explain_xgboost(model: Any, inputs: pd.DataFrame) -> Array:
    import xgboost

    rows = xgboost.DMatrix(inputs, missing=model.missing, nthread=model.n_jobs)
    values: Array = model.get_booster().predict(rows, pred_contribs=True, strict_shape=True)
    return values.astype(np.float64)


def _explain_lightgbm(model: Any, inputs: pd.DataFrame) -> Array:
    values: Array = model.booster_.predict(inputs, pred_contrib=True)
    return values.reshape(len(inputs), -1, inputs.shape[1] + 1)


def _explain_catboost(model: Any, inputs: pd.DataFrame) -> Array:
    import catboost

    values: Array = model.get_feature_importance(catboost.Pool(inputs), type="ShapValues")
    return values.reshape(len(inputs), -1, inputs.shape[1] + 1)


EXPLAINERS = {"xgboost": _explain_xgboost, "lightgbm": _explain_lightgbm, "catboost": _explain_catboost}


def describe_unit(last: Any, classes: Sequence[Any]) -> str:
    """Describe what the contributions to an estimator's raw prediction are measured in.

    Args:
        last: Fitted estimator.
        classes: Label of each output; empty for a regression.
    """
    inner = unwrap(last)
    if classes:
        has_votes = get_library(type(inner)) == "sklearn" and "Gradient" not in type(inner).__name__
        is_half = getattr(inner, "loss", None) == "exponential"  # of scikit-learn's GradientBoostingClassifier
        what = "probability" if has_votes else "half the log-odds" if is_half else "log-odds"
        after = "" if has_votes or len(classes) == 1 else " before the softmax"
        return f"{what} of {repr(classes[0]) if len(classes) == 1 else 'each class'}{after}"
    transform = getattr(last, "func", None) or getattr(last, "transformer_", None)
    if type(last).__name__ == "TransformedTargetRegressor" and transform is not None:
        return f"{getattr(transform, '__name__', type(transform).__name__)} of the target"
    settings = {"catboost": "loss_function", "sklearn": "loss"}.get(get_library(type(inner)), "objective")
    objective = str(inner.get_params().get(settings) or "")
    return "logarithm of the prediction" if LOG_LINK.search(objective) else "unit of the target"
