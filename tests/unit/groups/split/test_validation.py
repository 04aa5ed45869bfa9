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


RANGE = "a share must be above 0 and below 1."
SUM = "they must sum to 1, or one can be null to take the rest."
ALL_SHARES = "split.train, split.validation and split.test are"
LEAVES_0 = "split.validation and split.test are 0.5 and 0.5, which leaves 0 for split.train; lower one of them."
TWO_NULLS = "split.train and split.validation are null, but only one can take the rest; give the others a number."


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ((0.7, 0.2, 0.2), f"{ALL_SHARES} 0.7, 0.2 and 0.2, which sum to 1.1; {SUM}"),
        ((0.5, 0.2, 0.2), f"{ALL_SHARES} 0.5, 0.2 and 0.2, which sum to 0.9; {SUM}"),
        ((None, 0.5, 0.5), LEAVES_0),
        ((None, None, 0.5), TWO_NULLS),
        ((0.8, 0, 0.2), f"split.validation is 0; {RANGE}"),
        ((None, -0.1, 0.2), f"split.validation is -0.1; {RANGE}"),
        ((None, 0.1, 20), f"split.test is 20; {RANGE}"),
        ((None, 0.1, float("nan")), f"split.test is nan; {RANGE}"),
    ],
)
def test_impossible_shares_are_refused_with_the_numbers(numbers: Any, message: str) -> None:
    assert share_problems(shares(*numbers)) == [message]


def test_all_impossible_shares_are_reported_together() -> None:
    assert len(share_problems(shares(-1, 2, 0))) == 3


PARTS = "one each for train, validation and test, but the data has"
EMPTY = "split.validation is 0.05, which is less than one of 6 rows; raise it to at least 0.167, or read more rows."


@pytest.mark.parametrize(
    ("rows", "groups", "messages"),
    [
        (100, None, []),
        (100, 3, []),
        (2, None, [f"split needs at least 3 rows, {PARTS} 2."]),
        (100, 2, [f"split needs at least 3 groups, {PARTS} 2."]),
        (6, None, [EMPTY]),
        (0, None, [f"split needs at least 3 rows, {PARTS} 0."]),
    ],
)
def test_a_part_without_rows_is_refused(rows: int, groups: int | None, messages: list[str]) -> None:
    assert part_problems({"train": 0.75, "validation": 0.05, "test": 0.2}, rows, groups) == messages


@pytest.mark.parametrize(
    ("folds", "rows", "groups", "message"),
    [
        (5, 100, None, None),
        (8, 10, None, None),
        (1, 100, None, "1; cross-validation needs at least 2."),
        (-3, 100, None, "-3; cross-validation needs at least 2."),
        (9, 10, None, "9, but of 10 rows split.test=0.2 leaves 8; choose split.folds=8 or fewer, or read more rows."),
        (5, 100, 4, "5, but of 4 groups split.test=0.2 leaves 3; choose split.folds=3 or fewer, or read more rows."),
        (2, 100, 2, "2, but of 2 groups split.test=0.2 leaves 1; read more rows."),
    ],
)
def test_folds_that_cannot_be_filled_are_refused(
    folds: int, rows: int, groups: int | None, message: str | None
) -> None:
    expected = [] if message is None else [f"split.folds is {message}"]
    assert fold_problems(folds, 0.2, rows, groups) == expected


def test_a_class_rarer_than_the_parts_is_refused() -> None:
    assert class_problems(None, 3, "three parts") == []
    assert class_problems(3, 3, "three parts") == []
    assert class_problems(2, 3, "three parts") == [
        "the rarest class of the target has 2 members (rows or whole groups), but three parts need at least 3; "
        "choose split=80_20, or leave that class out."
    ]


@pytest.mark.parametrize(
    ("members", "folds", "advice"),
    [(4, 5, "split.folds=3"), (3, 5, "split.folds=2"), (2, 5, "split=80_20"), (5, 5, "split.folds=4")],
)
def test_a_class_rarer_than_the_folds_advises_folds_that_it_can_fill(members: int, folds: int, advice: str) -> None:
    [message] = class_problems(members, folds + 1, f"{folds} folds and the test", folds)
    assert f"has {members} members" in message
    assert f"need at least {folds + 1}; choose {advice}, or leave that class out." in message
    if "folds" in advice:
        fewer = int(advice.rpartition("=")[2])
        assert class_problems(members, fewer + 1, "", fewer) == []
