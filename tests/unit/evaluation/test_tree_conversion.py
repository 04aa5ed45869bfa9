"""scikit-learn's trees as trees of XGBoost."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import (
    AdaBoostRegressor,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
)
from sklearn.linear_model import Ridge
from sklearn.tree import DecisionTreeRegressor

from mlrunner.evaluation.tree_conversion import LEAST_ROWS, can_convert, explain, limit_rows, list_trees

STEPS = pd.DataFrame({"x": [0.0, 1.0, 2.0, 3.0], "nothing": 0.0})


def test_a_stump_by_hand() -> None:
    """The mean is 2; three rows of four fall to 0, one rises to 8."""
    stump = DecisionTreeRegressor(max_depth=1).fit(STEPS, [0.0, 0.0, 0.0, 8.0])
    assert explain(stump, STEPS)[:, 0].tolist() == [[-2, 0, 2], [-2, 0, 2], [-2, 0, 2], [6, 0, 2]]


def test_rows_that_floats_of_32_bits_cannot_tell_apart_go_their_own_ways() -> None:
    close = pd.DataFrame({"x": [1.0, 1.0 + 1e-12] * 20})
    model = HistGradientBoostingRegressor(max_iter=1, learning_rate=1.0, min_samples_leaf=1).fit(close, [0.0, 1.0] * 20)
    assert model.predict(close.head(2)).round(6).tolist() == [0, 1]
    assert explain(model, close.head(2)).sum(axis=2).round(6).ravel().tolist() == [0, 1]


def test_missing_values_go_where_they_went_in_training() -> None:
    rows = pd.DataFrame({"x": [0.0, 1.0, np.nan, 3.0]})
    for target in ([0.0, 0.0, 9.0, 1.0], [9.0, 9.0, 9.0, 1.0]):
        model = DecisionTreeRegressor().fit(rows, target)
        np.testing.assert_allclose(explain(model, rows).sum(axis=(1, 2)), target, atol=1e-6)


def test_the_values_of_a_forest_add_up() -> None:
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(rng.normal(size=(200, 3)), columns=list("abc"))
    target = rows["a"] * rows["b"]
    for model in (RandomForestRegressor(5, random_state=0), ExtraTreesRegressor(5, random_state=0)):
        sums = explain(model.fit(rows, target), rows).sum(axis=(1, 2))
        np.testing.assert_allclose(sums, model.predict(rows), atol=1e-5)


@pytest.mark.parametrize("init", [None, "zero"])
@pytest.mark.parametrize("outputs", [1, 2, 3])
def test_the_values_of_a_booster_add_up_to_its_raw_prediction(outputs: int, init: str | None) -> None:
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(rng.normal(size=(200, 3)), columns=list("abc"))
    target = rows["a"] * rows["b"]
    settings = {"n_estimators": 5, "init": init, "subsample": 0.8, "random_state": 0}
    if outputs == 1:
        model = GradientBoostingRegressor(loss="huber", **settings).fit(rows, target)
        raw = model.predict(rows)
    else:
        model = GradientBoostingClassifier(**settings).fit(rows, pd.qcut(target, outputs, labels=False))
        raw = model.decision_function(rows)
    values = explain(model, rows)
    np.testing.assert_allclose(values.sum(axis=2).squeeze(), raw, atol=1e-5)
    assert np.ptp(values[:, :, -1], axis=0).max() < 1e-5  # the base is the same for all rows
    assert np.abs(values[:, :, 2]).max() < np.abs(values[:, :, 0]).max()  # c is noise


def test_a_boosted_stump_by_hand() -> None:
    """The mean is 2; with a learning rate of 0.5, a row of 8 rises from it by 3, and three rows of 0 fall by 1."""
    model = GradientBoostingRegressor(n_estimators=1, max_depth=1, learning_rate=0.5).fit(STEPS, [0.0, 0.0, 0.0, 8.0])
    assert explain(model, STEPS)[:, 0].tolist() == [[-1, 0, 2], [-1, 0, 2], [-1, 0, 2], [3, 0, 2]]


def test_fewer_rows_of_larger_trees_are_explained() -> None:
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(rng.normal(size=(3000, 2)), columns=list("ab"))
    small, large = (DecisionTreeRegressor(max_depth=depth).fit(rows, rng.normal(size=3000)) for depth in (2, None))
    assert limit_rows(small) > limit_rows(large) >= LEAST_ROWS


def test_other_estimators_are_not_converted() -> None:
    assert not can_convert(Ridge())
    assert not can_convert(GradientBoostingRegressor(init=Ridge()))
    assert not can_convert(AdaBoostRegressor())  # a weighted median is no sum
    assert can_convert(DecisionTreeRegressor())
    assert len(list_trees(RandomForestRegressor(3).fit(STEPS, [0, 1, 2, 3]))[0]) == 3
