"""The gate that compares a model with the deployed one."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mlrunner.core.metric_names import GREATER_IS_BETTER
from mlrunner.groups.gate import Decision, GateInputs
from mlrunner.groups.gate.champion import Champion
from tests.support.gates import OTHER_GATE_HINT, make_champion, make_inputs

NAN, INF = float("nan"), float("inf")
numbers = st.floats(-1e6, 1e6)
minimums = st.floats(0, 1e3)
BETTER = Champion(metric="r2", min_improvement=0.01)
AS_GOOD = Champion(metric="r2", min_improvement=0)
ERROR = Champion(metric="rmse", min_improvement=0.01)
FLOOR = Champion(metric="r2", min_improvement=0.01, threshold=0.3)
CEILING = Champion(metric="rmse", threshold=0.5)


ENOUGH, AS_GOOD_ENOUGH = "(at least 0.01 required)", "(at least as good required)"
TOO_LITTLE = "but must improve by at least 0.01"
NOT_AS_GOOD, NOTHING = "but must be at least as good", "champion to beat: nothing is deployed yet"
CHAMPIONS: list[tuple[Champion, float, float | None, bool, str]] = [
    (BETTER, 0.43117, None, True, "test/r2 0.4312 has no champion to beat: nothing is deployed yet"),
    (BETTER, NAN, None, False, "test/r2 is NaN"),
    (FLOOR, 0.3, None, True, f"test/r2 0.3 is at least 0.3; test/r2 0.3 has no {NOTHING}"),
    (FLOOR, 0.2, None, False, "test/r2 0.2 is below 0.3"),
    (BETTER, 0.4312, 0.4101, True, f"test/r2 0.4312 beats olist/2's 0.4101 by 0.0211 {ENOUGH}"),
    (BETTER, 0.4151, 0.4101, False, f"test/r2 0.4151 beats olist/2's 0.4101 by 0.005, {TOO_LITTLE}"),
    (BETTER, 0.4200999, 0.4101, False, f"test/r2 0.4201 beats olist/2's 0.4101 by 0.0099999, {TOO_LITTLE}"),
    (BETTER, 0.4, 0.4, False, f"test/r2 0.4 equals olist/2's 0.4, {TOO_LITTLE}"),
    (AS_GOOD, 0.4, 0.4, True, f"test/r2 0.4 equals olist/2's 0.4 {AS_GOOD_ENOUGH}"),
    (AS_GOOD, math.nextafter(0.7, 0), 0.7, True, f"test/r2 0.7 equals olist/2's 0.7 {AS_GOOD_ENOUGH}"),
    (BETTER, 0.4, 0.41, False, f"test/r2 0.4 is 0.01 worse than olist/2's 0.41, {TOO_LITTLE}"),
    (AS_GOOD, 0.40999996, 0.41, False, f"test/r2 0.40999996 is 4e-08 worse than olist/2's 0.41, {NOT_AS_GOOD}"),
    (AS_GOOD, 0.43125, 0.43124, True, f"test/r2 0.43125 beats olist/2's 0.43124 by 1e-05 {AS_GOOD_ENOUGH}"),
    (ERROR, 0.3, 0.35, True, f"test/rmse 0.3 beats olist/2's 0.35 by 0.05 {ENOUGH}"),
    (FLOOR, 0.4, 0.5, False, f"test/r2 0.4 is 0.1 worse than olist/2's 0.5, {TOO_LITTLE}"),
    (FLOOR, 0.2, 0.5, False, f"test/r2 0.2 is below 0.3; test/r2 0.2 is 0.3 worse than olist/2's 0.5, {TOO_LITTLE}"),
    (CEILING, 0.6, 0.7, False, "test/rmse 0.6 is above 0.5"),
    (BETTER, 0.9, NAN, False, f"the champion olist/2 cannot be scored (test/r2 is NaN): {OTHER_GATE_HINT}"),
]


@pytest.mark.parametrize(("gate", "ours", "theirs", "deploy", "reason"), CHAMPIONS)
def test_candidate_is_compared_with_the_champion(
    gate: Champion, ours: float, theirs: float | None, deploy: bool, reason: str
) -> None:
    champion = None if theirs is None else make_champion(**{gate.metric: theirs})
    assert gate.decide(make_inputs(**{gate.metric: ours}), champion) == Decision(deploy, reason)


UNNAMED = "test/r2 0.5 beats the champion's 0.4 by 0.1 (at least 0.01 required)"
DELETED = f"the champion olist/3 cannot be scored (its model was deleted): {OTHER_GATE_HINT}"
INFINITE = f"the champion cannot be scored (test/r2 is infinite): {OTHER_GATE_HINT}"
OTHER_ROWS = f"the champion olist/2 was scored on other rows (fedcba987654, not 0123456789ab): {OTHER_GATE_HINT}"
UNKNOWN_ROWS = f"the champion olist/2 was scored on other rows (unknown, not 0123456789ab): {OTHER_GATE_HINT}"


@pytest.mark.parametrize(
    ("champion", "deploy", "reason"),
    [
        (make_inputs(rows="0123456789abcdef", r2=0.4), True, UNNAMED),
        (make_inputs("olist/3", "0123456789abcdef", problem="its model was deleted"), False, DELETED),
        (make_inputs(rows="0123456789abcdef", r2=-INF), False, INFINITE),
        (make_inputs("olist/2", "fedcba9876543210", r2=0.1), False, OTHER_ROWS),
        (make_inputs("olist/2", "", r2=0.1), False, UNKNOWN_ROWS),
    ],
    ids=["without a name", "deleted", "infinite", "other rows", "unknown rows"],
)
def test_champion_may_lack_a_name_a_score_or_the_same_rows(champion: GateInputs, deploy: bool, reason: str) -> None:
    assert BETTER.decide(make_inputs(rows="0123456789abcdef", r2=0.5), champion) == Decision(deploy, reason)


@pytest.mark.parametrize("metric", GREATER_IS_BETTER)
def test_each_metric_beats_a_champion_in_its_own_direction(metric: str) -> None:
    gate, low, high = Champion(metric=metric), make_inputs(**{metric: 0.4}), make_inputs(**{metric: 0.5})
    greater = GREATER_IS_BETTER[metric]
    assert gate.decide(high, low).deploy is greater
    assert gate.decide(low, high).deploy is not greater
    assert gate.decide(low, low).deploy is True


def test_only_the_chosen_split_is_compared() -> None:
    candidate = GateInputs({"test/r2": 0.1, "validation/r2": 0.9})
    champion = GateInputs({"test/r2": 0.5, "validation/r2": 0.5})
    assert Champion(metric="r2", split="validation").decide(candidate, champion).deploy is True
    assert Champion(metric="r2", split="test").decide(candidate, champion).deploy is False


@given(numbers, numbers, minimums)
def test_error_and_mirrored_score_give_the_same_decision(ours: float, theirs: float, minimum: float) -> None:
    score = Champion(metric="r2", min_improvement=minimum).decide(make_inputs(r2=ours), make_inputs(r2=theirs))
    error = Champion(metric="rmse", min_improvement=minimum).decide(make_inputs(rmse=-ours), make_inputs(rmse=-theirs))
    assert score.deploy is error.deploy


@given(numbers, numbers, minimums, minimums)
def test_greater_minimum_improvement_never_opens_a_closed_gate(
    ours: float, theirs: float, minimum: float, more: float
) -> None:
    def opens(least: float) -> bool:
        return Champion(metric="r2", min_improvement=least).decide(make_inputs(r2=ours), make_inputs(r2=theirs)).deploy

    assert opens(minimum) or not opens(minimum + more)


@given(numbers, minimums)
@example(0.7, 0.1)
@example(0.9, 0.1)
@example(0.1, 0.2)
def test_exactly_the_minimum_improvement_passes(theirs: float, minimum: float) -> None:
    gate = Champion(metric="r2", min_improvement=minimum)
    assert gate.decide(make_inputs(r2=theirs + minimum), make_inputs(r2=theirs)).deploy is True


@given(numbers, st.integers(1, 1000))
def test_less_than_the_minimum_improvement_is_refused(theirs: float, thousandths: int) -> None:
    minimum = thousandths / 1000
    short = theirs + minimum - 1e-5
    assert (
        Champion(metric="r2", min_improvement=minimum).decide(make_inputs(r2=short), make_inputs(r2=theirs)).deploy
        is False
    )
