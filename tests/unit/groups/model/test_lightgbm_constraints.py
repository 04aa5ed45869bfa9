"""Constraints of LightGBM by name."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.base import clone

from mlrunner.core.errors import ConfigError
from mlrunner.core.estimators import make_safe
from mlrunner.groups.model.lightgbm_constraints import LGBMClassifier, LGBMRegressor, list_directions, list_groups

X = pd.DataFrame({"a": np.tile(np.arange(10.0), 20), "b": np.repeat(np.arange(10.0), 20), "c": np.zeros(200)})
QUICK = {"n_estimators": 5, "num_leaves": 8, "min_child_samples": 1, "verbosity": -1, "n_jobs": 1}


def test_directions_and_groups_by_position() -> None:
    assert list_directions({"b": -1, "a [x]": 1}, [make_safe("a [x]"), "b", "c"]) == [1, -1, 0]
    assert list_groups([["c", "a"]], ["a", "b", "c"]) == [[2, 0], [1]]
    assert list_groups([["a"], ["b"]], ["a", "b"]) == [[0], [1]]
    with pytest.raises(ConfigError, match="A constraint names 'd', which is not a column"):
        list_groups([["d"]], ["a"])


def test_the_direction_holds_and_the_argument_keeps_its_names() -> None:
    falling = -X["a"] + X["b"]
    fitted = LGBMRegressor(**QUICK, monotone_constraints={"a": 1}).fit(X, falling)
    # No split may fall with a: of equal b, all rows are predicted alike.
    assert X.assign(p=fitted.predict(X)).groupby("b")["p"].nunique().tolist() == [1] * 10
    assert clone(fitted).get_params()["monotone_constraints"] == {"a": 1}
    saved = skops.io.dumps(fitted)
    again = skops.io.loads(saved, trusted=skops.io.get_untrusted_types(data=saved))
    np.testing.assert_array_equal(again.predict(X), fitted.predict(X))


def test_columns_of_no_common_group_never_meet_in_a_tree() -> None:
    product = X["a"] * X["b"]
    fitted = LGBMRegressor(**QUICK, interaction_constraints=[["a"]]).fit(X, product)
    trees = fitted.booster_.trees_to_dataframe().dropna(subset=["split_feature"])
    used = trees.groupby("tree_index")["split_feature"].agg(set)
    assert {frozenset(names) for names in used} <= {frozenset("a"), frozenset("b")}
    free = LGBMRegressor(**QUICK).fit(X, product).booster_.trees_to_dataframe().dropna(subset=["split_feature"])
    assert {"a", "b"} in free.groupby("tree_index")["split_feature"].agg(set).tolist()


def test_a_classifier_predicts_classes_and_probabilities() -> None:
    fitted = LGBMClassifier(**QUICK, monotone_constraints={"a": 1}).fit(X, (X["a"] > 4).astype(int))
    assert fitted.predict(X).tolist() == (X["a"] > 4).astype(int).tolist()
    assert fitted.predict_proba(X).shape == (200, 2)
