"""Constraints name columns, and the names reach the estimator, also in a model that was saved."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io

from mlrunner.core.errors import ConfigError
from tests.support.models import build_option

TABLE = pd.DataFrame({"carat": np.arange(40.0), "cut": ["good", "fair"] * 20, "depth": [1.0, 2.0] * 20})
FALLING = pd.Series(-TABLE["carat"], name="price")
# A target that falls with carat has no split that rises with it: every prediction is the mean, -19.5.
RISING: list[tuple[str, str]] = [
    ("xgboost", "monotone_constraints"),
    ("lightgbm", "monotone_constraints"),
    ("catboost", "monotone_constraints"),
    ("hist_gradient_boosting", "monotonic_cst"),
]


def fit(name: str, **arguments: Any) -> Any:
    arguments |= {"min_child_samples": 5} if name == "lightgbm" else {}
    model = build_option(name, "regression", **arguments)
    assert model.problems("regression") == []
    return model.build(TABLE[["carat", "cut"]], "regression").fit(TABLE[["carat", "cut"]], FALLING)


@pytest.mark.parametrize(("name", "argument"), RISING)
def test_a_monotone_constraint_holds_for_the_named_column(name: str, argument: str) -> None:
    fitted = fit(name, **{argument: {"carat": 1}})
    free = fit(name)
    prices = TABLE[["carat", "cut"]].assign(cut="good")
    assert (np.diff(fitted.predict(prices)) >= -1e-6).all()
    assert (np.diff(free.predict(prices)) < 0).any()


def test_xgboost_knows_the_names_of_its_features_also_once_it_is_saved() -> None:
    fitted = fit("xgboost", interaction_constraints=[["carat"]], n_estimators=3)
    assert fitted[-1].feature_names_in_.tolist() == ["carat", "cut_fair", "cut_good"]
    assert set(fitted[-1].get_booster().get_score()) <= {"carat", "cut_fair", "cut_good"}
    saved = skops.io.dumps(fitted)
    again = skops.io.loads(saved, trusted=skops.io.get_untrusted_types(data=saved))
    np.testing.assert_array_equal(again.predict(TABLE), fitted.predict(TABLE))


@pytest.mark.parametrize(
    ("name", "arguments", "sentence"),
    [
        (
            "xgboost",
            {"monotone_constraints": [1, 0]},
            "monotone_constraints=[1,0] is a list, but XGBRegressor needs columns with their directions; write a "
            "mapping such as {age: 1, price: -1}.",
        ),
        (
            "lightgbm",
            {"monotone_constraints": [1, 0]},
            "monotone_constraints=[1,0] is a list, but LGBMRegressor needs columns with their directions; write a "
            "mapping such as {age: 1, price: -1}.",
        ),
    ],
)
def test_another_form_is_refused_at_the_check(name: str, arguments: dict[str, Any], sentence: str) -> None:
    assert build_option(name, "regression", **arguments).problems("regression") == [f"model.estimator.{sentence}"]


def test_a_name_that_is_no_number_is_refused() -> None:
    model = build_option("xgboost", "regression", monotone_constraints={"carrat": 1})
    with pytest.raises(ConfigError) as caught:
        model.build(TABLE, "regression")
    assert str(caught.value) == (
        "model.estimator.monotone_constraints names 'carrat', which is not a column of numbers; those are carat, "
        "depth. Did you mean 'carat'?"
    )
