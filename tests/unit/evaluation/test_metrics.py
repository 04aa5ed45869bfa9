"""Every metric against a value computed by hand or by scikit-learn, and where it is undefined."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as reference
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.preprocessing import label_binarize

from mlrunner.core.errors import ConfigError
from mlrunner.core.metric_names import LABELS
from mlrunner.core.score_settings import ScoreSettings
from mlrunner.evaluation import metrics
from mlrunner.evaluation.metrics import measure
from mlrunner.evaluation.predictions import Predictions
from mlrunner.evaluation.probabilities import log_loss
from tests.support.predictions import grades, labelled, score, table

NAN = float("nan")


# --- computed by hand ------------------------------------------------------------------------------------------------

REGRESSION_BY_HAND = {
    "r2": 1 - (1 + 0 + 4 + 1) / (2.25 + 0.25 + 0.25 + 2.25),  # mean of 1 2 3 4 is 2.5
    "rmse": math.sqrt(6 / 4),
    "mae": (1 + 0 + 2 + 1) / 4,
    "median_absolute_error": 1.0,
    "mape": (1 / 1 + 0 / 2 + 2 / 3 + 1 / 4) / 4,
    "rmsle": math.sqrt((math.log(3 / 2) ** 2 + math.log(6 / 4) ** 2 + math.log(5 / 4) ** 2) / 4),
}
# a: 2 rows, predicted a a; b: 3 rows, predicted a b c; c: 1 row, predicted c
LABELS_BY_HAND = {
    "accuracy": 4 / 6,
    "balanced_accuracy": (1 + 1 / 3 + 1) / 3,
    "precision_macro": (2 / 3 + 1 / 1 + 1 / 2) / 3,
    "recall_macro": (1 + 1 / 3 + 1) / 3,
    "f1_macro": (2 * 2 / 5 + 2 * 1 / 4 + 2 * 1 / 3) / 3,
    # 4 hits of 6; actual 2 3 1, predicted 3 1 2: (4*6 - (6+3+2)) / sqrt((36 - 14) * (36 - 14))
    "mcc": 13 / 22,
}
# y: 3 rows, predicted y y n; n: 5 rows, predicted y n n n n
BINARY = [*"yyynnnnn"], [*"yynynnnn"]
BINARY_BY_HAND = {
    "y": {"precision": 2 / 3, "recall": 2 / 3, "f1": 2 / 3},
    "n": {"precision": 4 / 5, "recall": 4 / 5, "f1": 4 / 5},
}
MACRO_BY_HAND = {f"{name}_macro": (2 / 3 + 4 / 5) / 2 for name in ("f1", "precision", "recall")}


def test_regression_metrics_equal_those_computed_by_hand() -> None:
    scores = measure(Predictions(np.array([1, 2, 3, 4]), np.array([2, 2, 5, 3])), "regression")
    assert scores == pytest.approx(REGRESSION_BY_HAND)


def test_label_metrics_equal_those_computed_by_hand() -> None:
    scores = measure(labelled([*"aabbbc"], [*"aaabcc"], classes="abc"), "classification")
    assert scores == pytest.approx(LABELS_BY_HAND)


@pytest.mark.parametrize(("positive", "chosen"), [(None, "y"), ("y", "y"), ("n", "n")])
def test_of_two_classes_f1_precision_and_recall_are_those_of_the_positive_class(
    positive: str | None, chosen: str
) -> None:
    predictions = replace(labelled(*BINARY, classes="ny"), scoring=ScoreSettings(positive=positive))
    scores, expected = measure(predictions, "classification"), BINARY_BY_HAND[chosen] | MACRO_BY_HAND
    assert {name: scores[name] for name in expected} == pytest.approx(expected)
    assert scores["mcc"] == pytest.approx((2 * 4 - 1 * 1) / 15)  # sqrt(3 * 3 * 5 * 5)


def test_weights_count_a_row_as_often_as_they_say() -> None:
    weight = np.array([1, 2, 3, 0])
    y_true, y_pred = np.array([1.0, 2, 4, 9]), np.array([2.0, 2, 1, 0])
    weighted = measure(Predictions(y_true, y_pred, weight=weight), "regression")
    assert weighted == pytest.approx(measure(Predictions(y_true.repeat(weight), y_pred.repeat(weight)), "regression"))
    assert weighted["mae"] == pytest.approx((1 * 1 + 2 * 0 + 3 * 3) / 6)
    assert weighted["median_absolute_error"] == 1.5 + 0.5  # errors 0 0 1 3 3 3: between 1 and 3
    proba = [[0.9, 0.1], [0.6, 0.4], [0.4, 0.6], [0.3, 0.7]]
    labels = labelled([*"abab"], [*"aabb"], proba)
    repeated = labels.select(np.arange(4).repeat(weight))
    assert measure(replace(labels, weight=weight), "classification") == pytest.approx(
        measure(repeated, "classification")
    )


def test_binary_roc_auc_is_the_share_of_pairs_with_the_second_class_above() -> None:
    proba = [[0.9, 0.1], [0.6, 0.4], [0.65, 0.35], [0.2, 0.8], [0.6, 0.4]]
    scores = measure(labelled([*"aabbb"], [*"aaaba"], proba), "classification")
    # b (.35 .8 .4) over a (.1 .4): .35>.1, .8>both, .4>.1 and .4=.4 counts half: 4.5 of 6 pairs
    assert scores["roc_auc"] == pytest.approx(4.5 / 6)


def test_log_loss_is_the_mean_logarithm() -> None:
    scores = measure(labelled([*"ab"], [*"aa"], [[0.8, 0.2], [0.5, 0.5]]), "classification")
    assert scores["log_loss"] == pytest.approx(-(math.log(0.8) + math.log(0.5)) / 2)


def test_multiclass_roc_auc_is_the_one_vs_rest_mean() -> None:
    proba = [[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.3, 0.3, 0.4], [0.5, 0.2, 0.3]]
    scores = measure(labelled([*"abca"], [*"abca"], proba, "abc"), "classification")
    assert scores["roc_auc"] == pytest.approx((1 + 1 + (2 + 0.5) / 3 + 0.5 / 3) / 3)


# --- as scikit-learn ----------------------------------------------------------------------------------------


def score_with_sklearn(y: Any, y_pred: Any, proba: Any, classes: Any) -> dict[str, float]:
    binary = len(classes) == 2
    ranks = {} if binary else {"multi_class": "ovr", "labels": classes}
    return {
        "accuracy": reference.accuracy_score(y, y_pred),
        "balanced_accuracy": reference.balanced_accuracy_score(y, y_pred),
        "f1_macro": reference.f1_score(y, y_pred, average="macro"),
        "precision_macro": reference.precision_score(y, y_pred, average="macro", zero_division=0),
        "recall_macro": reference.recall_score(y, y_pred, average="macro"),
        "mcc": reference.matthews_corrcoef(y, y_pred),
        "roc_auc": reference.roc_auc_score(y, proba[:, 1] if binary else proba, **ranks),
        "average_precision": reference.average_precision_score(
            y if binary else label_binarize(y, classes=classes),
            proba[:, 1] if binary else proba,
            **({"pos_label": classes[1]} if binary else {}),
        ),
        "log_loss": reference.log_loss(y, proba, labels=classes),
        "brier": reference.brier_score_loss(y, proba, labels=classes),
        **(score_positive_class(y, y_pred, classes[1]) if binary else {}),
    }


def score_positive_class(y: Any, y_pred: Any, positive: Any) -> dict[str, float]:
    functions = {"f1": reference.f1_score, "precision": reference.precision_score, "recall": reference.recall_score}
    return {name: function(y, y_pred, pos_label=positive) for name, function in functions.items()}


@pytest.mark.parametrize("classes", ["ny", "abc", "abcdefghij"], ids=["2", "3", "10"])
def test_classification_agrees_with_sklearn(classes: str) -> None:
    features, target = grades(600, classes)
    fitted = LogisticRegression().fit(features[:300], target[:300])
    scores = score(fitted, features[300:], target[300:], "classification")
    y_pred, proba = fitted.predict(features[300:]), fitted.predict_proba(features[300:])
    assert scores == pytest.approx(score_with_sklearn(target[300:], y_pred, proba, fitted.classes_))


def test_float32_probabilities_are_clipped_as_sklearn_clips_them() -> None:
    proba = np.array([[1, 0], [0, 1]], np.float32)
    scores = log_loss(Predictions(np.array(["b", "b"]), np.array(["a", "b"]), proba, np.array(["a", "b"])))
    assert scores == pytest.approx(reference.log_loss(["b", "b"], proba, labels=["a", "b"]), rel=1e-5)


def test_regression_agrees_with_sklearn() -> None:
    features, target = table(400)
    fitted = LinearRegression().fit(features, target)
    scores, y_pred = score(fitted, features, target, "regression"), fitted.predict(features)
    assert scores == pytest.approx(
        {
            "r2": reference.r2_score(target, y_pred),
            "rmse": reference.root_mean_squared_error(target, y_pred),
            "mae": reference.mean_absolute_error(target, y_pred),
            "median_absolute_error": reference.median_absolute_error(target, y_pred),
            "mape": reference.mean_absolute_percentage_error(target, y_pred),
            "rmsle": reference.root_mean_squared_log_error(target, y_pred),
        }
    )


# --- undefined ----------------------------------------------------------------------------------------------

UNDEFINED: dict[str, tuple[Predictions, Any, dict[str, float]]] = {
    "constant target": (Predictions(np.full(3, 0.1), np.full(3, 0.2)), "regression", {"r2": NAN, "mae": 0.1}),
    "one row": (Predictions(np.array([3.0]), np.array([2.0])), "regression", {"r2": NAN, "rmse": 1.0}),
    "a zero": (Predictions(np.array([0.0, 1]), np.array([1.0, 1])), "regression", {"mape": NAN, "mae": 0.5}),
    "infinite": (Predictions(np.array([1.0, 2]), np.array([np.inf, 2])), "regression", {"rmse": math.inf}),
    "at or below -1": (Predictions(np.array([-1.0, 2]), np.array([1.0, 2])), "regression", {"rmsle": NAN, "mae": 1.0}),
    "NaN predicted": (Predictions(np.array([1.0, 2]), np.array([NAN, 2])), "regression", {"r2": NAN}),
    "one class": (
        labelled([*"bb"], [*"bb"], [[0.5, 0.5], [0.5, 0.5]]),
        "classification",
        {"roc_auc": NAN, "accuracy": 1.0, "f1": 1.0, "mcc": 0.0, "log_loss": math.log(2), "brier": 0.25},
    ),
    "one class of three": (
        labelled([*"bb"], [*"ba"], [[0.2, 0.5, 0.3], [0.5, 0.5, 0.0]], "abc"),
        "classification",
        {"roc_auc": NAN, "balanced_accuracy": 0.5, "precision_macro": 0.5, "recall_macro": 0.25, "f1_macro": 1 / 3},
    ),
    "a single class": (
        labelled([*"aa"], [*"aa"], [[1.0], [1.0]], "a"),
        "classification",
        {"roc_auc": NAN, "log_loss": 0.0, "accuracy": 1.0},
    ),
    "a class without rows": (
        labelled([*"abab"], [*"abab"], [[0.8, 0.1, 0.1], [0.1, 0.8, 0.1]] * 2, "abc"),
        "classification",
        {"roc_auc": 1.0, "f1_macro": 1.0, "recall_macro": 1.0, "mcc": 1.0},
    ),
    "a class unseen in training": (
        labelled([*"abz"], [*"abb"], [[0.8, 0.2], [0.3, 0.7], [0.4, 0.6]]),
        "classification",
        {
            "accuracy": 2 / 3,
            "balanced_accuracy": 2 / 3,
            "precision": 0.5,
            "precision_macro": (1 + 0.5 + 0) / 3,
            "brier": ((0.2**2 + 0.2**2) + (0.3**2 + 0.3**2) + (0.4**2 + 0.6**2 + 1)) / 3,
            "roc_auc": 1.0,
            "log_loss": -(math.log(0.8) + math.log(0.7) + math.log(np.finfo(float).eps)) / 3,
        },
    ),
}


@pytest.mark.parametrize("case", UNDEFINED)
def test_undefined_metrics_are_nan_without_a_warning(case: str) -> None:
    predictions, task, expected = UNDEFINED[case]
    scores = measure(predictions, task)
    assert {name: scores[name] for name in expected} == pytest.approx(expected, nan_ok=True)
    assert all(type(value) is float for value in scores.values())


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_all_metrics_of_zero_rows_are_nan(task: Any) -> None:
    features, target = table(0)
    scores = score(None, features, target, task)
    assert list(scores) == metrics.metric_names(task)
    assert all(math.isnan(value) for value in scores.values())


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
def test_labels_of_any_dtype_are_matched(kind: str) -> None:
    features, target = pd.DataFrame({"x": [0.0, 1, 1, 0]}), KINDS[kind]
    fitted = LogisticRegression().fit(features, np.asarray(target.tolist()))
    scores = score(fitted, features, target, "classification")
    assert scores["accuracy"] == scores["roc_auc"] == 1.0


def test_metrics_of_probabilities_are_absent_without_them() -> None:
    features, target = grades(60, "ny")
    scores = score(RidgeClassifier().fit(features, target), features, target, "classification")
    assert list(scores) == list(LABELS)


# --- names --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("metric", "direction"),
    [
        ("r2", "maximize"),
        ("accuracy", "maximize"),
        ("rmse", "minimize"),
        ("log_loss", "minimize"),
        ("validation/roc_auc", "maximize"),
    ],
)
def test_direction(metric: str, direction: str) -> None:
    assert metrics.direction(metric) == direction


def test_an_unknown_metric_is_rejected_with_the_nearest_name() -> None:
    with pytest.raises(ConfigError) as caught:
        metrics.direction("acuracy", key="gate.metric")
    assert str(caught.value) == (
        "gate.metric is 'acuracy', but the metrics are r2, rmse, mae, median_absolute_error, mape, rmsle, accuracy, "
        "balanced_accuracy, f1, precision, recall, f1_macro, precision_macro, recall_macro, mcc, roc_auc, "
        "average_precision, log_loss, brier. Did you mean 'accuracy'?"
    )
