"""Cross-validation against scikit-learn's, and its held-out predictions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import cross_val_score

from mlrunner.core.folds import mark_partition
from mlrunner.evaluation.cross_validation import CrossValidation, cross_validate
from mlrunner.evaluation.metrics import metric_names
from tests.support.samples import table

NAN = float("nan")


def numbers(rows: int) -> tuple[pd.DataFrame, pd.Series[Any]]:
    features, target = table(rows)
    return features[["strong", "none"]], target


def test_cross_validation_agrees_with_sklearn() -> None:
    features, target = numbers(90)
    number = np.arange(90) % 3
    validated = cross_validate(LinearRegression, features, target, mark_partition(number), "regression")
    splits = [(np.flatnonzero(number != k), np.flatnonzero(number == k)) for k in range(3)]
    expected = cross_val_score(LinearRegression(), features, target, cv=splits, scoring="r2")
    assert [fold["r2"] for fold in validated.scores] == pytest.approx(expected.tolist())
    assert validated.mean["r2"] == pytest.approx(expected.mean())
    assert validated.std["r2"] == pytest.approx(expected.std())
    assert len(validated.predictions.y_true) == 90


def test_a_class_unseen_by_a_fold_has_probability_zero_there() -> None:
    features = pd.DataFrame({"x": [0.0, 1, 0, 1, 2]})
    target, folds = pd.Series([*"ababc"]), mark_partition([0, 0, 1, 1, 1])
    validated = cross_validate(DummyClassifier, features, target, folds, "classification")
    predictions = validated.predictions
    assert predictions.classes is not None
    assert predictions.y_proba is not None
    assert predictions.classes.tolist() == ["a", "b", "c"]
    assert predictions.y_proba[2:].tolist() == [[0.5, 0.5, 0]] * 3
    assert set(validated.mean) == set(metric_names("classification"))  # f1 of two classes is NaN where a fold has three


def test_a_nan_in_one_fold_makes_the_mean_nan() -> None:
    folds = [{"r2": NAN, "rmse": 1.0}, {"r2": 0.5, "rmse": 3.0}]
    validated = CrossValidation(folds, [])
    assert validated.mean == pytest.approx({"r2": NAN, "rmse": 2.0}, nan_ok=True)
    assert validated.std == pytest.approx({"r2": NAN, "rmse": 1.0}, nan_ok=True)
