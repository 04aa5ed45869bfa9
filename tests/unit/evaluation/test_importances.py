"""The models' own importances by name."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.neighbors import KNeighborsRegressor
from sklearn.svm import SVC

from mlrunner.evaluation.importances import list_importances, read_importances
from tests.support.models import build_option

ROWS = pd.DataFrame({"x": np.tile([0.0, 1.0], 20), "kind": ["u", "v", "w", "w"] * 10})


def test_coefficients_keep_their_sign_and_name_the_column_they_are_made_of() -> None:
    """Of y = 2x - 6 [kind is u], with x scaled to a deviation of 1 (that of x is 1/2): 1 for x, and 6 less for u."""
    target = 2 * ROWS["x"] - 6 * (ROWS["kind"] == "u")
    fitted = build_option("linear_regression", "regression").build(ROWS, "regression").fit(ROWS, target)
    listed = {line["feature"]: line for line in list_importances(fitted)}
    assert {name: line["column"] for name, line in listed.items()} == {
        "x": "x",
        **dict.fromkeys(("kind_u", "kind_v", "kind_w"), "kind"),
    }
    assert round(listed["x"]["importance"], 6) == 1
    assert round(listed["kind_u"]["importance"] - listed["kind_w"]["importance"], 6) == -6


def test_the_only_column_that_a_tree_splits_has_the_whole_importance() -> None:
    model = build_option("rf", "classification", n_estimators=3, max_features=1.0)
    fitted = model.build(ROWS, "classification").fit(ROWS, ROWS["x"].astype(int))
    first = list_importances(fitted)[0]
    assert first == {"feature": "x", "column": "x", "importance": 1.0}


def test_of_several_classes_the_mean_absolute_coefficient_counts() -> None:
    class Linear:
        coef_ = np.array([[1.0, -2.0], [-3.0, 0.0]])

    assert np.asarray(read_importances(Linear())).tolist() == [2.0, 1.0]


def test_a_model_without_importances_has_none() -> None:
    fitted = KNeighborsRegressor(1).fit(ROWS[["x"]], ROWS["x"])
    assert read_importances(fitted) is None
    assert read_importances(SVC(kernel="rbf").fit(ROWS[["x"]], ROWS["kind"])) is None
