"""Tuned thresholds, against the best ones that are found by hand."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from mlrunner.core.errors import DataError
from mlrunner.core.score_settings import CustomMetric, ScoreSettings
from mlrunner.evaluation import thresholds
from mlrunner.evaluation.predictions import Predictions
from tests.support.predictions import labelled

HAMMING = CustomMetric(target="sklearn.metrics.hamming_loss", direction="minimize", task="classification")
F2 = CustomMetric(
    target="sklearn.metrics.fbeta_score", direction="maximize", task="classification", arguments={"beta": 2}
)
CUSTOM = {"f2": F2, "cost": HAMMING, "proba": HAMMING.model_copy(update={"needs_proba": True})}
LABELS, PROBA = [*"nnynyy"], [0.1, 0.2, 0.3, 0.4, 0.6, 0.7]


def predict(labels: list[str], proba: list[float], weight: Any = None, positive: Any = None) -> Predictions:
    """Make predictions of n and y from the probabilities of y."""
    made = labelled(labels, labels, [[1 - each, each] for each in proba], "ny")
    scoring = ScoreSettings(positive=positive, custom=CUSTOM)
    return Predictions(made.y_true, made.y_pred, made.y_proba, made.classes, scoring=scoring, weight=weight)


# y is predicted from the threshold on; at 0.25 there are 3 hits, 1 false alarm and 0 misses; at 0.5 they are 2, 0, 1;
# at 0.35 2, 1, 1, at 0.15 3, 2, 0, at 0.65 1, 0, 2.
@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("f1", 0.25),  # 6/7; 4/5 at 0.5
        ("accuracy", 0.5),  # 5/6, as at 0.25, which is farther from 0.5
        ("balanced_accuracy", 0.5),  # 5/6, likewise
        ("recall", 0.25),  # 1, as for all lower ones
        ("precision", 0.5),  # 1, as at 0.65
        ("f2", 0.25),  # 15/16; 10/14 at 0.5
        ("cost", 0.5),  # 1/6 of the rows are wrong, as at 0.25
    ],
)
def test_the_best_threshold_lies_between_two_probabilities(metric: str, expected: float) -> None:
    assert thresholds.find_threshold([predict(LABELS, PROBA)], metric) == expected


def test_the_positive_class_may_be_the_first() -> None:
    """Of n: at 0.5 there are 3 hits and 1 false alarm (6/7); at 0.35 3 and 2 (6/8), at 0.75 2 and 0 (4/5)."""
    fit = predict(LABELS, PROBA, positive="n")
    assert thresholds.find_threshold([fit], "f1") == pytest.approx(0.5)
    assert fit.classify(0.65).y_pred.tolist() == [*"nnnyyy"]  # 1 - 0.3 is above 0.65


def test_weights_of_rows_count() -> None:
    """The second y weighs 1/10: at 0.5 f1 is 2*2/(2*2 + 0.1), at 0.25 it is 2*2.1/(2*2.1 + 1)."""
    fit = predict(LABELS, PROBA, np.array([1, 1, 0.1, 1, 1, 1]))
    assert thresholds.find_threshold([fit], "f1") == 0.5


def test_the_mean_over_folds_decides() -> None:
    """Accuracy of the first fold is 5/6 at 0.24 and at 0.5, of the second 1 and 1/2."""
    folds = [predict(LABELS, PROBA), predict(["n", "y"], [0.1, 0.28])]
    assert thresholds.find_threshold(folds, "accuracy") == pytest.approx(0.24)
    one_class = labelled([*"nn"], [*"nn"], [[1.0], [1.0]], "n")  # a fold that is trained on one class
    assert thresholds.find_threshold([*folds, one_class], "accuracy") == pytest.approx(0.24)


def test_a_probability_of_zero_can_be_positive() -> None:
    assert thresholds.find_threshold([predict([*"yny"], [0.0, 0.2, 0.6])], "recall") == 0.0


def test_no_threshold_is_better_and_none_lies_on_a_probability() -> None:
    random = np.random.default_rng(0)
    labels, proba = [*"ny" * 12], random.beta(2, 3, 24)
    fit = predict(labels, proba.tolist())
    value = thresholds.find_threshold([fit], "balanced_accuracy")
    best, *others = (
        balanced_accuracy_score(labels, fit.classify(each).y_pred) for each in (value, *(np.unique(proba) + 1e-12))
    )
    assert best == pytest.approx(max(others), abs=1e-12)
    assert np.abs(proba - value).min() > 1e-9


CALLS: list[int] = []


def count_misses(y_true: Any, y_pred: Any) -> int:
    CALLS.append(len(y_true))
    return int((y_true > y_pred).sum())


def test_a_function_is_called_for_some_of_many_thresholds() -> None:
    misses = CustomMetric(target=f"{__name__}.count_misses", direction="minimize", task="classification")
    fit = replace(
        predict([*"ny" * 500], np.linspace(0.1, 0.9, 1000).tolist()), scoring=ScoreSettings(custom={"m": misses})
    )
    value = thresholds.find_threshold([fit], "m")
    assert (len(CALLS), value < 0.101) == (200, True)  # the first y has 0.1008


def undefined(y_true: Any, y_pred: Any) -> float:
    del y_true, y_pred
    return float("nan")


def test_a_metric_without_values_leads_to_one_that_has_some() -> None:
    metric = CustomMetric(target=f"{__name__}.undefined", direction="minimize", task="classification")
    fit = replace(predict(LABELS, PROBA), scoring=ScoreSettings(custom={"m": metric}))
    with pytest.raises(DataError, match=r"m is undefined for every threshold; set model.threshold_metric=f1\."):
        thresholds.find_threshold([fit], "m")
    assert thresholds.find_threshold([fit], "f1") == 0.25


@pytest.mark.parametrize("labels", ["nnnnnn", "yyyyyy"])
def test_one_class_has_no_threshold(labels: str) -> None:
    with pytest.raises(DataError, match=r"needs held-out rows of both classes; choose split=stratified"):
        thresholds.find_threshold([predict([*labels], PROBA)], "f1")


@pytest.mark.parametrize(
    ("chosen", "objective", "expected"),
    [
        (None, "f1", 0.25),
        (None, "f2", 0.25),
        (None, "accuracy", 0.5),
        ("f1", "accuracy", 0.25),
        ("recall", "accuracy", 0.25),
        (None, "roc_auc", 0.5),  # by balanced accuracy, since no threshold changes it
        (None, "proba", 0.5),
        (None, "recall", 0.5),  # alone, it is best when all rows are positive
    ],
)
def test_the_objective_decides_where_it_depends_on_the_threshold(
    chosen: str | None, objective: str, expected: float
) -> None:
    model = SimpleNamespace(threshold="tuned", threshold_metric=chosen)
    assert thresholds.is_tuned(model)
    assert thresholds.tune(model, [predict(LABELS, PROBA)], objective) == expected


def test_a_number_is_not_tuned() -> None:
    assert not thresholds.is_tuned(SimpleNamespace(threshold=0.5))
