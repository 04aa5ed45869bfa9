"""The scores of folds against scikit-learn's, and what is predicted for held-out rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import cross_val_score

from mlrunner.evaluation.cross_validation import CrossValidation, cross_validate
from mlrunner.evaluation.metrics import metric_names
from tests.support.samples import table

NAN = float("nan")


def numbers(rows: int) -> tuple[pd.DataFrame, pd.Series[Any]]:
    features, target = table(rows)
    return features[["strong", "none"]], target


def test_cross_validation_agrees_with_sklearn() -> None:
    features, target = numbers(90)
    number = pd.Series(np.arange(90) % 3, index=features.index)
    found = cross_validate(LinearRegression, features, target, number, "regression")
    splits = [(np.flatnonzero(number != k), np.flatnonzero(number == k)) for k in range(3)]
    expected = cross_val_score(LinearRegression(), features, target, cv=splits, scoring="r2")
    assert [fold["r2"] for fold in found.scores] == pytest.approx(expected.tolist())
    assert found.mean["r2"] == pytest.approx(expected.mean())
    assert found.std["r2"] == pytest.approx(expected.std())
    assert len(found.predictions.y_true) == 90


def test_folds_are_matched_by_index_not_by_place() -> None:
    features, target = numbers(30)
    number = pd.Series(np.arange(30) // 10, index=features.index)
    straight = cross_validate(LinearRegression, features, target, number, "regression")
    turned = cross_validate(LinearRegression, features, target, number[::-1], "regression")
    assert straight.mean == turned.mean


def test_a_class_that_a_fold_never_saw_has_no_probability_there() -> None:
    features = pd.DataFrame({"x": [0.0, 1, 0, 1, 2]})
    target, folds = pd.Series([*"ababc"]), pd.Series([0, 0, 1, 1, 1])
    found = cross_validate(DummyClassifier, features, target, folds, "classification")
    joined = found.predictions
    assert joined.classes is not None
    assert joined.y_proba is not None
    assert joined.classes.tolist() == ["a", "b", "c"]
    assert joined.y_proba[2:].tolist() == [[0.5, 0.5, 0]] * 3
    assert set(found.mean) == set(metric_names("classification"))


def test_a_fold_without_a_number_leaves_none_in_the_mean() -> None:
    folds = [{"r2": NAN, "rmse": 1.0}, {"r2": 0.5, "rmse": 3.0}]
    found = CrossValidation(folds, [])
    assert found.mean == pytest.approx({"r2": NAN, "rmse": 2.0}, nan_ok=True)
    assert found.std == pytest.approx({"r2": NAN, "rmse": 1.0}, nan_ok=True)
