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


CHAMPIONS: dict[str, tuple[Champion, GateInputs, GateInputs | None, bool, str]] = {
    "first model": (
        BETTER,
        make_inputs(r2=0.43117),
        None,
        True,
        "test/r2 0.4312 has no champion to beat: nothing is deployed yet",
    ),
    "first model, NaN": (BETTER, make_inputs(r2=NAN), None, False, "test/r2 is NaN"),
    "first model, on the floor": (
        FLOOR,
        make_inputs(r2=0.3),
        None,
        True,
        "test/r2 0.3 is at least 0.3; test/r2 0.3 has no champion to beat: nothing is deployed yet",
    ),
    "first model, below the floor": (FLOOR, make_inputs(r2=0.2), None, False, "test/r2 0.2 is below 0.3"),
    "better": (
        BETTER,
        make_inputs(r2=0.4312),
        make_champion(r2=0.4101),
        True,
        "test/r2 0.4312 beats olist/2's 0.4101 by 0.0211 (at least 0.01 required)",
    ),
    "not enough better": (
        BETTER,
        make_inputs(r2=0.4151),
        make_champion(r2=0.4101),
        False,
        "test/r2 0.4151 beats olist/2's 0.4101 by 0.005, but must improve by at least 0.01",
    ),
    "a hair from enough": (
        BETTER,
        make_inputs(r2=0.4200999),
        make_champion(r2=0.4101),
        False,
        "test/r2 0.4201 beats olist/2's 0.4101 by 0.0099999, but must improve by at least 0.01",
    ),
    "equal, improvement required": (
        BETTER,
        make_inputs(r2=0.4),
        make_champion(r2=0.4),
        False,
        "test/r2 0.4 equals olist/2's 0.4, but must improve by at least 0.01",
    ),
    "equal, as good required": (
        AS_GOOD,
        make_inputs(r2=0.4),
        make_champion(r2=0.4),
        True,
        "test/r2 0.4 equals olist/2's 0.4 (at least as good required)",
    ),
    "equal but for the order of a sum": (
        AS_GOOD,
        make_inputs(r2=math.nextafter(0.7, 0)),
        make_champion(r2=0.7),
        True,
        "test/r2 0.7 equals olist/2's 0.7 (at least as good required)",
    ),
    "worse": (
        BETTER,
        make_inputs(r2=0.4),
        make_champion(r2=0.41),
        False,
        "test/r2 0.4 is 0.01 worse than olist/2's 0.41, but must improve by at least 0.01",
    ),
    "worse by a hair, as good required": (
        AS_GOOD,
        make_inputs(r2=0.40999996),
        make_champion(r2=0.41),
        False,
        "test/r2 0.40999996 is 4e-08 worse than olist/2's 0.41, but must be at least as good",
    ),
    "better by a hair, as good required": (
        AS_GOOD,
        make_inputs(r2=0.43125),
        make_champion(r2=0.43124),
        True,
        "test/r2 0.43125 beats olist/2's 0.43124 by 1e-05 (at least as good required)",
    ),
    "champion without a name": (
        BETTER,
        make_inputs(r2=0.5),
        make_inputs(r2=0.4),
        True,
        "test/r2 0.5 beats the champion's 0.4 by 0.1 (at least 0.01 required)",
    ),
    "error smaller": (
        ERROR,
        make_inputs(rmse=0.3),
        make_champion(rmse=0.35),
        True,
        "test/rmse 0.3 beats olist/2's 0.35 by 0.05 (at least 0.01 required)",
    ),
    "worse, above the floor": (
        FLOOR,
        make_inputs(r2=0.4),
        make_champion(r2=0.5),
        False,
        "test/r2 0.4 is 0.1 worse than olist/2's 0.5, but must improve by at least 0.01",
    ),
    "worse, below the floor": (
        FLOOR,
        make_inputs(r2=0.2),
        make_champion(r2=0.5),
        False,
        "test/r2 0.2 is below 0.3; test/r2 0.2 is 0.3 worse than olist/2's 0.5, but must improve by at least 0.01",
    ),
    "better, above the ceiling": (
        Champion(metric="rmse", threshold=0.5),
        make_inputs(rmse=0.6),
        make_champion(rmse=0.7),
        False,
        "test/rmse 0.6 is above 0.5",
    ),
    "champion gone": (
        BETTER,
        make_inputs(r2=0.9),
        make_inputs("olist/3", problem="its model was deleted"),
        False,
        f"the champion olist/3 cannot be scored (its model was deleted): {OTHER_GATE_HINT}",
    ),
    "champion NaN": (
        BETTER,
        make_inputs(r2=0.9),
        make_champion(r2=NAN),
        False,
        f"the champion olist/2 cannot be scored (test/r2 is NaN): {OTHER_GATE_HINT}",
    ),
    "champion minus infinite, no name": (
        BETTER,
        make_inputs(r2=0.1),
        make_inputs(r2=-INF),
        False,
        f"the champion cannot be scored (test/r2 is infinite): {OTHER_GATE_HINT}",
    ),
    "other rows": (
        BETTER,
        make_inputs(rows="0123456789abcdef", r2=0.9),
        make_inputs("olist/2", "fedcba9876543210", r2=0.1),
        False,
        f"the champion olist/2 was scored on other rows (fedcba987654, not 0123456789ab): {OTHER_GATE_HINT}",
    ),
    "unknown rows": (
        BETTER,
        make_inputs(rows="0123", r2=0.9),
        make_inputs("olist/2", "", r2=0.1),
        False,
        f"the champion olist/2 was scored on other rows (unknown, not 0123): {OTHER_GATE_HINT}",
    ),
}


@pytest.mark.parametrize(("gate", "candidate", "champion", "deploy", "reason"), CHAMPIONS.values(), ids=CHAMPIONS)
def test_candidate_is_compared_with_the_champion(
    gate: Champion, candidate: GateInputs, champion: GateInputs | None, deploy: bool, reason: str
) -> None:
    assert gate.decide(candidate, champion) == Decision(deploy, reason)


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
