"""What scikit-learn does not publish is where we look for it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import Ridge

from mlrunner.evaluation.sklearn_private import can_read, read_nodes

ROWS = pd.DataFrame({"x": np.arange(90.0)})


def test_the_leaves_and_the_base_of_a_stump_are_its_predictions() -> None:
    model = HistGradientBoostingRegressor(max_iter=1, learning_rate=1.0, max_leaf_nodes=2).fit(ROWS, ROWS["x"] >= 45)
    [(nodes, output)], base = read_nodes(model)
    leaves = nodes["value"][nodes["is_leaf"] == 1]
    assert output == 0
    np.testing.assert_allclose(sorted(leaves + base), sorted(set(model.predict(ROWS))))


def test_each_class_of_several_has_its_trees() -> None:
    model = HistGradientBoostingClassifier(max_iter=2).fit(ROWS, np.repeat([0, 1, 2], 30))
    nodes, base = read_nodes(model)
    assert ([output for _, output in nodes], base.shape) == ([0, 1, 2, 0, 1, 2], (3,))


def test_trees_that_split_categories_and_other_models_are_not_read() -> None:
    kinds = pd.DataFrame({"kind": pd.Categorical(["a", "b", "c"] * 30)})
    assert not can_read(HistGradientBoostingRegressor(max_iter=1).fit(kinds, [0.0, 5.0, 0.0] * 30))
    assert can_read(HistGradientBoostingRegressor(max_iter=1).fit(ROWS, ROWS["x"]))
    assert not can_read(Ridge())
