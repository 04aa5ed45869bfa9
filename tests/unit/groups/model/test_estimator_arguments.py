"""Classes and arguments of estimators, and the message for each mistake."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

from mlrunner.groups.model import estimator_arguments
from tests.support.models import ROWS, build_option, raw_rows

WRONG = [
    pytest.param(
        "xgboost",
        "regression",
        {"n_estimatrs": 5},
        ["model.estimator.n_estimatrs: XGBRegressor has no such argument. Did you mean 'n_estimators'?"],
        id="xgboost, misspelt",
    ),
    pytest.param(
        "xgboost",
        "classification",
        {"num_trees_of_mine": 5, "max_dept": 3},
        [
            "model.estimator.num_trees_of_mine: XGBClassifier has no such argument.",
            "model.estimator.max_dept: XGBClassifier has no such argument. Did you mean 'max_depth'?",
        ],
        id="xgboost, two at once",
    ),
    pytest.param(
        "rf",
        "regression",
        {"n_estimator": 5},
        ["model.estimator.n_estimator: RandomForestRegressor has no such argument. Did you mean 'n_estimators'?"],
        id="sklearn, misspelt",
    ),
    pytest.param(
        "lightgbm",
        "classification",
        {"num_leafs": 5},
        ["model.estimator.num_leafs: LGBMClassifier has no such argument. Did you mean 'num_leaves'?"],
        id="lightgbm, misspelt",
    ),
    pytest.param(
        "catboost",
        "regression",
        {"iteration": 5},
        ["model.estimator.iteration: CatBoostRegressor has no such argument. Did you mean 'iterations'?"],
        id="catboost, misspelt",
    ),
    pytest.param(
        "xgboost",
        "regression",
        {"early_stopping_rounds": 5},
        [
            "model.estimator.early_stopping_rounds: early stopping needs validation rows, but a model is fitted "
            "on training rows only; set the number of rounds."
        ],
        id="early stopping",
    ),
    pytest.param(
        "custom",
        "regression",
        {"_target_": "sklearn.ensemble.RandomForestRegresor"},
        [
            "model.estimator._target_: sklearn.ensemble has no class 'RandomForestRegresor'. "
            "Did you mean 'RandomForestRegressor'?"
        ],
        id="class, misspelt",
    ),
    pytest.param(
        "custom",
        "regression",
        {"_target_": "sklern.svm.SVR"},
        [
            "model.estimator._target_: cannot import 'sklern.svm.SVR' (No module named 'sklern'); "
            "install its package or correct the path."
        ],
        id="module, misspelt",
    ),
    pytest.param(
        "custom",
        "regression",
        {"_target_": "SVR"},
        ["model.estimator._target_: 'SVR' is not a path to a class; write module.Class."],
        id="no module",
    ),
    pytest.param(
        "custom",
        "regression",
        {"_target_": "sklearn.metrics.r2_score"},
        ["model.estimator._target_: sklearn.metrics.r2_score is not a class; name one with fit and predict."],
        id="function",
    ),
    pytest.param(
        "custom",
        "regression",
        {"_target_": "collections.Counter"},
        ["model.estimator._target_: collections.Counter has no fit and no predict; name an estimator's class."],
        id="no estimator",
    ),
    pytest.param(
        "custom",
        "regression",
        {"_target_": "sklearn.preprocessing.StandardScaler"},
        ["model.estimator._target_: sklearn.preprocessing.StandardScaler has no predict; name an estimator's class."],
        id="transformer",
    ),
    pytest.param(
        "custom",
        "regression",
        {"_target_": "sklearn.svm.SVC"},
        ["model.estimator._target_: sklearn.svm.SVC is a classifier, but dataset.task is regression; change either."],
        id="classifier on numbers",
    ),
    pytest.param(
        "custom",
        "classification",
        {"_target_": "sklearn.svm.SVR"},
        [
            "model.estimator._target_: sklearn.svm.SVR is a regressor, but dataset.task is classification; "
            "change either."
        ],
        id="regressor on classes",
    ),
    pytest.param(
        "custom",
        "regression",
        {"_target_": "sklearn.ensemble.BaggingRegressor", "estimator": {"_target_": "sklearn.svm.SVR", "c": 1}},
        ["model.estimator.estimator.c: SVR has no such argument."],
        id="nested, misspelt",
    ),
    pytest.param(
        "custom",
        "regression",
        {"_target_": "sklearn.ensemble.VotingRegressor", "estimators": [["a", {"_target_": "sklearn.svm.SVM"}]]},
        ["model.estimator.estimators.0.1._target_: sklearn.svm has no class 'SVM'. Did you mean 'SVR'?"],
        id="in a list, misspelt",
    ),
    pytest.param(
        "custom",
        "regression",
        {"_target_": "sklearn.ensemble.VotingRegressor"},
        [
            "model.estimator: VotingRegressor refuses its arguments "
            "(VotingRegressor.__init__() missing 1 required positional argument: 'estimators')."
        ],
        id="argument left out",
    ),
    pytest.param(
        "rf",
        "regression",
        {"n_estimators": -1},
        [
            "model.estimator: The 'n_estimators' parameter of RandomForestRegressor must be an int in the range "
            "[1, inf). Got -1 instead."
        ],
        id="value out of range",
    ),
]


@pytest.mark.parametrize(("name", "task", "estimator", "expected"), WRONG)
def test_mistake_is_explained(name: str, task: Any, estimator: dict[str, Any], expected: list[str]) -> None:
    assert build_option(name, task, **estimator).problems(task) == expected


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
