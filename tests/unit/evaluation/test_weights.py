"""Weights of rows and of classes."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mlrunner.core.column_roles import Roles
from mlrunner.core.folds import mark_partition
from mlrunner.evaluation.cross_validation import cross_validate
from mlrunner.evaluation.weights import name_weight, select_weight, weigh_rows

BALANCED = SimpleNamespace(class_weight="balanced")


def test_balanced_classes_have_the_same_total_weight() -> None:
    target = pd.Series([*"aaab"])
    # 4 rows / (2 classes * 3 rows) and 4 / (2 * 1)
    assert weigh_rows(BALANCED, target, None) == pytest.approx([2 / 3, 2 / 3, 2 / 3, 2])
    assert weigh_rows(BALANCED, target, np.array([3.0, 0, 3, 0.5])) == pytest.approx([2, 0, 2, 1])
    assert weigh_rows(object(), target, None) is None


def test_weights_are_those_of_the_column() -> None:
    table = pd.DataFrame({"y": [1, 2], "w": [3, 4]})
    assert select_weight(table, Roles("y", weight="w")) == pytest.approx([3.0, 4.0])
    assert select_weight(table, Roles("y")) is None


def test_the_last_step_of_a_pipeline_receives_the_weights() -> None:
    weight = np.array([1.0])
    pipeline = make_pipeline(StandardScaler(), LinearRegression())
    assert name_weight(pipeline, weight) == {"linearregression__sample_weight": weight}
    assert name_weight(LinearRegression(), weight) == {"sample_weight": weight}
    assert name_weight(LinearRegression(), None) == {}


def test_folds_are_fitted_and_scored_with_their_weights() -> None:
    features, target = pd.DataFrame({"x": [0.0, 0, 0, 0]}), pd.Series([0.0, 4, 0, 8])
    weight, folds = np.array([3.0, 1, 1, 3]), mark_partition([0, 0, 1, 1])
    validated = cross_validate(LinearRegression, features, target, folds, "regression", weight=weight)
    # fold 0 predicts the weighted mean of 0 and 8, 6, for 0 (weight 3) and 4 (weight 1); fold 1 predicts 1 for 0 and 8
    assert [scores["mae"] for scores in validated.scores] == pytest.approx([(3 * 6 + 2) / 4, (1 + 3 * 7) / 4])
    assert validated.predictions.weight == pytest.approx(weight)
