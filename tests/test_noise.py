"""The jackknife: against the formulas of statistics, and against redrawn samples."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from mlrunner import noise
from mlrunner.metrics import Predictions, measure
from mlrunner.noise import Replicates

RNG = np.random.default_rng(0)


def regression(rows: int, spread: float = 1.0, seed: int = 0) -> Predictions:
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=rows)
    return Predictions(truth, truth + spread * rng.normal(size=rows))


def error(predictions: Predictions, metric: str) -> float:
    found = noise.replicate(predictions, "regression", "rows")
    assert found is not None
    nothing = Replicates("other rows", 1.0, {metric: [0.0] * noise.GROUPS})
    return noise.of_difference(nothing, found, metric)


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
    first, second = (noise.replicate(said, "regression", "rows") for said in (one, two))
    assert first is not None
    assert second is not None
    other = Replicates("other rows", second.scale, second.metrics)
    assert noise.of_difference(first, second, "r2") < noise.of_difference(first, other, "r2") / 3


def test_folds_are_compared_fold_by_fold() -> None:
    one = Replicates("rows", 1.0, {"r2": [0.5, 0.6, 0.7]}, is_folds=True)
    two = Replicates("rows", 1.0, {"r2": [0.51, 0.62, 0.73]}, is_folds=True)
    assert noise.of_difference(one, two, "r2") == pytest.approx(0.01 / math.sqrt(3))


@pytest.mark.parametrize("metric", ["r2", "nothing"])
def test_nothing_is_known_of_one_value(metric: str) -> None:
    one = Replicates("rows", 1.0, {"r2": [0.5]})
    assert math.isnan(noise.of_difference(one, one, metric))


def test_few_rows_tell_nothing() -> None:
    assert noise.replicate(regression(39), "regression", "rows") is None


def test_classes_and_probabilities_are_measured_as_well() -> None:
    truth = RNG.integers(0, 3, 300)
    proba = RNG.dirichlet([1, 1, 1], 300)
    found = noise.replicate(Predictions(truth, proba.argmax(1), proba, np.arange(3)), "classification", "rows")
    assert found is not None
    assert {"accuracy", "roc_auc", "log_loss"} <= found.metrics.keys()
    assert {len(values) for values in found.metrics.values()} == {noise.GROUPS}


def test_what_is_written_is_read_again() -> None:
    found = Replicates("rows", 0.5, {"r2": [1.0, math.nan]}, is_folds=True)
    again = noise.read(json.loads(json.dumps(found.plain())))
    assert (again.rows, again.scale, again.is_folds) == ("rows", 0.5, True)
    assert again.metrics["r2"][0] == 1.0
    assert math.isnan(again.metrics["r2"][1])
