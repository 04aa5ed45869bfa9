"""Gates that compare one metric with a threshold."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlrunner.core.metric_names import GREATER_IS_BETTER
from mlrunner.groups.gate import Decision, Gate, GateInputs
from mlrunner.groups.gate.cost_limits import Latency, Size
from mlrunner.groups.gate.thresholds import MinAccuracy, Threshold
from tests.support.gates import make_champion, make_inputs

NAN, INF = float("nan"), float("inf")
scores = st.floats(-1e6, 1)  # that a metric can have where greater is better


CV_MISSING = "cv/r2 is missing (available: test/r2, train/r2, r2)"
R2, RMSE = Threshold(metric="r2", threshold=0.3), Threshold(metric="rmse", threshold=0.35)
HIGH, FINE = Threshold(metric="r2", threshold=0.8), Threshold(metric="r2", threshold=0.123456)
ZERO, LARGE = Threshold(metric="r2", threshold=0), Threshold(metric="mae", threshold=12000)
ON_FOLDS = Threshold(metric="r2", threshold=0.3, split="cv")
LATENCY, SIZE = Latency(max_p95_ms=50), Size(max_megabytes=1.5)
ON_VALIDATION = MinAccuracy(min_accuracy=0.0, split="validation")
BARS: list[tuple[Gate, dict[str, float], bool, str]] = [
    (R2, {"test/r2": 0.3}, True, "test/r2 0.3 is at least 0.3"),
    (R2, {"test/r2": 0.28714}, False, "test/r2 0.2871 is below 0.3"),
    (HIGH, {"test/r2": 0.79996}, False, "test/r2 0.79996 is below 0.8"),
    (HIGH, {"test/r2": math.nextafter(0.8, 0)}, False, "test/r2 0.7999999999999999 is below 0.8"),
    (FINE, {"test/r2": 0.123454}, False, "test/r2 0.12345 is below 0.123456"),
    (ZERO, {"test/r2": -0.0}, True, "test/r2 0 is at least 0"),
    (LARGE, {"test/mae": 12345.6}, False, "test/mae 12346 is above 12000"),
    (RMSE, {"test/rmse": 0.31224}, True, "test/rmse 0.3122 is at most 0.35"),
    (RMSE, {"test/rmse": 0.36}, False, "test/rmse 0.36 is above 0.35"),
    (R2, {}, False, "test/r2 is missing"),
    (ON_FOLDS, {"test/r2": 1, "train/r2": 1, "r2": 1, "test/rmse": 0}, False, CV_MISSING),
    (R2, {"test/r2": NAN}, False, "test/r2 is NaN"),
    (R2, {"test/r2": INF}, False, "test/r2 is infinite"),
    (MinAccuracy(min_accuracy=0.8), {"test/accuracy": 0.8}, True, "test/accuracy 0.8 is at least 0.8"),
    (ON_VALIDATION, {"test/accuracy": 1}, False, "validation/accuracy is missing (available: test/accuracy)"),
    (LATENCY, {"serve/p95_ms": 50.0}, True, "serve/p95_ms 50 is at most 50"),
    (LATENCY, {"serve/p95_ms": 61.237}, False, "serve/p95_ms 61.24 is above 50"),
    (SIZE, {"model/megabytes": 0.25}, True, "model/megabytes 0.25 is at most 1.5"),
    (SIZE, {"model/megabytes": 2}, False, "model/megabytes 2 is above 1.5"),
]


@pytest.mark.parametrize(("gate", "metrics", "deploy", "reason"), BARS)
def test_metric_is_compared_with_the_threshold(
    gate: Gate, metrics: dict[str, float], deploy: bool, reason: str
) -> None:
    for champion in (None, make_champion(r2=0.9)):
        assert gate.decide(GateInputs(metrics, "rows"), champion) == Decision(deploy, reason)


def test_model_that_could_not_be_scored_is_refused() -> None:
    inputs = make_inputs(problem="its model was deleted", r2=1)
    assert R2.decide(inputs, None) == Decision(False, "its model was deleted")


@pytest.mark.parametrize("metric", GREATER_IS_BETTER)
def test_each_metric_is_compared_in_its_own_direction(metric: str) -> None:
    gate, greater = Threshold(metric=metric, threshold=0.5), GREATER_IS_BETTER[metric]
    decisions = [gate.decide(make_inputs(**{metric: value}), None).deploy for value in (0.4, 0.5, 0.6)]
    assert decisions == [not greater, True, greater]


@given(scores, scores)
def test_threshold_of_an_error_mirrors_that_of_a_score(value: float, threshold: float) -> None:
    greater = Threshold(metric="r2", threshold=threshold).decide(make_inputs(r2=value), None)
    less = Threshold(metric="rmse", threshold=1 - threshold).decide(make_inputs(rmse=1 - value), None)
    assert greater.deploy is (value >= threshold)
    assert less.deploy is (1 - value <= 1 - threshold)


@given(scores, scores, st.floats(0, 1e3))
def test_higher_threshold_never_opens_a_closed_gate(value: float, threshold: float, more: float) -> None:
    lower = Threshold(metric="r2", threshold=threshold).decide(make_inputs(r2=value), None)
    higher = Threshold(metric="r2", threshold=min(1, threshold + more)).decide(make_inputs(r2=value), None)
    assert lower.deploy or not higher.deploy
