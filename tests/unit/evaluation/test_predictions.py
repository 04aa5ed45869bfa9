"""Predictions of fitted estimators."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from mlrunner.core.errors import ModelError
from mlrunner.evaluation.predictions import Predictions, predict, refuse_invalid
from tests.support.predictions import grades, labelled, table


def test_codes_number_training_classes_first_and_unseen_ones_after() -> None:
    labels, true, predicted = labelled([*"azb"], [*"aab"]).codes
    assert labels == ["a", "b", "z"]
    assert true.tolist() == [0, 2, 1]
    assert predicted.tolist() == [0, 0, 1]


class Counting(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Record the calls of its prediction methods."""

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
    ("kind", "calls", "label"),
    [(Counting, ["predict_proba", "predict"], "n"), (RandomForestClassifierLike, ["predict_proba"], "y")],
    ids=["other rule", "argmax"],
)
def test_predict_is_skipped_only_for_classifiers_known_to_take_the_argmax(kind: Any, calls: Any, label: str) -> None:
    features, target = grades(20, "ny")
    fitted = kind().fit(features, target)
    predictions = predict(fitted, features, target, "classification")
    assert fitted.calls_ == calls
    assert set(predictions.y_pred) == {label}


def test_the_steps_before_the_last_run_once() -> None:
    features, target = grades(40, "ny")
    scaler = CountingScaler()
    fitted = Pipeline([("features", scaler), ("estimator", LogisticRegression())]).fit(features, target)
    before = CountingScaler.calls
    predictions = predict(fitted, features, target, "classification")
    assert CountingScaler.calls == before + 1
    assert predictions.y_pred.tolist() == fitted.predict(features).tolist()
    assert predictions.target == "grade"


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
def test_the_argmax_equals_predict_of_the_library(name: str, classes: int) -> None:
    features, score = table(200)
    target = pd.qcut(score, classes, labels=False)
    fitted = library_classifiers()[name].fit(features.to_numpy(), target)
    predictions = predict(fitted, features.to_numpy(), target, "classification")  # type: ignore[arg-type]
    assert predictions.y_pred.tolist() == fitted.predict(features.to_numpy()).tolist()


def test_a_custom_threshold_is_respected() -> None:
    features, target = grades(60, "ny")
    fitted = FixedThresholdClassifier(DummyClassifier(), threshold=0.9).fit(features, target)
    assert set(predict(fitted, features, target, "classification").y_pred) == {"n"}


def test_rows_are_selected_with_their_probabilities() -> None:
    predictions = labelled([*"ab"], [*"bb"], [[0.4, 0.6], [0.3, 0.7]])
    selected = predictions.select(np.array([False, True]))
    assert (selected.y_true.tolist(), selected.y_pred.tolist()) == (["b"], ["b"])
    assert selected.y_proba is not None
    assert selected.y_proba.tolist() == [[0.3, 0.7]]
    assert Predictions(np.arange(3), np.arange(3)).select(np.array([2])).y_proba is None


def regression_of(values: list[float]) -> Predictions:
    return Predictions(np.zeros(len(values)), np.array(values))


def test_nan_predictions_are_counted_over_all_parts() -> None:
    parts = {"train": [0.0] * 6000 + [np.nan] * 12, "validation": [0.0] * 984 + [np.nan] * 4, "test": [0.0] * 1000}
    with pytest.raises(ModelError) as refused:
        refuse_invalid({name: regression_of(values) for name, values in parts.items()})
    assert str(refused.value) == (
        "The model predicts NaN in 16 of 8,000 rows (12 of train, 4 of validation); choose another model, or settings "
        "with which it does not diverge."
    )


def test_infinite_predictions_are_refused_as_well() -> None:
    with pytest.raises(ModelError, match=r"The model predicts NaN or infinity in 1 of 2 rows; choose"):
        refuse_invalid({"the scored rows": regression_of([1.0, np.inf])})


def test_a_nan_probability_counts_although_a_class_is_predicted() -> None:
    labels, proba = np.array(["a", "a", "b"]), np.array([[0.5, 0.5], [np.nan, 0.5], [np.nan, np.nan]])
    predictions = Predictions(labels, labels, proba, np.array(["a", "b"]))
    assert predictions.invalid.tolist() == [False, True, True]
    with pytest.raises(ModelError, match="predicts NaN in 2 of 3 rows"):
        refuse_invalid({"test": predictions})


def test_finite_predictions_and_no_rows_are_accepted() -> None:
    refuse_invalid({"train": regression_of([1.0]), "test": Predictions(np.empty(0), np.empty(0))})
