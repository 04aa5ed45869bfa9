"""Messages for impossible sizes of a split."""

from __future__ import annotations

from typing import Any

import pytest

from mlrunner.groups.split.validation import (
    class_problems,
    complete_shares,
    fold_problems,
    part_problems,
    share_problems,
)


def shares(train: float | None, validation: float | None, test: float | None) -> dict[str, float | None]:
    """Return the shares of a hold-out by part."""
    return {"train": train, "validation": validation, "test": test}


@pytest.mark.parametrize(
    ("numbers", "rest"),
    [
        pytest.param((None, 0.16, 0.2), 0.64, id="train"),
        pytest.param((0.7, None, 0.1), 0.2, id="validation"),
        pytest.param((0.6, 0.3, None), 0.1, id="test"),
    ],
)
def test_a_null_share_takes_the_rest(numbers: Any, rest: float) -> None:
    assert share_problems(shares(*numbers)) == []
    result = list(complete_shares(shares(*numbers)).values())
    assert result[numbers.index(None)] == pytest.approx(rest)
    assert sum(result) == pytest.approx(1)


@pytest.mark.parametrize("numbers", [(0.7, 0.2, 0.1), (0.6, 0.2, 0.2), (0.34, 0.33, 0.33)])
def test_shares_may_miss_1_by_rounding(numbers: Any) -> None:
    assert share_problems(shares(*numbers)) == []


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        pytest.param(
            (0.7, 0.2, 0.2),
            "split.train, split.validation and split.test are 0.7, 0.2 and 0.2, which sum to 1.1; "
            "they must sum to 1, or one can be null to take the rest.",
            id="too much",
        ),
        pytest.param(
            (0.5, 0.2, 0.2),
            "split.train, split.validation and split.test are 0.5, 0.2 and 0.2, which sum to 0.9; "
            "they must sum to 1, or one can be null to take the rest.",
            id="too little",
        ),
        pytest.param(
            (None, 0.5, 0.5),
            "split.validation and split.test are 0.5 and 0.5, which leaves 0 for split.train; lower one of them.",
            id="nothing left",
        ),
        pytest.param(
            (None, None, 0.5),
            "split.train and split.validation are null, but only one can take the rest; give the others a number.",
            id="two nulls",
        ),
        pytest.param((0.8, 0, 0.2), "split.validation is 0; a share must be above 0 and below 1.", id="zero"),
        pytest.param(
            (None, -0.1, 0.2), "split.validation is -0.1; a share must be above 0 and below 1.", id="negative"
        ),
        pytest.param((None, 0.1, 20), "split.test is 20; a share must be above 0 and below 1.", id="rows or percent"),
        pytest.param(
            (None, 0.1, float("nan")), "split.test is nan; a share must be above 0 and below 1.", id="not a number"
        ),
    ],
)
def test_impossible_shares_are_refused_with_the_numbers(numbers: Any, message: str) -> None:
    assert share_problems(shares(*numbers)) == [message]


def test_all_impossible_shares_are_reported_together() -> None:
    assert len(share_problems(shares(-1, 2, 0))) == 3


@pytest.mark.parametrize(
    ("rows", "groups", "messages"),
    [
        pytest.param(100, None, [], id="enough rows"),
        pytest.param(100, 3, [], id="enough groups"),
        pytest.param(
            2,
            None,
            ["split needs at least 3 rows, one each for train, validation and test, but the data has 2."],
            id="few rows",
        ),
        pytest.param(
            100,
            2,
            ["split needs at least 3 groups, one each for train, validation and test, but the data has 2."],
            id="few groups",
        ),
        pytest.param(
            6,
            None,
            [
                "split.validation is 0.05, which is less than one of 6 rows; "
                "raise it to at least 0.167, or read more rows."
            ],
            id="an empty part",
        ),
        pytest.param(
            0,
            None,
            ["split needs at least 3 rows, one each for train, validation and test, but the data has 0."],
            id="no row",
        ),
    ],
)
def test_a_part_without_rows_is_refused(rows: int, groups: int | None, messages: list[str]) -> None:
    assert part_problems({"train": 0.75, "validation": 0.05, "test": 0.2}, rows, groups) == messages


@pytest.mark.parametrize(
    ("folds", "rows", "groups", "messages"),
    [
        pytest.param(5, 100, None, [], id="enough"),
        pytest.param(8, 10, None, [], id="as many as are left"),
        pytest.param(1, 100, None, ["split.folds is 1; cross-validation needs at least 2."], id="one"),
        pytest.param(-3, 100, None, ["split.folds is -3; cross-validation needs at least 2."], id="negative"),
        pytest.param(
            9,
            10,
            None,
            ["split.folds is 9, but of 10 rows split.test=0.2 leaves 8; choose at most 8 folds, or read more rows."],
            id="fewer rows than folds",
        ),
        pytest.param(
            5,
            100,
            4,
            ["split.folds is 5, but of 4 groups split.test=0.2 leaves 3; choose at most 3 folds, or read more rows."],
            id="fewer groups than folds",
        ),
        pytest.param(
            2,
            100,
            2,
            ["split.folds is 2, but of 2 groups split.test=0.2 leaves 1; read more rows."],
            id="no number of folds would do",
        ),
    ],
)
def test_folds_that_cannot_be_filled_are_refused(
    folds: int, rows: int, groups: int | None, messages: list[str]
) -> None:
    assert fold_problems(folds, 0.2, rows, groups) == messages


def test_a_class_rarer_than_the_parts_is_refused() -> None:
    assert class_problems(None, 3, "three parts") == []
    assert class_problems(3, 3, "three parts") == []
    assert class_problems(2, 3, "three parts") == [
        "the rarest class of the target has 2 members (rows or whole groups), but three parts need at least 3; "
        "choose split=80_20 or split=kfold, or leave that class out."
    ]
