"""Folds by time: the rows of each fold of a table of twelve rows, and the message for each impossible one."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import TimeSeriesSplit

from mlrunner.core.build import build
from mlrunner.core.errors import ConfigError, DataError, ProblemsError
from mlrunner.core.folds import FINAL, list_folds, read_fold
from tests.support.splits import build_option

LABELS = [*"abcdefghijkl"]
ROWS = np.random.default_rng(1).permutation(12)  # the table is in another order than that of time
SMALL = {"folds": 2, "test": 0.25}  # 3 test rows; of the 9 others each fold holds out 9 // 4 = 2


def twelve(days: list[int]) -> pd.DataFrame:
    """Build a table of the rows a to l, in order of time, and shuffle it."""
    when = [f"2024-01-{day:02}" for day in days]
    return pd.DataFrame({"when": when, "y": 0.0}, index=LABELS).iloc[ROWS]


def divide(name: str, days: list[int], **settings: Any) -> list[str]:
    """Write each fold and the final model as `training rows > held-out rows`."""
    result = build_option(name, **SMALL, **settings).handle_data(twelve(days))
    assert result.folds is not None
    assert result.folds.index.equals(result.train.index)
    labels, folds = result.train.index, [*list_folds(result.folds), read_fold(result.folds[FINAL])]
    scored = [*(labels[fold.held_out] for fold in folds[:-1]), result.test.index]
    pairs = zip(folds, scored, strict=True)
    return [f"{''.join(sorted(labels[fold.train]))} > {''.join(sorted(rows))}" for fold, rows in pairs]


DAILY = list(range(1, 13))
# row   a  b  c  d  e  f  g  h  i  j   k   l
TIES = [1, 2, 3, 4, 5, 5, 5, 8, 9, 9, 10, 11]


@pytest.mark.parametrize(
    ("name", "days", "settings", "rows"),
    [
        ("expanding", DAILY, {}, ["abcde > fg", "abcdefg > hi", "abcdefghi > jkl"]),
        ("expanding", DAILY, {"gap": 2}, ["abc > fg", "abcde > hi", "abcdefg > jkl"]),
        ("expanding", DAILY, {"gap": "2D"}, ["abc > fg", "abcde > hi", "abcdefg > jkl"]),
        ("expanding", DAILY, {"max_train_size": 6}, ["abcde > fg", "bcdefg > hi", "defghi > jkl"]),
        ("expanding", DAILY, {"validation_size": 1}, ["abcdefg > h", "abcdefgh > i", "abcdefghi > jkl"]),
        ("expanding", DAILY, {"validation_size": 4}, ["a > bcde", "abcde > fghi", "abcdefghi > jkl"]),
        ("rolling", DAILY, {}, ["abcde > fg", "cdefg > hi", "efghi > jkl"]),
        ("rolling", DAILY, {"gap": 1}, ["abcd > fg", "cdef > hi", "efgh > jkl"]),
        ("rolling", DAILY, {"max_train_size": 2}, ["de > fg", "fg > hi", "hi > jkl"]),
        ("rolling", DAILY, {"gap": 1, "max_train_size": "3D"}, ["bcd > fg", "def > hi", "fgh > jkl"]),
        ("rolling", DAILY, {"gap": "1D", "max_train_size": 3}, ["bcd > fg", "def > hi", "fgh > jkl"]),
        # The cuts between e and f and between i and j would divide day 5 and day 9, and move to the nearer end of each.
        ("expanding", TIES, {}, ["abcd > efg", "abcdefg > h", "abcdefgh > ijkl"]),
        ("expanding", TIES, {"gap": 1}, ["abc > efg", "abcd > h", "abcdefg > ijkl"]),
        ("expanding", TIES, {"gap": "3D"}, ["a > efg", "abcd > h", "abcdefg > ijkl"]),
        ("rolling", TIES, {}, ["abcd > efg", "defg > h", "efgh > ijkl"]),
        ("rolling", TIES, {"gap": 1, "max_train_size": 4}, ["abc > efg", "abcd > h", "defg > ijkl"]),
    ],
)
def test_the_rows_of_each_fold_are_those_worked_out_by_hand(
    name: str, days: list[int], settings: dict[str, Any], rows: list[str]
) -> None:
    assert divide(name, days, **settings) == rows


@pytest.mark.parametrize(("gap", "size", "limit"), [(0, 10, None), (7, 10, 25), (3, 13, 20)])
def test_without_ties_the_folds_are_those_of_scikit_learn(gap: int, size: int, limit: int | None) -> None:
    table = pd.DataFrame({"when": np.arange(100), "y": 0.0})
    option = build_option("expanding", folds=4, gap=gap, validation_size=size, max_train_size=limit)
    result = option.handle_data(table)
    expected = TimeSeriesSplit(n_splits=4, gap=gap, test_size=size, max_train_size=limit).split(table[:80])
    assert result.folds is not None
    for fold, (train, test) in zip(list_folds(result.folds), expected, strict=True):
        assert (fold.train.tolist(), fold.held_out.tolist()) == (train.tolist(), test.tolist())


LENGTH = "but should be a number of rows, like 100, or a time span, like 7D or 12h."
EMPTY = "of 2 has no rows to train on: split.gap"
LESS = "lower split.gap, split.folds or split.validation_size, or read more rows."
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"time": None}, "split.time is not set, but this split goes by time; name the column in dataset.time, or choose "
     "split=80_20."),
    ({"test": 1.5}, "split.test is 1.5; a share must be above 0 and below 1."),
    ({"folds": 1}, "split.folds is 1; cross-validation needs at least 2."),
    ({"folds": 5}, "split.folds is 5, but of 12 rows split.test=0.25 leaves 9; choose split.folds=4 or fewer, or read "
     "more rows."),
    ({"gap": "7"}, f"split.gap is 7, {LENGTH}"),
    ({"max_train_size": 0}, f"split.max_train_size is 0, {LENGTH}"),
    ({"gap": 5}, f"fold 1 {EMPTY}=5 leaves none of 5 older rows; {LESS}"),
    ({"validation_size": 5}, "split.validation_size is 5, but 2 folds of that size leave none of the 9 rows beside the "
     "test to train on; lower it or split.folds, or read more rows."),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "message"), REFUSED)
def test_what_is_impossible_is_refused_by_the_number_of_rows(settings: dict[str, Any], message: str) -> None:
    option = build_option("rolling", **{**SMALL, **settings})
    assert option.problems(12, 1, 1) == [message]
    with pytest.raises(ConfigError) as caught:
        option.handle_data(twelve(DAILY))
    assert str(caught.value) == message


@pytest.mark.parametrize("value", [1.5, [7]])
@pytest.mark.parametrize("key", ["gap", "max_train_size"])
def test_a_length_of_another_type_is_refused_with_what_is_possible(key: str, value: Any) -> None:
    target = "mlrunner.groups.split.time_series.RollingDivide"
    with pytest.raises(ProblemsError) as caught:
        build({"_target_": target, "time": "when", **SMALL, key: value}, "split")
    assert str(caught.value) == f"split.{key}={json.dumps(value)} {LENGTH.removeprefix('but ')}"


@pytest.mark.parametrize(
    ("settings", "days", "message"),
    [
        (
            {"gap": "5D"},
            DAILY,
            f"fold 1 {EMPTY}=5D leaves none of 5 older rows; {LESS}",
        ),
        (
            {"max_train_size": "1h", "gap": 1},
            DAILY,
            f"fold 1 {EMPTY}=1 with split.max_train_size=1h leaves none of 5 older rows; "
            f"raise split.max_train_size, {LESS}",
        ),
        (
            {"max_train_size": 2},
            TIES,
            f"fold 2 {EMPTY}=0 with split.max_train_size=2 leaves none of 7 older rows; "
            f"raise split.max_train_size, {LESS}",
        ),
        (
            {},
            [1, 2, 2] * 4,
            "split.time is 'when', which has 2 different moments, but 4 parts need one each; name a finer column in "
            "dataset.time, or choose split=80_20.",
        ),
    ],
    ids=["gap", "window", "large moment", "few moments"],
)
def test_what_the_moments_rule_out_is_refused_by_the_rows(
    settings: dict[str, Any], days: list[int], message: str
) -> None:
    option, table = build_option("rolling", **{**SMALL, **settings}), twelve(days)
    assert option.problems(12, None, None) == []
    with pytest.raises(DataError) as caught:
        option.handle_data(table)
    assert str(caught.value) == message


def test_a_time_span_needs_dates() -> None:
    table = twelve(DAILY).assign(when=range(12))
    with pytest.raises(DataError) as caught:
        build_option("rolling", **SMALL, gap="7D").handle_data(table)
    assert str(caught.value) == "split.gap is 7D, but 'when' holds numbers and no dates; give a number of rows."
