"""Divisions with training rows of a single class, and the changes that are proposed."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from mlrunner.core.column_roles import Roles
from mlrunner.groups.split import (
    DataDivideStrategy,
    GroupedDivide,
    GroupedKFoldDivide,
    KFoldDivide,
    RandomDivide,
    TimeOrderedDivide,
)
from mlrunner.groups.split.division_check import DivisionCheck
from mlrunner.groups.split.time_series import ExpandingDivide, RollingDivide

BY_TIME: dict[str, Any] = {"test": 0.25, "folds": 2, "time": "day"}
HOLD_OUT: dict[str, Any] = {"train": None, "validation": 0.25, "test": 0.25}
LATE = "aaaaaaaaaabababababababa"  # 24 rows: the test are the newest 6, two folds of 4 the rows before
EARLY = "bbbabaaaaaaabaaaaaaaabab"
RARE = "ab" + "a" * 22


def check(split: DataDivideStrategy, labels: str, stops_early: bool = False, **columns: Any) -> list[str]:
    table = pd.DataFrame({"day": range(len(labels)), "y": [*labels], **columns})
    roles = Roles("y", time="day", group="g" if columns else None)
    return list(DivisionCheck(table, roles, True, stops_early).problems(split))


def sentence(part: str, rows: int, label: str, advice: str) -> list[str]:
    return [f"split: {part} has {rows} rows to train on, all of class '{label}' of 'y'; {advice}."]


@pytest.mark.parametrize(
    ("split", "labels", "part", "rows", "advice"),
    [
        (ExpandingDivide(**BY_TIME), LATE, "fold 1 of 2", 10, "set split.validation_size=2"),
        (RollingDivide(**BY_TIME), LATE, "fold 1 of 2", 10, "set split.validation_size=2"),
        (RollingDivide(**BY_TIME, max_train_size=5), EARLY, "fold 1 of 2", 5, "set split.max_train_size=null"),
        (
            ExpandingDivide(**BY_TIME, max_train_size=3),
            "ab" * 7 + "aaaa" + "ababab",
            "the final model",
            3,
            "set split.max_train_size=null",
        ),
        (ExpandingDivide(**BY_TIME), "a" * 18 + "b" * 6, "fold 1 of 2", 10, "choose split=stratified_kfold"),
        (TimeOrderedDivide(**HOLD_OUT, time="day"), "a" * 12 + "b" * 12, "the model", 12, "choose split=stratified"),
        (KFoldDivide(test=0.25, folds=2, seed=4), RARE, "fold 1 of 2", 9, "read more rows of the other classes"),
    ],
    ids=["expanding", "rolling", "window", "final window", "last class", "time_ordered", "one row"],
)
def test_training_rows_of_a_single_class_are_refused_with_a_change_that_helps(
    split: DataDivideStrategy, labels: str, part: str, rows: int, advice: str
) -> None:
    assert check(split, labels) == sentence(part, rows, "a", advice)


def test_groups_of_one_class_are_refused() -> None:
    """Each part and each fold is one of three groups of 8 rows, of one class each."""
    labels, groups = "a" * 16 + "b" * 8, [row // 8 for row in range(24)]
    settings = {"seed": 0, "group": "g"}
    for split in (GroupedKFoldDivide(test=0.3, folds=2, **settings), GroupedDivide(**HOLD_OUT, **settings)):
        [message] = check(split, labels, g=groups)
        assert message.startswith("split: ")
        assert " 8 rows to train on, all of class " in message


def test_rows_for_early_stopping_may_leave_a_single_class() -> None:
    """Of the 14 training rows of the second fold, the newest fifth ends the boosting: from row 11 on."""
    labels = "a" * 8 + "aaab" + "ab" * 6
    assert check(ExpandingDivide(**BY_TIME, validation_size=2), labels) == []
    assert check(ExpandingDivide(**BY_TIME, validation_size=2), labels, stops_early=True) == sentence(
        "beside the rows of model.early_stopping, fold 1 of 2", 11, "a", "set model.early_stopping=null"
    )


def test_rows_that_cannot_be_divided_are_refused_with_the_reason() -> None:
    [message] = check(ExpandingDivide(**BY_TIME, gap=12), LATE)
    assert "split.gap=12" in message


def test_regression_and_several_classes_are_possible() -> None:
    table = pd.DataFrame({"y": [1.0] * 24})
    split = RandomDivide(**HOLD_OUT, seed=0)
    assert list(DivisionCheck(table, Roles("y"), is_classification=False).problems(split)) == []
    assert check(split, "ab" * 12) == []
