"""SHAP values of small trees, worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost
from catboost import CatBoostClassifier, CatBoostRegressor
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeRegressor

from mlrunner.core.errors import ConfigError
from mlrunner.evaluation.contributions import SAMPLE_ROWS, Contributions, describe_unit, explain, limit_rows
from tests.support.models import build_small_option

BOTH = pd.DataFrame({"a": [0.0, 0.0, 1.0, 1.0] * 10, "b": [0.0, 1.0, 0.0, 1.0] * 10})
AND = BOTH["a"] * BOTH["b"]
# Without a column the tree of `a and b` predicts 1/4; with one that is 1, it predicts 1/2; with one that is 0, it
# predicts 0. A value is the mean over both orders: of (0, 0) (-1/4 + 0) / 2 each, of (1, 1) (1/4 + 1/2) / 2 each,
# and of (1, 0) (1/4 + 0) / 2 for the first and (-1/4 - 1/2) / 2 for the second.
BY_HAND = [[-0.125, -0.125], [-0.375, 0.125], [0.125, -0.375], [0.375, 0.375]]
ONE_TREE: dict[str, Any] = {"n_estimators": 1, "learning_rate": 1.0, "max_depth": 2, "reg_lambda": 0.0, "n_jobs": 1}
TREES = {
    "sklearn": DecisionTreeRegressor(),
    "xgboost": xgboost.XGBRegressor(**ONE_TREE, min_child_weight=0, base_score=0.0),
    "lightgbm": LGBMRegressor(**ONE_TREE, min_child_samples=1, min_data_in_bin=1, verbosity=-1),
    "histogram": HistGradientBoostingRegressor(max_iter=1, learning_rate=1.0, min_samples_leaf=1),
    "catboost": CatBoostRegressor(
        iterations=1,
        learning_rate=1.0,
        depth=2,
        l2_leaf_reg=0.0,
        verbose=0,
        allow_writing_files=False,
        bootstrap_type="No",
        random_strength=0,
    ),
}


def fit(estimator: Any, rows: pd.DataFrame = BOTH, target: Any = AND) -> Any:
    return make_pipeline(FunctionTransformer(), estimator).fit(rows, target)


@pytest.mark.parametrize("name", TREES)
def test_the_values_are_those_worked_out_by_hand(name: str) -> None:
    explained = explain(fit(TREES[name]), BOTH.head(4))
    np.testing.assert_allclose(explained.values[:, :, 0], BY_HAND, atol=1e-5)
    np.testing.assert_allclose(explained.base, [0.25], atol=1e-5)
    assert (explained.columns, explained.classes, explained.unit) == (["a", "b"], [], "unit of the target")


def test_features_of_one_column_are_added_up() -> None:
    parts = Contributions(["a_x", "b", "a_y"], np.array([[[1.0], [5.0], [2.0]]]), np.array([4.0]), [], "")
    summed = parts.sum_by(["a", "b", "a"])
    assert (summed.columns, summed.values.tolist()) == (["a", "b"], [[[3.0], [5.0]]])
    assert summed.raw.tolist() == parts.raw.tolist() == [[12.0]]


MARGINS: dict[str, Any] = {
    "xgboost": lambda model, rows: model.predict(rows, output_margin=True),
    "lightgbm": lambda model, rows: model.predict(rows, raw_score=True),
    "catboost": lambda model, rows: model.predict(rows, prediction_type="RawFormulaVal"),
    "rf": lambda model, rows: model.predict_proba(rows),
    "hist_gradient_boosting": lambda model, rows: model.decision_function(rows),
}


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("name", MARGINS)
def test_base_and_contributions_add_up_to_the_raw_prediction(name: str, classes: int) -> None:
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"x": rng.normal(size=120), "kind": rng.choice(["u", "v", "w"], 120)})
    rows.loc[::7, "x"] = np.nan
    target = pd.Series((rows["x"].fillna(0) > 0).astype(int) + (rows["kind"] == "u") * (classes - 2))
    fitted = build_small_option(name, "classification").build(rows, "classification").fit(rows, target)
    explained = explain(fitted, rows)
    inner = getattr(fitted[-1], "estimator_", fitted[-1]) if name != "rf" else fitted[-1]
    margin = np.asarray(MARGINS[name](inner, fitted[:-1].transform(rows))).reshape(120, -1)
    np.testing.assert_allclose(explained.raw, margin[:, -explained.raw.shape[1] :], atol=1e-5)
    assert (explained.columns, len(explained.classes)) == (["x", "kind"], 1 if classes == 2 else 3)


def test_the_unit_is_that_of_the_raw_prediction() -> None:
    units = {
        "log1p of the target": TransformedTargetRegressor(
            DecisionTreeRegressor(), func=np.log1p, inverse_func=np.expm1
        ),
        "logarithm of the prediction": HistGradientBoostingRegressor(loss="poisson", max_iter=1),
        "probability of 1.0": RandomForestClassifier(2),
        "half the log-odds of 1.0": GradientBoostingClassifier(loss="exponential", n_estimators=1),
        "log-odds of 1.0": LGBMClassifier(n_estimators=1, verbosity=-1, n_jobs=1),
    }
    for unit, estimator in units.items():
        assert explain(fit(estimator), BOTH.head(1)).unit == unit
    assert describe_unit(CatBoostClassifier(), [0, 1, 2]) == "log-odds of each class before the softmax"


def test_a_model_without_trees_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^Contributions are computed for xgboost, .* but the model is Ridge.$"):
        limit_rows(fit(Ridge()))


def test_boosters_are_explained_on_the_whole_sample() -> None:
    assert limit_rows(fit(TREES["xgboost"])) == limit_rows(fit(TREES["sklearn"])) == SAMPLE_ROWS
