"""Every metric against a value worked out by hand or by scikit-learn, and where it is undefined."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as reference
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from mlrunner.core.errors import ConfigError
from mlrunner.evaluation import metrics
from mlrunner.evaluation.metrics import measure
from mlrunner.evaluation.predictions import Predictions, predict

NAN = float("nan")


def labelled(
    y_true: list[Any], y_pred: list[Any], proba: list[list[float]] | None = None, classes: str = "ab"
) -> Predictions:
    """Write predictions of one-letter classes down."""
    given = None if proba is None else np.array(proba)
    return Predictions(np.array(y_true, object), np.array(y_pred, object), given, np.array(list(classes)))


def table(rows: int, seed: int = 0) -> tuple[pd.DataFrame, pd.Series[Any]]:
    """Make features with a text column, and a score that follows the first number."""
    rng = np.random.default_rng(seed)
    features = pd.DataFrame({"x": rng.normal(size=rows), "z": rng.normal(size=rows)})
    return features, (2 * features["x"] + rng.normal(size=rows)).rename("score")


def grades(rows: int, classes: str) -> tuple[pd.DataFrame, pd.Series[Any]]:
    features, score = table(rows)
    codes = pd.qcut(score, len(classes), labels=False).to_numpy()
    return features, pd.Series(np.array(list(classes), object)[codes], name="grade")


# --- by hand ------------------------------------------------------------------------------------------------

REGRESSION_BY_HAND = {
    "r2": 1 - (1 + 0 + 4 + 1) / (2.25 + 0.25 + 0.25 + 2.25),  # mean of 1 2 3 4 is 2.5
    "rmse": math.sqrt(6 / 4),
    "mae": (1 + 0 + 2 + 1) / 4,
    "median_absolute_error": 1.0,
    "mape": (1 / 1 + 0 / 2 + 2 / 3 + 1 / 4) / 4,
}
# a: 2 actual, said a a; b: 3 actual, said a b c; c: 1 actual, said c
LABELS_BY_HAND = {
    "accuracy": 4 / 6,
    "balanced_accuracy": (1 + 1 / 3 + 1) / 3,
    "precision": (2 / 3 + 1 / 1 + 1 / 2) / 3,
    "recall": (1 + 1 / 3 + 1) / 3,
    "f1": (2 * 2 / 5 + 2 * 1 / 4 + 2 * 1 / 3) / 3,
}


@pytest.mark.parametrize("name", REGRESSION_BY_HAND)
def test_regression_metric_is_the_one_worked_out_by_hand(name: str) -> None:
    found = measure(Predictions(np.array([1, 2, 3, 4]), np.array([2, 2, 5, 3])), "regression")
    assert found[name] == pytest.approx(REGRESSION_BY_HAND[name])


@pytest.mark.parametrize("name", LABELS_BY_HAND)
def test_label_metric_is_the_one_worked_out_by_hand(name: str) -> None:
    found = measure(labelled([*"aabbbc"], [*"aaabcc"], classes="abc"), "classification")
    assert found[name] == pytest.approx(LABELS_BY_HAND[name])


def test_binary_roc_auc_counts_the_pairs_with_the_last_class_above() -> None:
    proba = [[0.9, 0.1], [0.6, 0.4], [0.65, 0.35], [0.2, 0.8], [0.6, 0.4]]
    found = measure(labelled([*"aabbb"], [*"aaaba"], proba), "classification")
    # b (.35 .8 .4) over a (.1 .4): .35>.1, .8>both, .4>.1 and .4=.4 counts half: 4.5 of 6 pairs
    assert found["roc_auc"] == pytest.approx(4.5 / 6)


def test_log_loss_averages_the_logarithms() -> None:
    found = measure(labelled([*"ab"], [*"aa"], [[0.8, 0.2], [0.5, 0.5]]), "classification")
    assert found["log_loss"] == pytest.approx(-(math.log(0.8) + math.log(0.5)) / 2)


def test_multiclass_roc_auc_averages_each_class_against_the_rest() -> None:
    proba = [[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.3, 0.3, 0.4], [0.5, 0.2, 0.3]]
    found = measure(labelled([*"abca"], [*"abca"], proba, "abc"), "classification")
    assert found["roc_auc"] == pytest.approx((1 + 1 + (2 + 0.5) / 3 + 0.5 / 3) / 3)


# --- as scikit-learn ----------------------------------------------------------------------------------------


def as_sklearn(y: Any, said: Any, proba: Any, classes: Any) -> dict[str, float]:
    binary = len(classes) == 2
    ranks = {} if binary else {"multi_class": "ovr", "labels": classes}
    return {
        "accuracy": reference.accuracy_score(y, said),
        "balanced_accuracy": reference.balanced_accuracy_score(y, said),
        "f1": reference.f1_score(y, said, average="macro"),
        "precision": reference.precision_score(y, said, average="macro", zero_division=0),
        "recall": reference.recall_score(y, said, average="macro"),
        "roc_auc": reference.roc_auc_score(y, proba[:, 1] if binary else proba, **ranks),
        "log_loss": reference.log_loss(y, proba, labels=classes),
    }


@pytest.mark.parametrize("classes", ["ny", "abc", "abcdefghij"], ids=["2", "3", "10"])
def test_classification_agrees_with_sklearn(classes: str) -> None:
    features, target = grades(600, classes)
    fitted = LogisticRegression().fit(features[:300], target[:300])
    found = metrics.score(fitted, features[300:], target[300:], "classification")
    said, proba = fitted.predict(features[300:]), fitted.predict_proba(features[300:])
    assert found == pytest.approx(as_sklearn(target[300:], said, proba, fitted.classes_))


def test_float32_probabilities_are_clipped_as_sklearn_clips_them() -> None:
    proba = np.array([[1, 0], [0, 1]], np.float32)
    found = metrics.log_loss(Predictions(np.array(["b", "b"]), np.array(["a", "b"]), proba, np.array(["a", "b"])))
    assert found == pytest.approx(reference.log_loss(["b", "b"], proba, labels=["a", "b"]), rel=1e-5)


def test_regression_agrees_with_sklearn() -> None:
    features, target = table(400)
    fitted = LinearRegression().fit(features, target)
    found, said = metrics.score(fitted, features, target, "regression"), fitted.predict(features)
    assert found == pytest.approx(
        {
            "r2": reference.r2_score(target, said),
            "rmse": reference.root_mean_squared_error(target, said),
            "mae": reference.mean_absolute_error(target, said),
            "median_absolute_error": reference.median_absolute_error(target, said),
            "mape": reference.mean_absolute_percentage_error(target, said),
        }
    )


# --- undefined ----------------------------------------------------------------------------------------------

UNDEFINED: dict[str, tuple[Predictions, Any, dict[str, float]]] = {
    "constant target": (Predictions(np.full(3, 0.1), np.full(3, 0.2)), "regression", {"r2": NAN, "mae": 0.1}),
    "one row": (Predictions(np.array([3.0]), np.array([2.0])), "regression", {"r2": NAN, "rmse": 1.0}),
    "a zero": (Predictions(np.array([0.0, 1]), np.array([1.0, 1])), "regression", {"mape": NAN, "mae": 0.5}),
    "infinite": (Predictions(np.array([1.0, 2]), np.array([np.inf, 2])), "regression", {"rmse": math.inf}),
    "NaN predicted": (Predictions(np.array([1.0, 2]), np.array([NAN, 2])), "regression", {"r2": NAN}),
    "one class": (
        labelled([*"bb"], [*"bb"], [[0.5, 0.5], [0.5, 0.5]]),
        "classification",
        {"roc_auc": NAN, "accuracy": 1.0, "f1": 1.0, "log_loss": math.log(2)},
    ),
    "one class of three": (
        labelled([*"bb"], [*"ba"], [[0.2, 0.5, 0.3], [0.5, 0.5, 0.0]], "abc"),
        "classification",
        {"roc_auc": NAN, "balanced_accuracy": 0.5, "precision": 0.5, "recall": 0.25, "f1": (0 + 2 / 3) / 2},
    ),
    "one class ever": (
        labelled([*"aa"], [*"aa"], [[1.0], [1.0]], "a"),
        "classification",
        {"roc_auc": NAN, "log_loss": 0.0, "accuracy": 1.0},
    ),
    "a class without a row here": (
        labelled([*"abab"], [*"abab"], [[0.8, 0.1, 0.1], [0.1, 0.8, 0.1]] * 2, "abc"),
        "classification",
        {"roc_auc": 1.0, "f1": 1.0, "recall": 1.0},
    ),
    "a class unseen in training": (
        labelled([*"abz"], [*"abb"], [[0.8, 0.2], [0.3, 0.7], [0.4, 0.6]]),
        "classification",
        {
            "accuracy": 2 / 3,
            "balanced_accuracy": 2 / 3,
            "precision": (1 + 0.5 + 0) / 3,
            "roc_auc": 1.0,
            "log_loss": -(math.log(0.8) + math.log(0.7) + math.log(np.finfo(float).eps)) / 3,
        },
    ),
}


@pytest.mark.parametrize("case", UNDEFINED)
def test_undefined_is_nan_and_nothing_warns(case: str) -> None:
    predictions, task, expected = UNDEFINED[case]
    found = measure(predictions, task)
    assert {name: found[name] for name in expected} == pytest.approx(expected, nan_ok=True)
    assert all(type(value) is float for value in found.values())


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_no_row_scores_nan_everywhere(task: Any) -> None:
    features, target = table(0)
    found = metrics.score(None, features, target, task)
    assert list(found) == metrics.metric_names(task)
    assert all(math.isnan(value) for value in found.values())


# --- labels of any kind -------------------------------------------------------------------------------------

KINDS: dict[str, pd.Series[Any]] = {
    "text": pd.Series(["no", "yes", "yes", "no"]),
    "integers": pd.Series([3, 7, 7, 3]),
    "floats": pd.Series([1.0, 2.0, 2.0, 1.0]),
    "booleans": pd.Series([False, True, True, False]),
    "categories": pd.Series(["no", "yes", "yes", "no"], dtype="category"),
    "nullable integers": pd.Series([3, 7, 7, 3], dtype="Int64"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_labels_of_any_kind_are_matched(kind: str) -> None:
    features, target = pd.DataFrame({"x": [0.0, 1, 1, 0]}), KINDS[kind]
    fitted = LogisticRegression().fit(features, np.asarray(target.tolist()))
    found = metrics.score(fitted, features, target, "classification")
    assert found["accuracy"] == found["roc_auc"] == 1.0


def test_codes_number_the_classes_first_and_the_unseen_after() -> None:
    labels, true, predicted = labelled([*"azb"], [*"aab"]).codes
    assert labels == ["a", "b", "z"]
    assert true.tolist() == [0, 2, 1]
    assert predicted.tolist() == [0, 0, 1]


# --- predicting ---------------------------------------------------------------------------------------------


class Counting(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier that counts its calls; named like a library's where that decides something."""

    def fit(self, X: Any, y: Any) -> Counting:
        self.n_features_in_ = X.shape[1]
        self.classes_ = np.unique(y)
        self.calls_: list[str] = []
        return self

    def predict(self, X: Any) -> Any:
        self.calls_.append("predict")
        return np.full(len(X), self.classes_[0])

    def predict_proba(self, X: Any) -> Any:
        self.calls_.append("predict_proba")
        return np.tile([0.4, 0.6], (len(X), 1))


class RandomForestClassifierLike(Counting):
    pass


RandomForestClassifierLike.__name__ = "RandomForestClassifier"


class CountingScaler(StandardScaler):  # type: ignore[misc]
    calls = 0

    def transform(self, X: Any, copy: Any = None) -> Any:
        type(self).calls += 1
        return super().transform(X, copy)


@pytest.mark.parametrize(
    ("kind", "calls", "said"),
    [(Counting, ["predict_proba", "predict"], "n"), (RandomForestClassifierLike, ["predict_proba"], "y")],
    ids=["its own rule", "argmax"],
)
def test_only_a_classifier_known_to_take_the_argmax_is_spared_predict(kind: Any, calls: Any, said: str) -> None:
    features, target = grades(20, "ny")
    fitted = kind().fit(features, target)
    found = predict(fitted, features, target, "classification")
    assert fitted.calls_ == calls
    assert set(found.y_pred) == {said}


def test_the_steps_before_the_last_run_once() -> None:
    features, target = grades(40, "ny")
    scaler = CountingScaler()
    fitted = Pipeline([("features", scaler), ("estimator", LogisticRegression())]).fit(features, target)
    before = CountingScaler.calls
    found = predict(fitted, features, target, "classification")
    assert CountingScaler.calls == before + 1
    assert found.y_pred.tolist() == fitted.predict(features).tolist()
    assert found.target == "grade"


def library_classifiers() -> dict[str, Any]:
    from lightgbm import LGBMClassifier
    from xgboost import XGBClassifier

    return {
        "forest": RandomForestClassifier(5, max_depth=3, random_state=0),
        "extra trees": ExtraTreesClassifier(5, max_depth=3, random_state=0),
        "histogram": HistGradientBoostingClassifier(max_iter=3),
        "xgboost": XGBClassifier(n_estimators=3, n_jobs=1),
        "lightgbm": LGBMClassifier(n_estimators=3, n_jobs=1, verbose=-1),
    }


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("name", ["forest", "extra trees", "histogram", "xgboost", "lightgbm"])
def test_the_argmax_is_what_the_library_predicts(name: str, classes: int) -> None:
    features, score = table(200)
    target = pd.qcut(score, classes, labels=False)
    fitted = library_classifiers()[name].fit(features.to_numpy(), target)
    found = predict(fitted, features.to_numpy(), target, "classification")  # type: ignore[arg-type]
    assert found.y_pred.tolist() == fitted.predict(features.to_numpy()).tolist()


def test_a_moved_threshold_is_kept() -> None:
    features, target = grades(60, "ny")
    fitted = FixedThresholdClassifier(DummyClassifier(), threshold=0.9).fit(features, target)
    assert set(predict(fitted, features, target, "classification").y_pred) == {"n"}


def test_without_probabilities_their_metrics_are_absent() -> None:
    features, target = grades(60, "ny")
    found = metrics.score(RidgeClassifier().fit(features, target), features, target, "classification")
    assert list(found) == ["accuracy", "balanced_accuracy", "f1", "precision", "recall"]


# --- names --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_the_default_metric_is_one_of_the_task_and_grows(task: Any) -> None:
    assert metrics.default_metric(task) in metrics.metric_names(task)
    assert metrics.direction(metrics.default_metric(task)) == "maximize"


@pytest.mark.parametrize(
    ("metric", "way"),
    [("r2", "maximize"), ("rmse", "minimize"), ("log_loss", "minimize"), ("validation/roc_auc", "maximize")],
)
def test_direction(metric: str, way: str) -> None:
    assert metrics.direction(metric) == way


def test_an_unknown_metric_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ConfigError) as caught:
        metrics.direction("acuracy", key="gate.metric")
    assert str(caught.value) == (
        "gate.metric is 'acuracy', but the metrics are r2, rmse, mae, median_absolute_error, mape, accuracy, "
        "balanced_accuracy, f1, precision, recall, roc_auc, log_loss. Did you mean 'accuracy'?"
    )
