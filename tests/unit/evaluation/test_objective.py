"""An objective is a finite number, or the run is refused with what to choose instead."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mlrunner.core.column_roles import Roles
from mlrunner.core.errors import DataError
from mlrunner.core.folds import mark_partition
from mlrunner.evaluation.objective import find_objective_error, refuse_undefined
from mlrunner.evaluation.predictions import Predictions
from mlrunner.evaluation.scoring import Evaluation
from mlrunner.evaluation.split_data import SplitData
from mlrunner.evaluation.uncertainty import Replicates

INF, NAN = math.inf, math.nan


@pytest.mark.parametrize(
    ("metric", "averages", "error"),
    [
        ("r2", {"r2": 0.0}, None),
        ("r2", {"r2": -INF}, "r2 is -inf"),
        ("f1", {}, "the model gives no f1; it gives "),
        ("roc_auc", {"f1": 1.0, "cv/f1": 1.0, "cv/f1_std": 0.0}, "the model gives no roc_auc; it gives f1"),
    ],
    ids=["number", "infinite", "nothing", "names"],
)
def test_an_objective_must_be_a_finite_number(metric: str, averages: dict[str, float], error: str | None) -> None:
    assert find_objective_error(metric, averages) == error


def evaluation_of(scores: dict[str, float], folds: list[float] | None = None, metric: str = "roc_auc") -> Evaluation:
    replicates = None if folds is None else Replicates("", 1.0, {metric: folds}, 0.25)
    return Evaluation(scores, Predictions(np.empty(0), np.empty(0)), {}, replicates)


def rows_with(positives: int, folds: int = 0, group: str | None = None) -> SplitData:
    """Return 30 training rows and 5 test rows; the last of the positives is in the test."""
    target = [1] * (positives - 1) + [0] * (31 - positives)
    train = pd.DataFrame({"x": range(30), "y": target})
    test = pd.DataFrame({"x": range(5), "y": [1, 0, 0, 0, 0]})
    marks = mark_partition(np.arange(30) % folds) if folds else train.iloc[:0]
    return SplitData(train, train.head(0), test, marks, Roles("y", group=group))


def test_a_metric_that_is_a_number_is_accepted() -> None:
    refuse_undefined("roc_auc", evaluation_of({"roc_auc": 0.5}), rows_with(4))


def test_seconds_are_not_asked_for() -> None:
    refuse_undefined("fit_seconds", evaluation_of({"r2": 0.5}), rows_with(4))


def test_the_sentence_says_how_many_folds_and_which_split() -> None:
    folds = evaluation_of({"roc_auc": NAN}, [0.5, NAN, 0.7, NAN, 1.0])
    with pytest.raises(DataError) as refused:
        refuse_undefined("roc_auc", folds, rows_with(4, folds=5))
    assert str(refused.value) == (
        "objective.metric=roc_auc is undefined for 2 of 5 folds, which hold one class only; "
        "set split=stratified_kfold split.folds=3, or objective.metric=log_loss."
    )


# Members of the rarest class, folds, group column; what is to be set. One member goes to the test.
ADVICE = [
    ("roc_auc", 20, 5, None, "set split=stratified_kfold split.folds=5, or objective.metric=log_loss."),
    ("roc_auc", 3, 5, None, "set split=stratified_kfold split.folds=2, or objective.metric=log_loss."),
    ("roc_auc", 2, 5, None, "set objective.metric=log_loss."),
    ("roc_auc", 4, 5, "x", "set objective.metric=log_loss."),
    ("roc_auc", 3, 0, None, "set split=stratified, or objective.metric=log_loss."),
    ("roc_auc", 2, 0, None, "set objective.metric=log_loss."),
    ("mape", 4, 0, None, "whose target contains 0; set objective.metric=mae."),
    ("r2", 4, 0, None, "for the validation rows, whose target is constant; set objective.metric=mae."),
]


@pytest.mark.parametrize(("metric", "positives", "folds", "group", "advice"), ADVICE)
def test_the_advice_is_possible(metric: str, positives: int, folds: int, group: str | None, advice: str) -> None:
    evaluation = evaluation_of({metric: NAN}, [NAN] * folds if folds else None)
    with pytest.raises(DataError) as refused:
        refuse_undefined(metric, evaluation, rows_with(positives, folds, group))
    assert str(refused.value).endswith(advice)


def test_folds_by_time_deal_out_no_classes() -> None:
    data = replace(rows_with(4, folds=5), folds=mark_partition(np.arange(30) % 5).iloc[:, 1:])
    with pytest.raises(DataError, match=r"hold one class only; set objective.metric=log_loss\.$"):
        refuse_undefined("roc_auc", evaluation_of({"roc_auc": NAN}, [NAN] * 4), data)


def test_a_model_without_the_metric_is_refused() -> None:
    with pytest.raises(DataError, match=r"objective.metric is roc_auc, but the model gives no roc_auc; it gives f1\."):
        refuse_undefined("roc_auc", evaluation_of({"f1": 0.5, "test/f1": 0.5}), rows_with(4))
