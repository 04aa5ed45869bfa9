"""The rule between the split and the rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mlrunner.composition.findings import Data, Findings
from mlrunner.composition.rules import check_features
from mlrunner.composition.split_rules import check_sizes
from mlrunner.core.column_roles import Task
from mlrunner.groups.cleaning import DateFeatures, KeepAll, RobustPreprocess
from mlrunner.groups.dataset import TableDataset
from mlrunner.groups.split import GroupedDivide, TimeOrderedDivide
from mlrunner.groups.split.time_series import ExpandingDivide
from mlrunner.groups.strategy import CleaningStrategy

BY_TIME = {"test": 0.25, "folds": 2, "validation_size": 2, "time": "day"}


def findings(table: pd.DataFrame, split: Any, task: Task, cleaning: CleaningStrategy, **roles: Any) -> Findings:
    dataset = TableDataset(name="t", path="t.csv", target="y", **roles)
    built = {"split": split, "cleaning": cleaning, "model": None}
    return Findings(Data(dataset, table, "digest", task), task, built, "r2", Path())


def test_too_few_groups_of_numbers_lead_to_the_dtypes() -> None:
    table = pd.DataFrame({"customer": [1, 2, 1, 2], "y": [1.0, 2.0, 3.0, 4.0]})
    split = GroupedDivide(train=0.6, validation=0.2, test=0.2, seed=0, group="customer")
    [sentence] = check_sizes(findings(table, split, "regression", KeepAll(), group="customer"))
    assert sentence == (
        "split needs at least 3 groups, one each for train, validation and test, but the data has 2. "
        "If its codes differ by leading zeros, set 'dataset.dtypes={customer: str}'."
    )


def test_rows_of_a_single_class_are_refused_before_any_fit() -> None:
    """Of 8 rows, 2 are the test and 2 of each fold; the first fold trains on the oldest 2."""
    table = pd.DataFrame({"day": range(8), "x": range(8), "y": [*"aabbabab"]})
    split = ExpandingDivide(**BY_TIME)
    [sentence] = check_sizes(findings(table, split, "classification", KeepAll(), time="day"))
    assert sentence.startswith("split: fold 1 of 2 has 2 rows to train on, all of class 'a' of 'y'; ")
    assert list(check_sizes(findings(table.assign(y=range(8)), split, "regression", KeepAll(), time="day"))) == []


def test_rows_that_the_cleaning_leaves_out_do_not_count() -> None:
    """The first fold trains on the 5 oldest of 12 rows; without the 3 repeated ones, on the 3 oldest of 9."""
    table = pd.DataFrame({"day": [0, 0, 0, *range(9)], "x": 0, "y": [*"aaaaabababab"]})
    split = ExpandingDivide(**BY_TIME)
    assert list(check_sizes(findings(table, split, "classification", RobustPreprocess(), time="day"))) == []
    assert len([*check_sizes(findings(table, split, "classification", KeepAll(), time="day"))]) == 1


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_dates_of_the_split_with_two_readings_need_one_setting(task: Task) -> None:
    days = [f"0{1 + row % 9}/0{1 + row % 8}/2024" for row in range(60)]
    table = pd.DataFrame({"day": days, "x": range(60), "y": [row % 2 for row in range(60)]})
    split = TimeOrderedDivide(train=None, validation=0.2, test=0.2, time="day")
    unset = findings(table, split, task, DateFeatures(time="day"), time="day")
    [sentence] = [*check_features(unset), *check_sizes(unset)]
    assert "set split.date_format='%d/%m/%Y' or split.date_format='%m/%d/%Y'" in sentence
    split = TimeOrderedDivide(train=None, validation=0.2, test=0.2, time="day", date_format="%m/%d/%Y")
    settled = findings(table, split, task, DateFeatures(time="day", time_format="%m/%d/%Y"), time="day")
    assert [*check_features(settled), *check_sizes(settled)] == []
