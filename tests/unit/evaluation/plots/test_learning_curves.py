"""The learning curve of every booster: recorded, followed, or absent."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import (
    AdaBoostClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression
from sklearn.metrics import log_loss as reference_log_loss
from sklearn.metrics import mean_squared_error
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mlrunner.evaluation import plots
from tests.support.samples import pipeline, table


def boosters() -> dict[str, tuple[str, Any]]:
    from catboost import CatBoostClassifier, CatBoostRegressor
    from lightgbm import LGBMClassifier, LGBMRegressor
    from xgboost import XGBClassifier, XGBRegressor

    cat: dict[str, Any] = {"iterations": 12, "verbose": 0, "allow_writing_files": False, "thread_count": 1}
    light: dict[str, Any] = {"n_estimators": 12, "verbose": -1, "n_jobs": 1}
    hist: dict[str, Any] = {"max_iter": 12, "early_stopping": False}
    return {
        "xgboost": ("regression", XGBRegressor(n_estimators=12, n_jobs=1)),
        "xgboost classes": ("classification", XGBClassifier(n_estimators=12, n_jobs=1)),
        "lightgbm": ("regression", LGBMRegressor(**light)),
        "lightgbm classes": ("classification", LGBMClassifier(**light)),
        "catboost": ("regression", CatBoostRegressor(**cat)),
        "catboost classes": ("classification", CatBoostClassifier(**cat)),
        "histogram": ("regression", HistGradientBoostingRegressor(**hist)),
        "histogram classes": ("classification", HistGradientBoostingClassifier(**hist)),
        "gradient": ("regression", GradientBoostingRegressor(n_estimators=12)),
        "gradient classes": ("classification", GradientBoostingClassifier(n_estimators=12)),
        "adaboost": ("classification", AdaBoostClassifier(n_estimators=12)),
    }


BOOSTERS = [
    *("xgboost", "xgboost classes", "lightgbm", "lightgbm classes", "catboost", "catboost classes"),
    *("histogram", "histogram classes", "gradient", "gradient classes", "adaboost"),
]


@pytest.mark.parametrize("name", BOOSTERS)
def test_a_booster_without_a_record_is_followed_round_by_round(name: str) -> None:
    task: Any
    task, estimator = boosters()[name]
    features, score = table(200)
    known = score if task == "regression" else pd.qcut(score, 3, labels=False)
    train, rest = features[:120], features[120:]
    fitted = pipeline(estimator).fit(train, known[:120])
    curve = plots.compute_learning_curve(fitted, train, known[:120], rest, known[120:], task, points=4)
    said = fitted.predict(rest) if task == "regression" else fitted.predict_proba(rest)
    assert curve is not None
    assert curve.train is not None
    assert curve.validation is not None
    assert curve.rounds.tolist() == [1, 2, 6, 12]
    assert len(curve.train) == len(curve.validation) == 4
    last = mean_squared_error(known[120:], said) ** 0.5 if task == "regression" else None
    expected = reference_log_loss(known[120:], said, labels=[0, 1, 2]) if last is None else last
    assert curve.validation[-1] == pytest.approx(expected, rel=1e-5)
    assert curve.train[-1] < curve.train[0]
    assert curve.metric == ("rmse" if task == "regression" else "log_loss")


class LabelCodes:
    """As mlrunner's own: the classifier inside works with 0..n-1."""

    def __init__(self, estimator: Any, classes: Any) -> None:
        self.estimator_, self.classes_ = estimator, np.asarray(classes)


def test_labels_that_were_encoded_are_matched() -> None:
    features, score = table(200)
    codes = pd.qcut(score, 3, labels=False)
    numbers = features[["strong", "none"]]
    inner = HistGradientBoostingClassifier(max_iter=5, early_stopping=False).fit(numbers, codes)
    names = pd.Series(np.array([*"abc"])[codes])
    known = plots.compute_learning_curve(inner, numbers, codes, numbers, codes, "classification")
    found = plots.compute_learning_curve(LabelCodes(inner, [*"abc"]), numbers, names, numbers, names, "classification")
    assert known is not None
    assert found is not None
    assert found.validation == pytest.approx(known.validation)


def test_rows_and_a_missing_side() -> None:
    features, target = table(100)
    fitted = pipeline(GradientBoostingRegressor(n_estimators=3)).fit(features, target)
    curve = plots.compute_learning_curve(fitted, features, target, features[:0], target[:0], "regression", rows=10)
    assert curve is not None
    assert curve.validation is None
    assert curve.train is not None
    assert curve.train[-1] == pytest.approx(mean_squared_error(target[:10], fitted.predict(features[:10])) ** 0.5)


def recorded(name: str) -> tuple[Any, str, int, bool]:
    """Fit a booster that keeps a record: itself, its metric, its points, whether train is among them."""
    from catboost import CatBoostRegressor
    from lightgbm import LGBMRegressor
    from xgboost import XGBRegressor

    features, target = table(200)
    x, y = features[["strong", "none"]].to_numpy(), target.to_numpy()
    train, held = (x[:120], y[:120]), (x[120:], y[120:])
    if name == "xgboost":
        return XGBRegressor(n_estimators=6).fit(*train, eval_set=[train, held], verbose=False), "rmse", 6, True
    if name == "xgboost, validation only":
        return XGBRegressor(n_estimators=6).fit(*train, eval_set=[held], verbose=False), "rmse", 6, False
    if name == "lightgbm":
        return LGBMRegressor(n_estimators=6, verbose=-1).fit(*train, eval_set=[train, held]), "l2", 6, True
    if name == "catboost":
        quiet = CatBoostRegressor(iterations=6, verbose=0, allow_writing_files=False)
        return quiet.fit(*train, eval_set=held), "RMSE", 6, True
    hist = HistGradientBoostingRegressor(max_iter=6, early_stopping=True, n_iter_no_change=20)
    return hist.fit(*train), "loss", 7, True


@pytest.mark.parametrize("name", ["xgboost", "xgboost, validation only", "lightgbm", "catboost", "histogram"])
def test_what_the_booster_recorded_is_taken_as_it_is(name: str) -> None:
    features, target = table(10)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # LightGBM: the training rows are evaluated, eval_set has a new name
        fitted, metric, points, both = recorded(name)
    curve = plots.compute_learning_curve(fitted, features, target, features, target, "regression")
    assert curve is not None
    assert (curve.metric, len(curve.rounds), curve.train is not None) == (metric, points, both)
    assert curve.validation is not None
    assert len(curve.validation) == points
    assert (curve.validation > 0).all()


@pytest.mark.parametrize("name", ["linear", "forest", "one round", "gblinear", "nested"])
def test_what_does_not_boost_has_no_curve(name: str) -> None:
    from xgboost import XGBRegressor

    features, target = table(60)
    estimators: dict[str, Any] = {
        "linear": LinearRegression(),
        "forest": RandomForestRegressor(3),
        "one round": GradientBoostingRegressor(n_estimators=1),
        "gblinear": XGBRegressor(booster="gblinear", n_estimators=5),
        "nested": make_pipeline(StandardScaler(), LinearRegression()),
    }
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning)  # XGBoost calls gblinear deprecated
        fitted = pipeline(estimators[name]).fit(features, target)
    assert plots.compute_learning_curve(fitted, features, target, features, target, "regression") is None
