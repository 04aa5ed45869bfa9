"""What each gate says of which numbers: the truth tables, and what holds for all numbers."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mlrunner.core.metric_names import GREATER_IS_BETTER
from mlrunner.groups.gate import Decision, Gate, GateInputs
from mlrunner.groups.gate.all_of import AllOf
from mlrunner.groups.gate.champion import Champion
from mlrunner.groups.gate.comparison import format_pair, format_setting, format_value
from mlrunner.groups.gate.cost_limits import Latency, Size
from mlrunner.groups.gate.thresholds import MinAccuracy, Threshold

NAN, INF = float("nan"), float("inf")
GREATER = [name for name, greater in GREATER_IS_BETTER.items() if greater]
SMALLER = [name for name, greater in GREATER_IS_BETTER.items() if not greater]
ANOTHER = "deploy with another gate, such as gate=threshold"
numbers = st.floats(-1e6, 1e6)
scores = st.floats(-1e6, 1)  # that a metric can have where greater is better
asks = st.floats(0, 1e3)


def scored(name: str = "", rows: str = "rows", problem: str | None = None, **metrics: float) -> GateInputs:
    return GateInputs({f"test/{metric}": value for metric, value in metrics.items()}, rows, name, problem)


def deployed(**metrics: float) -> GateInputs:
    return scored("olist/2", **metrics)


# --- one number against a bar -------------------------------------------------------------------------------

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


# --- against what is deployed -------------------------------------------------------------------------------

BETTER = Champion(metric="r2", min_improvement=0.01)
AS_GOOD = Champion(metric="r2", min_improvement=0)
ERROR = Champion(metric="rmse", min_improvement=0.01)
FLOOR = Champion(metric="r2", min_improvement=0.01, threshold=0.3)
TENTH = Champion(metric="r2", min_improvement=0.1)

CHAMPIONS: dict[str, tuple[Champion, GateInputs, GateInputs | None, bool, str]] = {
    "first model": (
        BETTER,
        scored(r2=0.43117),
        None,
        True,
        "test/r2 0.4312 has no champion to beat: nothing is deployed yet",
    ),
    "first model, missing": (BETTER, scored(rmse=1), None, False, "test/r2 is missing"),
    "first model, NaN": (BETTER, scored(r2=NAN), None, False, "test/r2 is NaN"),
    "first model, infinite": (BETTER, scored(r2=INF), None, False, "test/r2 is infinite"),
    "first model, not scored": (BETTER, scored(problem="it was deleted"), None, False, "it was deleted"),
    "first model, on the floor": (
        FLOOR,
        scored(r2=0.3),
        None,
        True,
        "test/r2 0.3 is at least 0.3; test/r2 0.3 has no champion to beat: nothing is deployed yet",
    ),
    "first model, below the floor": (FLOOR, scored(r2=0.2), None, False, "test/r2 0.2 is below 0.3"),
    "better": (
        BETTER,
        scored(r2=0.4312),
        deployed(r2=0.4101),
        True,
        "test/r2 0.4312 beats olist/2's 0.4101 by 0.0211 (at least 0.01 required)",
    ),
    "not enough better": (
        BETTER,
        scored(r2=0.4151),
        deployed(r2=0.4101),
        False,
        "test/r2 0.4151 beats olist/2's 0.4101 by 0.005, but must improve by at least 0.01",
    ),
    "a hair from enough": (
        BETTER,
        scored(r2=0.4200999),
        deployed(r2=0.4101),
        False,
        "test/r2 0.4201 beats olist/2's 0.4101 by 0.0099999, but must improve by at least 0.01",
    ),
    "equal, more asked": (
        BETTER,
        scored(r2=0.4),
        deployed(r2=0.4),
        False,
        "test/r2 0.4 equals olist/2's 0.4, but must improve by at least 0.01",
    ),
    "equal, nothing asked": (
        AS_GOOD,
        scored(r2=0.4),
        deployed(r2=0.4),
        True,
        "test/r2 0.4 equals olist/2's 0.4 (at least as good required)",
    ),
    "equal but for the order of a sum": (
        AS_GOOD,
        scored(r2=math.nextafter(0.7, 0)),
        deployed(r2=0.7),
        True,
        "test/r2 0.7 equals olist/2's 0.7 (at least as good required)",
    ),
    "worse": (
        BETTER,
        scored(r2=0.4),
        deployed(r2=0.41),
        False,
        "test/r2 0.4 is 0.01 worse than olist/2's 0.41, but must improve by at least 0.01",
    ),
    "worse by a hair, nothing asked": (
        AS_GOOD,
        scored(r2=0.40999996),
        deployed(r2=0.41),
        False,
        "test/r2 0.40999996 is 4e-08 worse than olist/2's 0.41, but must be at least as good",
    ),
    "better by a hair, nothing asked": (
        AS_GOOD,
        scored(r2=0.43125),
        deployed(r2=0.43124),
        True,
        "test/r2 0.43125 beats olist/2's 0.43124 by 1e-05 (at least as good required)",
    ),
    "boundary, a float above": (
        TENTH,
        scored(r2=0.8),
        deployed(r2=0.7),
        True,
        "test/r2 0.8 beats olist/2's 0.7 by 0.1 (at least 0.1 required)",
    ),
    "boundary, a float below": (
        TENTH,
        scored(r2=1.0),
        deployed(r2=0.9),
        True,
        "test/r2 1 beats olist/2's 0.9 by 0.1 (at least 0.1 required)",
    ),
    "champion without a name": (
        BETTER,
        scored(r2=0.5),
        scored(r2=0.4),
        True,
        "test/r2 0.5 beats the champion's 0.4 by 0.1 (at least 0.01 required)",
    ),
    "error smaller": (
        ERROR,
        scored(rmse=0.3),
        deployed(rmse=0.35),
        True,
        "test/rmse 0.3 beats olist/2's 0.35 by 0.05 (at least 0.01 required)",
    ),
    "error greater": (
        ERROR,
        scored(rmse=0.4),
        deployed(rmse=0.35),
        False,
        "test/rmse 0.4 is 0.05 worse than olist/2's 0.35, but must improve by at least 0.01",
    ),
    "error on the boundary": (
        Champion(metric="rmse", min_improvement=0.1),
        scored(rmse=0.7),
        deployed(rmse=0.8),
        True,
        "test/rmse 0.7 beats olist/2's 0.8 by 0.1 (at least 0.1 required)",
    ),
    "better, below the floor": (FLOOR, scored(r2=0.29), deployed(r2=0.2), False, "test/r2 0.29 is below 0.3"),
    "worse, above the floor": (
        FLOOR,
        scored(r2=0.4),
        deployed(r2=0.5),
        False,
        "test/r2 0.4 is 0.1 worse than olist/2's 0.5, but must improve by at least 0.01",
    ),
    "worse, below the floor": (
        FLOOR,
        scored(r2=0.2),
        deployed(r2=0.5),
        False,
        "test/r2 0.2 is below 0.3; test/r2 0.2 is 0.3 worse than olist/2's 0.5, but must improve by at least 0.01",
    ),
    "better, above the ceiling": (
        Champion(metric="rmse", threshold=0.5),
        scored(rmse=0.6),
        deployed(rmse=0.7),
        False,
        "test/rmse 0.6 is above 0.5",
    ),
    "missing": (BETTER, scored(), deployed(r2=0.1), False, "test/r2 is missing"),
    "NaN": (BETTER, scored(r2=NAN), deployed(r2=0.1), False, "test/r2 is NaN"),
    "infinite": (BETTER, scored(r2=INF), deployed(r2=0.1), False, "test/r2 is infinite"),
    "error minus infinite": (ERROR, scored(rmse=-INF), deployed(rmse=0.1), False, "test/rmse is infinite"),
    "champion gone": (
        BETTER,
        scored(r2=0.9),
        scored("olist/3", problem="its model was deleted"),
        False,
        f"the champion olist/3 cannot be scored (its model was deleted): {ANOTHER}",
    ),
    "champion missing": (
        BETTER,
        scored(r2=0.9),
        deployed(rmse=1),
        False,
        f"the champion olist/2 cannot be scored (test/r2 is missing): {ANOTHER}",
    ),
    "champion NaN": (
        BETTER,
        scored(r2=0.9),
        deployed(r2=NAN),
        False,
        f"the champion olist/2 cannot be scored (test/r2 is NaN): {ANOTHER}",
    ),
    "champion infinite": (
        ERROR,
        scored(rmse=0.1),
        deployed(rmse=INF),
        False,
        f"the champion olist/2 cannot be scored (test/rmse is infinite): {ANOTHER}",
    ),
    "champion minus infinite, no name": (
        BETTER,
        scored(r2=0.1),
        scored(r2=-INF),
        False,
        f"the champion cannot be scored (test/r2 is infinite): {ANOTHER}",
    ),
    "other rows": (
        BETTER,
        scored(rows="0123456789abcdef", r2=0.9),
        scored("olist/2", "fedcba9876543210", r2=0.1),
        False,
        f"the champion olist/2 was scored on other rows (fedcba987654, not 0123456789ab): {ANOTHER}",
    ),
    "unknown rows": (
        BETTER,
        scored(rows="0123", r2=0.9),
        scored("olist/2", "", r2=0.1),
        False,
        f"the champion olist/2 was scored on other rows (unknown, not 0123): {ANOTHER}",
    ),
    "contradicted direction": (
        Champion(metric="rmse", direction="maximize"),
        scored(rmse=0.4),
        None,
        False,
        "gate.direction=maximize contradicts gate.metric=rmse, for which smaller is better; leave gate.direction null",
    ),
    "no improvement set": (
        Champion(metric="r2", min_improvement=None),
        scored(r2=0.4),
        None,
        False,
        "gate.min_improvement is not set; 0 accepts a model that is as good",
    ),
}


@pytest.mark.parametrize(("gate", "candidate", "champion", "deploy", "reason"), CHAMPIONS.values(), ids=CHAMPIONS)
def test_a_champion_has_to_be_beaten(
    gate: Champion, candidate: GateInputs, champion: GateInputs | None, deploy: bool, reason: str
) -> None:
    assert gate.decide(candidate, champion) == Decision(deploy, reason)


@pytest.mark.parametrize("metric", GREATER_IS_BETTER)
def test_each_metric_beats_a_champion_in_its_own_direction(metric: str) -> None:
    gate, low, high = Champion(metric=metric), scored(**{metric: 0.4}), scored(**{metric: 0.5})
    greater = GREATER_IS_BETTER[metric]
    assert gate.decide(high, low).deploy is greater
    assert gate.decide(low, high).deploy is not greater
    assert gate.decide(low, low).deploy is True


def test_only_the_chosen_split_is_compared() -> None:
    candidate = GateInputs({"test/r2": 0.1, "validation/r2": 0.9})
    champion = GateInputs({"test/r2": 0.5, "validation/r2": 0.5})
    assert Champion(metric="r2", split="validation").decide(candidate, champion).deploy is True
    assert Champion(metric="r2", split="test").decide(candidate, champion).deploy is False


# --- several conditions -------------------------------------------------------------------------------------

ALL = AllOf(
    gates={
        "quality": {"_target_": "mlrunner.groups.gate.thresholds.Threshold", "metric": "r2", "threshold": 0.3},
        "unset": {"_target_": "mlrunner.groups.gate.thresholds.Threshold", "metric": "rmse", "threshold": None},
        "absent": None,
        "champion": {"_target_": "mlrunner.groups.gate.champion.Champion", "metric": "r2", "min_improvement": 0.01},
        "latency": {"_target_": "mlrunner.groups.gate.cost_limits.Latency", "max_p95_ms": 50},
        "size": {"_target_": "mlrunner.groups.gate.cost_limits.Size", "max_megabytes": 100},
    }
)


def measured(r2: float, p95: float, megabytes: float) -> GateInputs:
    return GateInputs({"test/r2": r2, "serve/p95_ms": p95, "model/megabytes": megabytes}, "rows")


BEATS = "champion: test/r2 0.4 beats olist/2's 0.35 by 0.05 (at least 0.01 required)"
ALL_CASES = {
    "all hold": (
        measured(0.4, 20, 10),
        deployed(r2=0.35),
        True,
        f"quality: test/r2 0.4 is at least 0.3; {BEATS}; latency: serve/p95_ms 20 is at most 50; "
        "size: model/megabytes 10 is at most 100",
    ),
    "first model": (
        measured(0.4, 20, 10),
        None,
        True,
        "quality: test/r2 0.4 is at least 0.3; champion: test/r2 0.4 has no champion to beat: nothing is deployed yet; "
        "latency: serve/p95_ms 20 is at most 50; size: model/megabytes 10 is at most 100",
    ),
    "one fails": (measured(0.4, 60, 10), deployed(r2=0.35), False, "latency: serve/p95_ms 60 is above 50"),
    "first and last fail": (
        measured(0.2, 20, 200),
        deployed(r2=0.1),
        False,
        "quality: test/r2 0.2 is below 0.3; size: model/megabytes 200 is above 100",
    ),
    "champion gone": (
        measured(0.4, 20, 10),
        scored("olist/3", problem="deleted"),
        False,
        f"champion: the champion olist/3 cannot be scored (deleted): {ANOTHER}",
    ),
    "all fail": (
        measured(0.2, NAN, 200),
        deployed(r2=0.25),
        False,
        "quality: test/r2 0.2 is below 0.3; champion: test/r2 0.2 is 0.05 worse than olist/2's 0.25, but must "
        "improve by at least 0.01; latency: serve/p95_ms is NaN; size: model/megabytes 200 is above 100",
    ),
    "costs not measured": (
        scored(r2=0.4),
        None,
        False,
        "latency: serve/p95_ms is missing; size: model/megabytes is missing",
    ),
}


@pytest.mark.parametrize(("candidate", "champion", "deploy", "reason"), ALL_CASES.values(), ids=ALL_CASES)
def test_all_of_names_each_condition_that_failed(
    candidate: GateInputs, champion: GateInputs | None, deploy: bool, reason: str
) -> None:
    assert ALL.decide(candidate, champion) == Decision(deploy, reason)


def test_all_of_leaves_out_what_is_not_set() -> None:
    assert list(ALL.conditions) == ["quality", "champion", "latency", "size"]


def test_all_of_nothing_never_opens() -> None:
    assert AllOf(gates={}).decide(scored(r2=1), None) == (False, "gate.gates sets no condition; choose gate=none")


def test_all_of_may_hold_another() -> None:
    target = "mlrunner.groups.gate.all_of.AllOf"
    outer = AllOf(gates={"inner": {"_target_": target, "gates": ALL.gates}, "empty": {"_target_": target, "gates": {}}})
    assert outer.metrics == {
        "gate.gates.inner.gates.quality.metric": "test/r2",
        "gate.gates.inner.gates.champion.metric": "test/r2",
    }
    assert outer.problems("classification")[0].startswith("gate.gates.inner.gates.quality.metric=r2 is not a metric of")
    assert (outer.needs_champion, outer.needs_costs) == (True, True)
    assert outer.decide(measured(0.4, 60, 10), None) == (False, "inner: latency: serve/p95_ms 60 is above 50")


# --- what holds for all numbers -----------------------------------------------------------------------------


@given(scores, scores)
def test_a_threshold_of_an_error_mirrors_that_of_a_score(value: float, bar: float) -> None:
    greater = Threshold(metric="r2", threshold=bar).decide(scored(r2=value), None)
    less = Threshold(metric="rmse", threshold=1 - bar).decide(scored(rmse=1 - value), None)
    assert greater.deploy is (value >= bar)
    assert less.deploy is (1 - value <= 1 - bar)


@given(numbers, numbers, asks)
def test_an_error_beats_a_champion_as_the_mirrored_score_does(ours: float, theirs: float, asked: float) -> None:
    score = Champion(metric="r2", min_improvement=asked).decide(scored(r2=ours), scored(r2=theirs))
    error = Champion(metric="rmse", min_improvement=asked).decide(scored(rmse=-ours), scored(rmse=-theirs))
    assert score.deploy is error.deploy


@given(scores, scores, st.floats(0, 1e3))
def test_raising_a_threshold_never_opens_a_gate_that_was_shut(value: float, bar: float, more: float) -> None:
    lower = Threshold(metric="r2", threshold=bar).decide(scored(r2=value), None)
    higher = Threshold(metric="r2", threshold=min(1, bar + more)).decide(scored(r2=value), None)
    assert lower.deploy or not higher.deploy


@given(numbers, numbers, asks, asks)
def test_asking_for_more_improvement_never_opens_a_gate_that_was_shut(
    ours: float, theirs: float, asked: float, more: float
) -> None:
    def opens(least: float) -> bool:
        return Champion(metric="r2", min_improvement=least).decide(scored(r2=ours), scored(r2=theirs)).deploy

    assert opens(asked) or not opens(asked + more)


@given(numbers, asks)
@example(0.7, 0.1)
@example(0.9, 0.1)
@example(0.1, 0.2)
def test_what_is_better_by_exactly_what_is_asked_passes(theirs: float, asked: float) -> None:
    gate = Champion(metric="r2", min_improvement=asked)
    assert gate.decide(scored(r2=theirs + asked), scored(r2=theirs)).deploy is True


@given(numbers, st.integers(1, 1000))
def test_what_is_short_by_more_than_a_rounding_is_refused(theirs: float, thousandths: int) -> None:
    asked = thousandths / 1000
    short = theirs + asked - 1e-5
    assert Champion(metric="r2", min_improvement=asked).decide(scored(r2=short), scored(r2=theirs)).deploy is False


@given(st.floats(-1e12, 1), st.floats(-1e12, 1))
@example(0.79996, 0.8)
@example(1.0, -0.0)
def test_the_numbers_of_a_reason_bear_it_out(value: float, bar: float) -> None:
    deploy, reason = Threshold(metric="r2", threshold=bar).decide(scored(r2=value), None)
    found = re.fullmatch(r"test/r2 (\S+) is (?:at least|below) (\S+)", reason)
    assert found is not None
    assert float(found[2]) == bar
    assert (float(found[1]) >= bar) is deploy


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
@example(0.43115, 0.43125)
@example(1e300, 1.0000001e300)
def test_different_numbers_read_as_different_and_in_order(one: float, other: float) -> None:
    first, second = format_pair(one, other)
    assert (float(first) < float(second)) is (one < other)
    assert float(first) - float(second) == pytest.approx(one - other, rel=0.051, abs=0)
    assert (float(format_value(one, other)) < other) is (one < other)


@pytest.mark.parametrize(
    ("number", "text"),
    [(0.35, "0.35"), (50.0, "50"), (-0.0, "0"), (1e-05, "1e-05"), (100000.0, "100000"), (0.123456789, "0.123456789")],
)
def test_a_setting_reads_as_it_was_typed(number: float, text: str) -> None:
    assert format_setting(number) == text
