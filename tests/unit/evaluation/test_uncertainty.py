"""The jackknife: against the formulas of statistics, and against redrawn samples."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mlrunner.evaluation import uncertainty
from mlrunner.evaluation.metrics import measure
from mlrunner.evaluation.predictions import Predictions
from mlrunner.evaluation.uncertainty import Replicates

RNG = np.random.default_rng(0)


def regression(rows: int, spread: float = 1.0, seed: int = 0) -> Predictions:
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=rows)
    return Predictions(truth, truth + spread * rng.normal(size=rows))


def error(predictions: Predictions, metric: str) -> float:
    found = uncertainty.jackknife(predictions, "regression", "rows")
    assert found is not None
    nothing = Replicates("other rows", 1.0, {metric: [0.0] * uncertainty.GROUPS})
    return uncertainty.standard_error_of_difference(nothing, found, metric)


def test_the_error_of_a_mean_is_that_of_the_formula() -> None:
    """The mean absolute error is a mean: its standard error is the deviation over the root of the rows."""
    found = [error(said := regression(2000, seed=seed), "mae") for seed in range(20)]
    residuals = np.abs(said.y_true - said.y_pred)
    assert np.mean(found) == pytest.approx(residuals.std() / math.sqrt(2000), rel=0.15)


def test_the_error_of_r2_is_that_of_redrawn_samples() -> None:
    redrawn = np.std([measure(regression(1000, 0.5, seed), "regression")["r2"] for seed in range(300)])
    found = np.mean([error(regression(1000, 0.5, seed), "r2") for seed in range(30)])
    assert found == pytest.approx(redrawn, rel=0.25)


def test_more_rows_than_are_looked_at_have_a_smaller_error() -> None:
    few, many = (np.mean([error(regression(rows, seed=seed), "mae") for seed in range(5)]) for rows in (5000, 20_000))
    assert many == pytest.approx(few / 2, rel=0.3)


def test_on_the_same_rows_the_error_of_the_difference_is_much_smaller() -> None:
    one = regression(2000)
    two = Predictions(one.y_true, one.y_pred + 0.05 * RNG.normal(size=2000))
    first, second = (uncertainty.jackknife(said, "regression", "rows") for said in (one, two))
    assert first is not None
    assert second is not None
    other = Replicates("other rows", second.scale, second.metrics)
    assert (
        uncertainty.standard_error_of_difference(first, second, "r2")
        < uncertainty.standard_error_of_difference(first, other, "r2") / 3
    )


def test_folds_are_compared_fold_by_fold() -> None:
    one = Replicates("rows", 1.0, {"r2": [0.5, 0.6, 0.7]}, is_folds=True)
    two = Replicates("rows", 1.0, {"r2": [0.51, 0.62, 0.73]}, is_folds=True)
    assert uncertainty.standard_error_of_difference(one, two, "r2") == pytest.approx(0.01 * math.sqrt(1 / 3 + 1 / 2))
    assert uncertainty.margin(one, two, "r2") == pytest.approx(4.30 * 0.01 * math.sqrt(1 / 3 + 1 / 2))


def fold_errors(features: np.ndarray, target: np.ndarray, folds: int) -> list[float]:
    """Cross-validate least squares by hand: the mean squared error of each fold."""
    number = np.arange(len(target)) % folds
    found = []
    for fold in range(folds):
        inside = number == fold
        weights = np.linalg.lstsq(features[~inside], target[~inside], rcond=None)[0]
        found.append(float(np.mean((target[inside] - features[inside] @ weights) ** 2)))
    return found


@pytest.mark.parametrize("folds", [3, 5])
def test_of_two_models_that_are_equally_good_few_are_called_better(folds: int) -> None:
    """Each sees its own half of the features, which tell equally much; two plain errors would call one in six."""
    called = 0
    for seed in range(400):
        rng = np.random.default_rng(seed)
        features = rng.normal(size=(60, 8))
        target = features.sum(axis=1) + rng.normal(size=60)
        scores = [fold_errors(half, target, folds) for half in (features[:, :4], features[:, 4:])]
        one, two = (Replicates("rows", 1.0, {"mse": each}, is_folds=True) for each in scores)
        called += abs(np.mean(scores[1]) - np.mean(scores[0])) > uncertainty.margin(one, two, "mse")
    assert called / 400 < 0.08


@pytest.mark.parametrize("metric", ["r2", "nothing"])
def test_nothing_is_known_of_one_value(metric: str) -> None:
    one = Replicates("rows", 1.0, {"r2": [0.5]})
    assert math.isnan(uncertainty.standard_error_of_difference(one, one, metric))
    assert math.isnan(uncertainty.margin(one, replace(one, is_folds=True), metric))


@pytest.mark.parametrize("clusters", [None, np.arange(39)])
def test_few_rows_tell_nothing(clusters: Any) -> None:
    assert uncertainty.jackknife(regression(39), "regression", "rows", clusters) is None


def test_few_clusters_tell_nothing() -> None:
    assert uncertainty.jackknife(regression(400), "regression", "rows", np.arange(400) % 39) is None


@pytest.mark.parametrize("orders", [500, 3000], ids=["all-looked-at", "a-part-looked-at"])
def test_rows_that_belong_together_are_no_surer_than_one_of_them(orders: int) -> None:
    """Four equal rows an order tell what one does; dealt one by one they would claim half the error."""
    found = []
    for seed in range(10):
        one = regression(orders, seed=seed)
        four = Predictions(np.repeat(one.y_true, 4), np.repeat(one.y_pred, 4))
        drawn = uncertainty.jackknife(four, "regression", "rows", np.repeat([f"order {n}" for n in range(orders)], 4))
        assert drawn is not None
        found.append(uncertainty._error(drawn.metrics["mae"], drawn))
    assert np.mean(found) == pytest.approx(np.abs(one.y_true - one.y_pred).std() / math.sqrt(orders), rel=0.15)


def test_of_few_clusters_of_many_rows_each_is_looked_at() -> None:
    drawn = uncertainty.jackknife(regression(20_000), "regression", "rows", np.arange(20_000) % 45)
    assert drawn is not None
    assert drawn.scale == 1
    assert len({*drawn.metrics["mae"]}) == uncertainty.GROUPS


def test_rows_dealt_otherwise_are_not_compared_group_by_group() -> None:
    said = regression(400)
    dealt = (None, np.arange(400) // 2, np.arange(400) % 200)
    one, two, three = (uncertainty.jackknife(said, "regression", "rows", each) for each in dealt)
    assert one is not None
    assert two is not None
    assert three is not None
    assert uncertainty.standard_error_of_difference(two, three, "mae") > 0
    assert uncertainty.standard_error_of_difference(two, two, "mae") == 0
    assert uncertainty.standard_error_of_difference(one, two, "mae") > 0


def test_classes_and_probabilities_are_measured_as_well() -> None:
    truth = RNG.integers(0, 3, 300)
    proba = RNG.dirichlet([1, 1, 1], 300)
    found = uncertainty.jackknife(Predictions(truth, proba.argmax(1), proba, np.arange(3)), "classification", "rows")
    assert found is not None
    assert {"accuracy", "roc_auc", "log_loss"} <= found.metrics.keys()
    assert {len(values) for values in found.metrics.values()} == {uncertainty.GROUPS}


def test_what_is_written_is_read_again() -> None:
    found = Replicates("rows", 0.5, {"r2": [1.0, math.nan]}, is_folds=True)
    again = uncertainty.parse_replicates(json.loads(json.dumps(found.to_json())))
    assert (again.rows, again.scale, again.is_folds) == ("rows", 0.5, True)
    assert again.metrics["r2"][0] == 1.0
    assert math.isnan(again.metrics["r2"][1])
