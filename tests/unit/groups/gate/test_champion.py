"""The gate that compares a model with the deployed one."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mlrunner.core.metric_names import GREATER_IS_BETTER
from mlrunner.groups.gate import Decision, GateInputs
from mlrunner.groups.gate.champion import Champion
from tests.support.gates import ANOTHER, deployed, scored

NAN, INF = float("nan"), float("inf")


numbers = st.floats(-1e6, 1e6)


asks = st.floats(0, 1e3)


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


@given(numbers, numbers, asks)
def test_an_error_beats_a_champion_as_the_mirrored_score_does(ours: float, theirs: float, asked: float) -> None:
    score = Champion(metric="r2", min_improvement=asked).decide(scored(r2=ours), scored(r2=theirs))
    error = Champion(metric="rmse", min_improvement=asked).decide(scored(rmse=-ours), scored(rmse=-theirs))
    assert score.deploy is error.deploy


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
