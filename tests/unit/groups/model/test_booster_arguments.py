"""Arguments that only boosters have."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.support.models import build_option

EARLY = (
    "a model is fitted on training rows only; leave it out, and set model.early_stopping=5, which stops on the "
    "validation rows."
)
CATEGORIES = (
    "receives numbers, because the encoders of model.features come before it; leave it out, and set "
    "model.features.low_cardinality and model.features.high_cardinality."
)


@pytest.mark.parametrize(
    ("name", "task", "arguments", "sentence"),
    [
        ("xgboost", "regression", {"early_stopping_rounds": 5}, f"early_stopping_rounds: {EARLY}"),
        ("xgboost", "regression", {"enable_categorical": True}, f"enable_categorical: XGBRegressor {CATEGORIES}"),
        ("catboost", "classification", {"cat_features": ["a"]}, f"cat_features: CatBoostClassifier {CATEGORIES}"),
    ],
)
def test_what_the_pipeline_makes_useless_is_refused(
    name: str, task: Any, arguments: dict[str, Any], sentence: str
) -> None:
    assert build_option(name, task, **arguments).problems(task) == [f"model.estimator.{sentence}"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        # of 1 to 10, as XGBoost interpolates: the value at place 0.9 · (10 + 1)
        pytest.param({"objective": "reg:quantileerror", "quantile_alpha": 0.9}, 9.9, id="quantile"),
        pytest.param({"objective": "reg:tweedie", "tweedie_variance_power": 1.2}, None, id="tweedie"),
        pytest.param({"enable_categorical": False, "booster": "dart", "rate_drop": 0.1}, None, id="dart"),
    ],
)
def test_xgboosts_own_parameters_are_accepted(arguments: dict[str, Any], expected: float | None) -> None:
    model = build_option("xgboost", "regression", n_estimators=1, learning_rate=1.0, subsample=1.0, **arguments)
    assert model.problems("regression") == []
    fitted = model.build_estimator("regression").fit(np.zeros((10, 1)), np.arange(1.0, 11.0))
    assert expected is None or fitted.predict(np.zeros((1, 1)))[0] == pytest.approx(expected, rel=1e-6)
