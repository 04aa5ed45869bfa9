"""The trivial model, and warnings about scores."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from mlrunner.evaluation.advice.scores import score_trivial, warn_of_gap, warn_of_scores, warn_of_trivial
from mlrunner.evaluation.predictions import Predictions
from mlrunner.evaluation.scoring import Evaluation, ScoredPart


def numbers(true: list[float], predicted: list[float]) -> Predictions:
    return Predictions(np.array(true), np.array(predicted))


def labels(true: str, predicted: str, proba: bool = False) -> Predictions:
    shares = np.full((len(true), 2), 0.5) if proba else None
    return Predictions(
        np.array(list(true), dtype=object), np.array(list(predicted), dtype=object), shares, np.array(["a", "b"])
    )


def test_the_trivial_regressor_predicts_the_mean_of_the_training_rows() -> None:
    # Mean 2 of the training rows, for 0 and 6: errors 2 and 4; their mean is 3, variance of the target 9.
    scores = score_trivial(pd.Series([1.0, 3.0]), numbers([0, 6], [0, 6]), "regression")
    assert scores["mae"] == 3
    assert scores["r2"] == pytest.approx(1 - 10 / 9)


def test_the_trivial_classifier_predicts_the_most_frequent_class_and_the_shares() -> None:
    scores = score_trivial(pd.Series(list("aaab")), labels("aabb", "abab", proba=True), "classification")
    assert scores["accuracy"] == 0.5
    assert scores["roc_auc"] == 0.5
    assert scores["log_loss"] == pytest.approx(-(math.log(0.75) + math.log(0.25)) / 2)
    assert "log_loss" not in score_trivial(pd.Series(list("aaab")), labels("aabb", "abab"), "classification")


@pytest.mark.parametrize(
    ("metric", "own", "other", "text"),
    [
        ("r2", -0.49, -0.01, "r2 -0.49 is worse than the mean of the training rows (-0.01)."),
        ("rmse", 3.0, 2.0, "rmse 3 is worse than the mean of the training rows (2)."),
        ("r2", 0.5, 0.5, "r2 0.5 is the same as the mean of the training rows (0.5)."),
        ("r2", 0.5, -0.01, None),
        ("rmse", 1.0, 2.0, None),
        ("r2", float("nan"), 0.0, None),
    ],
)
def test_a_model_that_is_not_better_is_told(metric: str, own: float, other: float, text: str | None) -> None:
    notices = list(warn_of_trivial({metric: own}, {metric: other}, metric, "regression", metric == "r2"))
    assert [notice.text for notice in notices] == ([] if text is None else [text])


def test_a_gap_is_told_when_it_is_more_than_chance() -> None:
    # 200 labels each, errors 0.1 and 0.3: the difference is 5.1 standard errors.
    good, bad = labels("a" * 200, "b" * 20 + "a" * 180), labels("a" * 200, "b" * 60 + "a" * 140)
    (notice,) = warn_of_gap(good, bad, "classification")
    assert (
        notice.text
        == "the share of wrong labels is 0.1 in validation and 0.3 in test rows, more than chance: the rows differ."
    )
    few = labels("a" * 20, "b" * 2 + "a" * 18), labels("a" * 20, "b" * 6 + "a" * 14)  # 1.6 standard errors
    assert list(warn_of_gap(*few, "classification")) == []


def test_a_gap_of_a_regression_compares_mean_absolute_errors() -> None:
    first, second = numbers([0.0] * 50, [1.0, 1.2] * 25), numbers([0.0] * 50, [2.0, 2.2] * 25)
    (notice,) = warn_of_gap(first, second, "regression")
    assert "mean absolute error is 1.1 in validation and 2.1 in test rows" in notice.text
    near = numbers([0.0] * 50, [1.1, 1.3] * 25)  # 5 standard errors, but only 9 % more
    assert list(warn_of_gap(first, near, "regression")) == []


def test_scores_of_the_objective_and_of_both_parts_are_looked_at() -> None:
    good, bad = numbers([0.0, 1.0] * 25, [0.9, 0.1] * 25), numbers([0.0, 1.0] * 25, [9.0, -8.2] * 25)
    parts = {"validation": ScoredPart(good, "", None), "test": ScoredPart(bad, "", None)}
    notices = warn_of_scores(Evaluation({}, good, parts), {"r2": 0.0}, "r2", "regression")
    assert [notice.name for notice in notices] == ["no_better_than_trivial", "validation_differs_from_test"]
