"""Classes and arguments of estimators, and the message for each mistake."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

from mlrunner.groups.model import estimator_arguments
from tests.support.models import ROWS, build_option, raw_rows

NO_ARGUMENTS = (
    ": VotingRegressor refuses its arguments "
    "(VotingRegressor.__init__() missing 1 required positional argument: 'estimators')."
)
OUT_OF_RANGE = (
    ": The 'n_estimators' parameter of RandomForestRegressor must be an int in the range [1, inf). Got -1 instead."
)
NESTED = {"_target_": "sklearn.ensemble.BaggingRegressor", "estimator": {"_target_": "sklearn.svm.SVR", "c": 1}}
IN_A_LIST = {"_target_": "sklearn.ensemble.VotingRegressor", "estimators": [["a", {"_target_": "sklearn.svm.SVM"}]]}
NEAR = "has no such argument. Did you mean"
WRONG: list[tuple[str, str, dict[str, Any], str]] = [
    (
        "xgboost",
        "r",
        {"n_estimatrs": 5},
        f".n_estimatrs: XGBRegressor {NEAR} 'n_estimators'?",
    ),
    ("rf", "r", {"n_tree": 5}, ".n_tree: RandomForestRegressor has no such argument."),
    ("lightgbm", "c", {"num_leafs": 5}, f".num_leafs: LGBMClassifier {NEAR} 'num_leaves'?"),
    (
        "catboost",
        "r",
        {"iteration": 5},
        f".iteration: CatBoostRegressor {NEAR} 'iterations'?",
    ),
    ("custom", "r", NESTED, ".estimator.c: SVR has no such argument."),
    ("custom", "r", IN_A_LIST, ".estimators.0.1._target_: sklearn.svm has no class 'SVM'. Did you mean 'SVR'?"),
    ("custom", "r", {"_target_": "sklearn.ensemble.VotingRegressor"}, NO_ARGUMENTS),
    ("rf", "r", {"n_estimators": -1}, OUT_OF_RANGE),
]
NO_CLASS = "sklearn.ensemble has no class 'RandomForestRegresor'."
SCALER = "sklearn.preprocessing.StandardScaler"
NO_MODULE = "cannot import 'sklern.svm.SVR' (No module named 'sklern'); install its package or correct the path."
NO_ESTIMATOR = "collections.Counter has no fit and no predict; name an estimator's class."
CLASSIFIER = "sklearn.svm.SVC is a classifier, but dataset.task is regression; change either."
REGRESSOR = "sklearn.svm.SVR is a regressor, but dataset.task is classification; change either."
TARGETS = [
    ("sklearn.ensemble.RandomForestRegresor", "r", f"{NO_CLASS} Did you mean 'RandomForestRegressor'?"),
    ("sklern.svm.SVR", "r", NO_MODULE),
    ("SVR", "r", "'SVR' is not a path to a class; write module.Class."),
    ("sklearn.metrics.r2_score", "r", "sklearn.metrics.r2_score is not a class; name one with fit and predict."),
    ("collections.Counter", "r", NO_ESTIMATOR),
    (SCALER, "r", f"{SCALER} has no predict; name an estimator's class."),
    ("sklearn.svm.SVC", "r", CLASSIFIER),
    ("sklearn.svm.SVR", "c", REGRESSOR),
]
WRONG += [("custom", task, {"_target_": target}, f"._target_: {message}") for target, task, message in TARGETS]


@pytest.mark.parametrize(("name", "task", "estimator", "expected"), WRONG)
def test_mistake_is_explained(name: str, task: str, estimator: dict[str, Any], expected: str) -> None:
    whole: Any = {"r": "regression", "c": "classification"}[task]
    assert build_option(name, whole, **estimator).problems(whole) == [f"model.estimator{expected}"]


def test_mistakes_in_arguments_are_reported_together() -> None:
    model = build_option("xgboost", "classification", num_trees_of_mine=5, max_dept=3)
    assert model.problems("classification") == [
        "model.estimator.num_trees_of_mine: XGBClassifier has no such argument.",
        "model.estimator.max_dept: XGBClassifier has no such argument. Did you mean 'max_depth'?",
    ]


@pytest.mark.parametrize("extra", ["lightgbm", "catboost"])
def test_missing_optional_package_is_explained(extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Absent:
        def find_spec(self, name: str, *_: Any) -> None:
            if name.partition(".")[0] == extra:
                raise ModuleNotFoundError(f"No module named '{extra}'", name=extra)

    for module in [name for name in sys.modules if name.partition(".")[0] == extra]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setattr(sys, "meta_path", [Absent(), *sys.meta_path])
    model = build_option(extra, "regression")
    expected = f"model.estimator._target_: {model.estimator['_target_']} needs {extra}, which is not installed; "
    assert model.problems("regression") == [expected + f"run pip install 'mlrunner[{extra}]'."]


@pytest.mark.parametrize(
    ("target", "name", "accepted"),
    [
        ("xgboost.XGBRegressor", "gamma", True),
        ("xgboost.XGBRegressor", "anything", False),
        ("xgboost.XGBRFClassifier", "colsample_bynode", True),
        ("lightgbm.LGBMRegressor", "feature_fraction", True),
        ("lightgbm.LGBMRegressor", "verbosity", True),
        ("lightgbm.LGBMRegressor", "anything", False),
        ("catboost.CatBoostRegressor", "random_strength", True),
        ("catboost.CatBoostRegressor", "anything", False),
        ("sklearn.linear_model.SGDClassifier", "eta0", True),
        ("sklearn.linear_model.SGDClassifier", "eta", False),
        ("sklearn.linear_model.Ridge", "self", False),
        ("collections.Counter", "anything", True),
    ],
)
def test_which_arguments_a_constructor_takes(target: str, name: str, accepted: bool) -> None:
    assert estimator_arguments.accepts_argument(estimator_arguments.locate(target, "key"), name) is accepted


def test_nested_estimators_are_built() -> None:
    inner = {"_target_": "sklearn.svm.SVR", "C": 3}
    voting = {"_target_": "sklearn.ensemble.VotingRegressor", "estimators": [["a", inner], ["b", inner]]}
    model = build_option("custom", "regression", **voting)
    assert model.problems("regression") == []
    table = raw_rows()[["price", "items"]]
    fitted = model.build(table, "regression").fit(table, np.arange(ROWS))
    assert [part.C for part in fitted[-1].estimators_] == [3, 3]


def test_mapping_arguments_stay_mappings() -> None:
    model = build_option("custom", "classification", class_weight={"a": 2.0, "b": 1.0})
    table = raw_rows()[["price", "items"]]
    assert model.build(table, "classification")[-1].class_weight == {"a": 2.0, "b": 1.0}
