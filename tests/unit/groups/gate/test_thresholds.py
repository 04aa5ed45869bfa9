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
from tests.support.gates import deployed, scored

NAN, INF = float("nan"), float("inf")


GREATER = [name for name, greater in GREATER_IS_BETTER.items() if greater]


SMALLER = [name for name, greater in GREATER_IS_BETTER.items() if not greater]


scores = st.floats(-1e6, 1)  # that a metric can have where greater is better


BARS: dict[str, tuple[Gate, GateInputs, bool, str]] = {
    "equal": (Threshold(metric="r2", threshold=0.3), scored(r2=0.3), True, "test/r2 0.3 is at least 0.3"),
    "above": (Threshold(metric="r2", threshold=0.3), scored(r2=0.31), True, "test/r2 0.31 is at least 0.3"),
    "below": (Threshold(metric="r2", threshold=0.3), scored(r2=0.28714), False, "test/r2 0.2871 is below 0.3"),
    "a hair below": (Threshold(metric="r2", threshold=0.8), scored(r2=0.79996), False, "test/r2 0.79996 is below 0.8"),
    "one float below": (
        Threshold(metric="r2", threshold=0.8),
        scored(r2=math.nextafter(0.8, 0)),
        False,
        "test/r2 0.7999999999999999 is below 0.8",
    ),
    "below a fine threshold": (
        Threshold(metric="r2", threshold=0.123456),
        scored(r2=0.123454),
        False,
        "test/r2 0.12345 is below 0.123456",
    ),
    "below nothing": (Threshold(metric="r2", threshold=0), scored(r2=-0.2), False, "test/r2 -0.2 is below 0"),
    "nothing": (Threshold(metric="r2", threshold=0), scored(r2=-0.0), True, "test/r2 0 is at least 0"),
    "great error": (
        Threshold(metric="mae", threshold=12000),
        scored(mae=12345.6),
        False,
        "test/mae 12346 is above 12000",
    ),
    "whole number": (Threshold(metric="mae", threshold=1), scored(mae=1), True, "test/mae 1 is at most 1"),
    "error equal": (
        Threshold(metric="rmse", threshold=0.35),
        scored(rmse=0.35),
        True,
        "test/rmse 0.35 is at most 0.35",
    ),
    "error below": (
        Threshold(metric="rmse", threshold=0.35),
        scored(rmse=0.31224),
        True,
        "test/rmse 0.3122 is at most 0.35",
    ),
    "error above": (Threshold(metric="rmse", threshold=0.35), scored(rmse=0.36), False, "test/rmse 0.36 is above 0.35"),
    "direction said": (
        Threshold(metric="rmse", threshold=0.35, direction="minimize"),
        scored(rmse=0.36),
        False,
        "test/rmse 0.36 is above 0.35",
    ),
    "direction contradicted": (
        Threshold(metric="rmse", threshold=0.35, direction="maximize"),
        scored(rmse=0.36),
        False,
        "gate.direction=maximize contradicts gate.metric=rmse, for which smaller is better; leave gate.direction null",
    ),
    "missing": (Threshold(metric="r2", threshold=0.3), scored(), False, "test/r2 is missing"),
    "missing on that split": (
        Threshold(metric="r2", threshold=0.3, split="cv"),
        GateInputs({"test/r2": 1, "train/r2": 1, "r2": 1, "test/rmse": 0}),
        False,
        "cv/r2 is missing (available: test/r2, train/r2, r2)",
    ),
    "NaN": (Threshold(metric="r2", threshold=0.3), scored(r2=NAN), False, "test/r2 is NaN"),
    "infinite": (Threshold(metric="r2", threshold=0.3), scored(r2=INF), False, "test/r2 is infinite"),
    "minus infinite": (Threshold(metric="r2", threshold=0.3), scored(r2=-INF), False, "test/r2 is infinite"),
    "error NaN": (Threshold(metric="mae", threshold=0.3), scored(mae=NAN), False, "test/mae is NaN"),
    "error infinite": (Threshold(metric="mae", threshold=0.3), scored(mae=INF), False, "test/mae is infinite"),
    "error minus infinite": (Threshold(metric="mae", threshold=0.3), scored(mae=-INF), False, "test/mae is infinite"),
    "not scored": (
        Threshold(metric="r2", threshold=0.3),
        scored(problem="its model was deleted", r2=1),
        False,
        "its model was deleted",
    ),
    "no threshold": (
        Threshold(metric="r2"),
        scored(r2=1),
        False,
        "gate.threshold is not set; give the r2 that is good enough",
    ),
    "several metrics": (
        Threshold(metric=["r2", "mae"], threshold=0.3),
        scored(r2=1, mae=0),
        False,
        "gate.metric is [r2, mae], but a gate uses one metric; name one, like gate.metric=r2",
    ),
    "accuracy equal": (
        MinAccuracy(min_accuracy=0.8),
        scored(accuracy=0.8),
        True,
        "test/accuracy 0.8 is at least 0.8",
    ),
    "accuracy above": (
        MinAccuracy(min_accuracy=0.8),
        scored(accuracy=0.9123),
        True,
        "test/accuracy 0.9123 is at least 0.8",
    ),
    "accuracy below": (
        MinAccuracy(min_accuracy=0.8),
        scored(accuracy=0.79996),
        False,
        "test/accuracy 0.79996 is below 0.8",
    ),
    "accuracy missing": (
        MinAccuracy(min_accuracy=0.0, split="validation"),
        scored(accuracy=1),
        False,
        "validation/accuracy is missing (available: test/accuracy)",
    ),
    "accuracy NaN": (MinAccuracy(min_accuracy=0.0), scored(accuracy=NAN), False, "test/accuracy is NaN"),
    "fast": (Latency(max_p95_ms=50), GateInputs({"serve/p95_ms": 50.0}), True, "serve/p95_ms 50 is at most 50"),
    "slow": (Latency(max_p95_ms=50), GateInputs({"serve/p95_ms": 61.237}), False, "serve/p95_ms 61.24 is above 50"),
    "not measured": (Latency(max_p95_ms=50), GateInputs({}), False, "serve/p95_ms is missing"),
    "small": (
        Size(max_megabytes=1.5),
        GateInputs({"model/megabytes": 0.25}),
        True,
        "model/megabytes 0.25 is at most 1.5",
    ),
    "large": (Size(max_megabytes=1.5), GateInputs({"model/megabytes": 2}), False, "model/megabytes 2 is above 1.5"),
    "size NaN": (Size(max_megabytes=1.5), GateInputs({"model/megabytes": NAN}), False, "model/megabytes is NaN"),
}


@pytest.mark.parametrize("champion", [None, deployed(r2=0.9)], ids=["first", "champion"])
@pytest.mark.parametrize(("gate", "candidate", "deploy", "reason"), BARS.values(), ids=BARS)
def test_a_bar_is_held_against_one_number(
    gate: Gate, candidate: GateInputs, deploy: bool, reason: str, champion: GateInputs | None
) -> None:
    assert gate.decide(candidate, champion) == Decision(deploy, reason)


@pytest.mark.parametrize(("value", "deploy"), [(0.5, True), (0.6, True), (0.4, False)], ids=["equal", "above", "below"])
@pytest.mark.parametrize("metric", GREATER)
def test_each_score_has_to_be_at_least_the_threshold(metric: str, value: float, deploy: bool) -> None:
    gate = Threshold(metric=metric, threshold=0.5)
    assert gate.decide(scored(**{metric: value}), None).deploy is deploy


@pytest.mark.parametrize(("value", "deploy"), [(0.5, True), (0.6, False), (0.4, True)], ids=["equal", "above", "below"])
@pytest.mark.parametrize("metric", SMALLER)
def test_each_error_has_to_be_at_most_the_threshold(metric: str, value: float, deploy: bool) -> None:
    gate = Threshold(metric=metric, threshold=0.5)
    assert gate.decide(scored(**{metric: value}), None).deploy is deploy


@given(scores, scores)
def test_a_threshold_of_an_error_mirrors_that_of_a_score(value: float, bar: float) -> None:
    greater = Threshold(metric="r2", threshold=bar).decide(scored(r2=value), None)
    less = Threshold(metric="rmse", threshold=1 - bar).decide(scored(rmse=1 - value), None)
    assert greater.deploy is (value >= bar)
    assert less.deploy is (1 - value <= 1 - bar)


@given(scores, scores, st.floats(0, 1e3))
def test_raising_a_threshold_never_opens_a_gate_that_was_shut(value: float, bar: float, more: float) -> None:
    lower = Threshold(metric="r2", threshold=bar).decide(scored(r2=value), None)
    higher = Threshold(metric="r2", threshold=min(1, bar + more)).decide(scored(r2=value), None)
    assert lower.deploy or not higher.deploy
