"""Learning curves of boosted trees and their plot."""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import (
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
from mlrunner.evaluation.plots import LearningCurve
from tests.support.plots import make_curve, read_legend
from tests.support.samples import pipeline, table

SMALL: dict[str, dict[str, Any]] = {
    "xgboost.XGB": {"n_estimators": 12, "n_jobs": 1},
    "lightgbm.LGBM": {"n_estimators": 12, "verbose": -1, "n_jobs": 1},
    "catboost.CatBoost": {"iterations": 12, "verbose": 0, "allow_writing_files": False, "thread_count": 1},
    "sklearn.ensemble.HistGradientBoosting": {"max_iter": 12, "early_stopping": False},
    "sklearn.ensemble.GradientBoosting": {"n_estimators": 12},
    "sklearn.ensemble.AdaBoost": {"n_estimators": 12},
}
BOOSTERS = [(name, "Classifier") for name in SMALL] + [(name, "Regressor") for name in SMALL if "AdaBoost" not in name]


def make_booster(name: str, kind: str) -> Any:
    module, _, prefix = name.rpartition(".")
    return getattr(import_module(module), prefix + kind)(**SMALL[name])


@pytest.mark.parametrize(("name", "kind"), BOOSTERS)
def test_the_loss_is_computed_by_round(name: str, kind: str) -> None:
    task: Any = {"Regressor": "regression", "Classifier": "classification"}[kind]
    estimator = make_booster(name, kind)
    features, score = table(200)
    y_true = score if task == "regression" else pd.qcut(score, 3, labels=False)
    train, rest = features[:120], features[120:]
    fitted = pipeline(estimator).fit(train, y_true[:120])
    curve = plots.compute_learning_curve(fitted, train, y_true[:120], rest, y_true[120:], task, points=4)
    predicted = fitted.predict(rest) if task == "regression" else fitted.predict_proba(rest)
    assert curve is not None
    assert curve.train is not None
    assert curve.validation is not None
    assert curve.rounds.tolist() == [1, 2, 6, 12]
    assert len(curve.train) == len(curve.validation) == 4
    last = mean_squared_error(y_true[120:], predicted) ** 0.5 if task == "regression" else None
    expected = reference_log_loss(y_true[120:], predicted, labels=[0, 1, 2]) if last is None else last
    assert curve.validation[-1] == pytest.approx(expected, rel=1e-5)
    assert curve.train[-1] < curve.train[0]
    assert curve.metric == ("rmse" if task == "regression" else "log_loss")


class LabelEncodingClassifier:
    """Mimic mlrunner's LabelEncodingClassifier: the wrapped classifier works with the codes 0..n-1."""

    def __init__(self, estimator: Any, classes: Any) -> None:
        self.estimator_, self.classes_ = estimator, np.asarray(classes)


def test_encoded_labels_are_matched() -> None:
    features, score = table(200)
    codes = pd.qcut(score, 3, labels=False)
    numbers = features[["strong", "none"]]
    inner = HistGradientBoostingClassifier(max_iter=5, early_stopping=False).fit(numbers, codes)
    names = pd.Series(np.array([*"abc"])[codes])
    expected = plots.compute_learning_curve(inner, numbers, codes, numbers, codes, "classification")
    curve = plots.compute_learning_curve(
        LabelEncodingClassifier(inner, [*"abc"]), numbers, names, numbers, names, "classification"
    )
    assert expected is not None
    assert curve is not None
    assert curve.validation == pytest.approx(expected.validation)


def test_rows_are_limited_and_an_empty_part_is_unknown() -> None:
    features, target = table(100)
    fitted = pipeline(GradientBoostingRegressor(n_estimators=3)).fit(features, target)
    curve = plots.compute_learning_curve(fitted, features, target, features[:0], target[:0], "regression", rows=10)
    assert curve is not None
    assert curve.validation is None
    assert curve.train is not None
    assert curve.train[-1] == pytest.approx(mean_squared_error(target[:10], fitted.predict(features[:10])) ** 0.5)


def fit_with_record(name: str) -> tuple[Any, str, int, bool]:
    """Fit a booster with an evaluation set; return it, its metric, its rounds, whether it records the training rows."""
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
def test_metrics_recorded_during_the_fit_are_used(name: str) -> None:
    features, target = table(10)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # LightGBM: the training rows are evaluated, eval_set has a new name
        fitted, metric, points, both = fit_with_record(name)
    curve = plots.compute_learning_curve(fitted, features, target, features, target, "regression")
    assert curve is not None
    assert (curve.metric, len(curve.rounds), curve.train is not None) == (metric, points, both)
    assert curve.validation is not None
    assert len(curve.validation) == points
    assert (curve.validation > 0).all()


@pytest.mark.parametrize("name", ["linear", "forest", "one round", "gblinear", "nested"])
def test_other_estimators_have_no_curve(name: str) -> None:
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


def test_the_plot_shows_both_parts() -> None:
    figure = plots.plot_learning_curve(make_curve())
    assert read_legend(figure) == ["held out", "train"]
    assert np.asarray(figure.axes[0].lines[0].get_ydata()).tolist() == [3.0, 2.5, 2.6]
    assert [figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel()] == ["boosting rounds", "rmse"]


def test_an_unknown_part_is_not_drawn() -> None:
    curve = LearningCurve("rmse", np.array([1, 2]), None, np.array([2.0, 1.0]))
    assert read_legend(plots.plot_learning_curve(curve)) == ["held out"]
