"""Digests of the rows that a run is judged by are equal where scores can be compared, and only there."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from mlrunner.core.column_roles import Roles
from mlrunner.core.folds import FINAL, FIT, HELD_OUT, STOP, UNUSED, mark_partition
from mlrunner.core.score_settings import CustomMetric, ScoreSettings
from mlrunner.steps.judged_rows import combine, describe_judged_rows
from mlrunner.steps.problem import Problem
from mlrunner.tracking.records.record import TEST_ROWS_TAG, VALIDATION_ROWS_TAG

TABLE = pd.DataFrame({"x": range(6), "tip": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], "fare": [2.0, 2.0, 1.0, 7.0, 1.0, 0.0]})
TIP = Problem(roles=Roles("tip"), task="regression", label="taxis")
FARE = Problem(roles=Roles("fare"), task="regression", label="taxis")
CLASSES = Problem(roles=Roles("tip"), task="classification", label="taxis")
NO_FOLDS = pd.DataFrame()


def digest(
    problem: Problem = TIP,
    test: pd.DataFrame = TABLE[4:],
    validation: pd.DataFrame = TABLE[2:4],
    objective: str = "r2",
) -> Any:
    return describe_judged_rows(problem, objective, test, validation, NO_FOLDS)


def score_by(alpha: float) -> Problem:
    pinball = CustomMetric(target="a.b", direction="minimize", task="regression", arguments={"alpha": alpha})
    return TIP.model_copy(update={"scoring": ScoreSettings(custom={"pinball": pinball})})


def test_features_and_labels_do_not_matter() -> None:
    other = TIP.model_copy(update={"label": "the same file"})
    assert digest(other, TABLE[4:].drop(columns="x"), TABLE[2:4].assign(z=1)) == digest()


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"problem": FARE}, id="target"),
        pytest.param({"problem": CLASSES}, id="task"),
        pytest.param({"test": TABLE[3:5], "validation": TABLE[1:3]}, id="rows"),
        pytest.param({"test": TABLE[4:].iloc[::-1], "validation": TABLE[2:4].iloc[::-1]}, id="order"),
        pytest.param({"test": TABLE[4:] * 2, "validation": TABLE[2:4] * 2}, id="values"),
    ],
)
def test_another_target_task_or_other_rows_have_other_digests(other: dict[str, Any]) -> None:
    tags, others = digest(), digest(**other)
    assert tags[TEST_ROWS_TAG] != others[TEST_ROWS_TAG]
    assert tags[VALIDATION_ROWS_TAG] != others[VALIDATION_ROWS_TAG]


def test_the_arguments_of_an_objective_of_ones_own_matter() -> None:
    first, same, other = (digest(score_by(alpha), objective="pinball") for alpha in (0.8, 0.8, 0.9))
    assert first == same
    assert all(first[tag] != other[tag] for tag in (TEST_ROWS_TAG, VALIDATION_ROWS_TAG))
    assert digest(score_by(0.8)) == digest(score_by(0.9)) == digest()  # r2 is the objective


def test_a_split_with_the_same_test_rows_has_the_same_digest_of_these() -> None:
    tags, others = digest(), digest(validation=TABLE[1:4])
    assert tags[TEST_ROWS_TAG] == others[TEST_ROWS_TAG]
    assert tags[VALIDATION_ROWS_TAG] != others[VALIDATION_ROWS_TAG]


def test_folds_take_the_place_of_the_validation_rows() -> None:
    folds = [mark_partition(numbers) for numbers in ([0, 1, 0, 1], [0, 1, 0, 1], [0, 0, 1, 1])]
    same, again, other = (describe_judged_rows(TIP, "r2", TABLE[4:], TABLE[:0], fold) for fold in folds)
    assert same == again != other
    assert same[TEST_ROWS_TAG] == other[TEST_ROWS_TAG] == digest()[TEST_ROWS_TAG]


def test_other_training_rows_of_a_fold_are_judged_by_the_same_rows() -> None:
    def tags(*marks: int) -> dict[str, str]:
        return describe_judged_rows(TIP, "r2", TABLE[4:], TABLE[:0], pd.DataFrame({"0": marks, FINAL: FIT}))

    assert tags(FIT, FIT, HELD_OUT, UNUSED) == tags(UNUSED, STOP, HELD_OUT, UNUSED)
    assert tags(FIT, FIT, HELD_OUT, UNUSED) != tags(FIT, FIT, UNUSED, HELD_OUT)


def test_a_refit_is_judged_by_the_test_rows_alone() -> None:
    assert describe_judged_rows(TIP, "r2", TABLE[4:]) == {TEST_ROWS_TAG: digest()[TEST_ROWS_TAG]}


def test_repeats_are_combined_in_their_order() -> None:
    one, two = digest(), digest(test=TABLE[3:5], validation=TABLE[:2])
    assert combine([one]) == one
    assert combine([one, two]) == combine([one, two]) != combine([two, one])
    assert combine([one, two]).keys() == one.keys()
