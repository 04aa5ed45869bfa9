"""Seeds that are not set, and the tolerance that follows."""

from __future__ import annotations

from typing import Any

import pytest

from mlrunner.execution.reproduction.tolerance import choose_tolerance, list_unset_seeds

FOREST = {"_target_": "sklearn.ensemble.RandomForestRegressor"}


TREE = {"_target_": "sklearn.tree.DecisionTreeRegressor"}


@pytest.mark.parametrize(
    ("estimator", "unset"),
    [
        ({"_target_": "sklearn.linear_model.Ridge", "random_state": None}, []),
        ({"_target_": "sklearn.linear_model.Ridge", "random_state": None, "solver": "sag"}, ["e.random_state"]),
        ({"_target_": "sklearn.linear_model.SGDRegressor"}, ["e.random_state"]),
        ({"_target_": "sklearn.linear_model.PassiveAggressiveRegressor"}, ["e.random_state"]),
        ({"_target_": "sklearn.linear_model.Lasso"}, []),
        ({"_target_": "sklearn.linear_model.Lasso", "selection": "random"}, ["e.random_state"]),
        ({"_target_": "sklearn.dummy.DummyClassifier", "strategy": "uniform"}, ["e.random_state"]),
        ({"_target_": "xgboost.XGBRegressor", "random_state": None}, []),  # uses 0 instead
        ({"_target_": "sklearn.svm.SVC"}, []),
        ({"_target_": "sklearn.svm.SVC", "probability": True}, ["e.random_state"]),
        ({"_target_": "sklearn.ensemble.RandomForestRegressor"}, ["e.random_state"]),
        ({"_target_": "sklearn.ensemble.RandomForestRegressor", "random_state": 0}, []),
        ({"_target_": "catboost.CatBoostRegressor", "random_seed": 0}, []),
        ({"_target_": "sklearn.naive_bayes.GaussianNB"}, []),
        (
            {"_target_": "sklearn.ensemble.VotingRegressor", "estimators": [["a", FOREST]]},
            ["e.estimators.0.1.random_state"],
        ),
        ({"_target_": "sklearn.multioutput.MultiOutputRegressor", "estimator": {**FOREST, "random_state": 0}}, []),
        ({"_target_": "sklearn.ensemble.BaggingRegressor", "estimator": TREE, "random_state": 0}, []),
        (
            {"_target_": "sklearn.ensemble.BaggingRegressor", "estimator": TREE},
            ["e.random_state", "e.estimator.random_state"],
        ),
        ({"_target_": "sklearn.ensemble.StackingRegressor", "cv": {"_target_": "sklearn.model_selection.KFold"}}, []),
        ({}, []),
    ],
)
def test_seeds_that_are_not_set_are_listed(estimator: dict[str, Any], unset: list[str]) -> None:
    assert list_unset_seeds(estimator, "e") == unset


def test_an_unset_seed_allows_a_difference_and_a_set_tolerance_wins() -> None:
    allowed, note = choose_tolerance(FOREST, None)
    assert allowed == 0.05
    assert note == "model.estimator.random_state is not set, so two fits differ by chance: compared within 5%"
    assert choose_tolerance({**FOREST, "random_state": 0}, None) == (0.0, None)
    assert choose_tolerance(FOREST, 1e-9) == (1e-9, None)
