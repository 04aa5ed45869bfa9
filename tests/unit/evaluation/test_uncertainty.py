"""Standard errors against the formulas of statistics, and against repeated samples."""

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


def compute_error(predictions: Predictions, metric: str) -> float:
    replicates = uncertainty.jackknife(predictions, "regression", "rows")
    assert replicates is not None
    zero = Replicates("other rows", 1.0, {metric: [0.0] * uncertainty.GROUPS})
    return uncertainty.standard_error_of_difference(zero, replicates, metric)


def test_the_error_of_a_mean_equals_the_formula() -> None:
    """The standard error of a mean is the standard deviation divided by the root of the number of rows."""
    errors = [compute_error(predictions := regression(2000, seed=seed), "mae") for seed in range(20)]
    residuals = np.abs(predictions.y_true - predictions.y_pred)
    assert np.mean(errors) == pytest.approx(residuals.std() / math.sqrt(2000), rel=0.15)


def test_the_error_of_r2_equals_that_of_repeated_samples() -> None:
    repeated = np.std([measure(regression(1000, 0.5, seed), "regression")["r2"] for seed in range(300)])
    error = np.mean([compute_error(regression(1000, 0.5, seed), "r2") for seed in range(30)])
    assert error == pytest.approx(repeated, rel=0.25)


def test_the_error_of_a_sample_is_scaled_to_all_rows() -> None:
    few, many = (
        np.mean([compute_error(regression(rows, seed=seed), "mae") for seed in range(5)]) for rows in (5000, 20_000)
    )
    assert many == pytest.approx(few / 2, rel=0.3)


def test_the_error_of_a_difference_is_smaller_on_the_same_rows() -> None:
    predictions = regression(2000)
    changed = Predictions(predictions.y_true, predictions.y_pred + 0.05 * RNG.normal(size=2000))
    first, second = (uncertainty.jackknife(model, "regression", "rows") for model in (predictions, changed))
    assert first is not None
    assert second is not None
    other = Replicates("other rows", second.scale, second.metrics)
    assert (
        uncertainty.standard_error_of_difference(first, second, "r2")
        < uncertainty.standard_error_of_difference(first, other, "r2") / 3
    )


def test_folds_are_compared_fold_by_fold() -> None:
    first = Replicates("rows", 1.0, {"r2": [0.5, 0.6, 0.7]}, 1 / 2)
    second = Replicates("rows", 1.0, {"r2": [0.51, 0.62, 0.73]}, 1 / 2)
    assert uncertainty.standard_error_of_difference(first, second, "r2") == pytest.approx(
        0.01 * math.sqrt(1 / 3 + 1 / 2)
    )
    assert uncertainty.margin(first, second, "r2") == pytest.approx(4.30 * 0.01 * math.sqrt(1 / 3 + 1 / 2))


def fold_errors(features: np.ndarray, target: np.ndarray, folds: int) -> list[float]:
    """Cross-validate least squares by hand: the mean squared error of each fold."""
    number = np.arange(len(target)) % folds
    errors = []
    for fold in range(folds):
        is_held_out = number == fold
        weights = np.linalg.lstsq(features[~is_held_out], target[~is_held_out], rcond=None)[0]
        errors.append(float(np.mean((target[is_held_out] - features[is_held_out] @ weights) ** 2)))
    return errors


def test_equally_good_models_rarely_differ_by_more_than_the_margin() -> None:
    """Each uses half of the equally informative features; two plain standard errors would be exceeded in one of six."""
    exceeded = 0
    for seed in range(400):
        rng = np.random.default_rng(seed)
        features = rng.normal(size=(60, 8))
        target = features.sum(axis=1) + rng.normal(size=60)
        scores = [fold_errors(half, target, 3) for half in (features[:, :4], features[:, 4:])]
        first, second = (Replicates("rows", 1.0, {"mse": each}, 1 / 2) for each in scores)
        exceeded += abs(np.mean(scores[1]) - np.mean(scores[0])) > uncertainty.margin(first, second, "mse")
    assert exceeded / 400 < 0.08


class TestMarginTowardsZero:
    """One of twenty groups carries a difference: without it, the score differs by 0.62 instead of 1.

    The influences of the groups are e = -19 * 0.019 = -0.361 for nineteen, -19 e for one. A sample that draws the one
    K times moves the difference by e (1 - K), and K is binomial with n = 20 and p = 1/20: P(K = 0) = 0.36 makes e the
    lower end, P(K <= 2) = 0.925 and P(K <= 3) = 0.984 make -2 e the upper end. The standard error is -e.
    """

    FACTOR = math.sqrt(20 / 19) * 1.07
    FIRST = Replicates("rows", 1.0, {"r2": [0.0] * 20})

    @pytest.mark.parametrize(
        ("values", "margin"),
        [
            pytest.param([1.0] * 19 + [0.62], 0.361 * FACTOR, id="no sample changes the sign"),
            pytest.param([-1.0] * 19 + [-1.38], 2 * 0.361 * FACTOR, id="many samples do"),
            pytest.param([0.5] * 20, 0.0, id="no noise"),
        ],
    )
    def test_the_end_of_the_interval_nearer_to_zero(self, values: list[float], margin: float) -> None:
        second = Replicates("rows", 1.0, {"r2": values})
        assert uncertainty.margin_towards_zero(self.FIRST, second, "r2") == pytest.approx(margin)
        scaled = [replace(side, scale=0.5) for side in (self.FIRST, second)]
        assert uncertainty.margin_towards_zero(*scaled, "r2") == pytest.approx(margin / 2)

    def test_the_symmetric_margin_is_wider(self) -> None:
        second = Replicates("rows", 1.0, {"r2": [1.0] * 19 + [0.62]})
        assert uncertainty.margin(self.FIRST, second, "r2") == pytest.approx(2 * 0.361)

    def test_without_paired_groups_it_is_the_symmetric_one(self) -> None:
        second = Replicates("other rows", 1.0, {"r2": [1.0] * 19 + [0.62]})
        expected = uncertainty.margin(self.FIRST, second, "r2")
        assert uncertainty.margin_towards_zero(self.FIRST, second, "r2") == expected

    def test_a_metric_without_values_has_none(self) -> None:
        side = Replicates("rows", 1.0, {"r2": [math.nan] * 20})
        assert math.isnan(uncertainty.margin_towards_zero(side, side, "r2"))


@pytest.mark.parametrize("metric", ["r2", "nothing"])
def test_the_error_of_one_value_is_nan(metric: str) -> None:
    first = Replicates("rows", 1.0, {"r2": [0.5]})
    assert math.isnan(uncertainty.standard_error_of_difference(first, first, metric))
    assert math.isnan(uncertainty.margin(first, replace(first, held_out_ratio=0.25), metric))


@pytest.mark.parametrize(("rows", "clusters"), [(39, None), (39, np.arange(39)), (400, np.arange(400) % 39)])
def test_few_rows_or_clusters_have_no_replicates(rows: int, clusters: Any) -> None:
    assert uncertainty.jackknife(regression(rows), "regression", "rows", clusters) is None


@pytest.mark.parametrize("orders", [500, 3000], ids=["all rows", "sampled"])
def test_equal_rows_of_a_cluster_count_as_one(orders: int) -> None:
    """Four equal rows of an order have the error of one; as independent rows they would have half of it."""
    errors = []
    for seed in range(10):
        single = regression(orders, seed=seed)
        fourfold = Predictions(np.repeat(single.y_true, 4), np.repeat(single.y_pred, 4))
        replicates = uncertainty.jackknife(
            fourfold, "regression", "rows", np.repeat([f"order {n}" for n in range(orders)], 4)
        )
        assert replicates is not None
        errors.append(uncertainty._standard_error(replicates.metrics["mae"], replicates))
    assert np.mean(errors) == pytest.approx(np.abs(single.y_true - single.y_pred).std() / math.sqrt(orders), rel=0.15)


def test_few_large_clusters_are_not_sampled() -> None:
    replicates = uncertainty.jackknife(regression(20_000), "regression", "rows", np.arange(20_000) % 45)
    assert replicates is not None
    assert replicates.scale == 1
    assert len({*replicates.metrics["mae"]}) == uncertainty.GROUPS


def test_replicates_of_other_clusters_are_not_paired() -> None:
    predictions = regression(400)
    clusters = (None, np.arange(400) // 2, np.arange(400) % 200)
    first, second, third = (uncertainty.jackknife(predictions, "regression", "rows", each) for each in clusters)
    assert first is not None
    assert second is not None
    assert third is not None
    assert uncertainty.standard_error_of_difference(second, third, "mae") > 0
    assert uncertainty.standard_error_of_difference(second, second, "mae") == 0
    assert uncertainty.standard_error_of_difference(first, second, "mae") > 0


def test_metrics_of_classes_and_probabilities_have_replicates() -> None:
    truth = RNG.integers(0, 3, 300)
    proba = RNG.dirichlet([1, 1, 1], 300)
    replicates = uncertainty.jackknife(
        Predictions(truth, proba.argmax(1), proba, np.arange(3)), "classification", "rows"
    )
    assert replicates is not None
    assert {"accuracy", "roc_auc", "log_loss"} <= replicates.metrics.keys()
    assert {len(values) for values in replicates.metrics.values()} == {uncertainty.GROUPS}


def test_json_round_trip() -> None:
    replicates = Replicates("rows", 0.5, {"r2": [1.0, math.nan]}, 0.25)
    again = uncertainty.parse_replicates(json.loads(json.dumps(replicates.to_json())))
    assert (again.rows, again.scale, again.held_out_ratio) == ("rows", 0.5, 0.25)
    assert again.metrics["r2"][0] == 1.0
    assert math.isnan(again.metrics["r2"][1])
