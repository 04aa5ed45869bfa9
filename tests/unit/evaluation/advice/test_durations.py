"""Warning about two date columns between which the target is the time."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mlrunner.core.column_roles import Roles, Task
from mlrunner.evaluation.advice.durations import find_unit, warn_of_durations
from mlrunner.evaluation.advice.facts import TableFacts
from tests.support.advice import ROWS, texts

STARTS = pd.Series(pd.date_range("2020-01-30", periods=ROWS))
DAYS = np.array([row * 37 % 61 for row in range(ROWS)])  # 0 to 60
ENDS = STARTS + pd.to_timedelta(DAYS, unit="D")
DATES = {"diagnosed": "iso", "died": "%d.%m.%Y"}


def make_facts(target: np.ndarray, task: Task = "regression") -> TableFacts:
    table = pd.DataFrame({"diagnosed": STARTS, "died": ENDS.dt.strftime("%d.%m.%Y"), "y": target})
    return TableFacts(table, Roles("y"), task, dates=DATES)


@pytest.mark.parametrize(
    ("target", "unit"),
    [
        (DAYS, "days"),
        (DAYS + 1, "days"),  # both days are counted
        (DAYS * 24.0, "hours"),
        (DAYS + 0.9 * np.sin(np.arange(ROWS)), "days"),  # the dates have lost the time of the day
        (np.where(np.arange(ROWS) < 20, np.nan, DAYS), "days"),
        (np.where(np.arange(ROWS) < 31, np.nan, DAYS), None),  # 29 known rows
        (np.roll(DAYS, 1), None),
        (DAYS + 2, None),
        (DAYS // 30, None),  # months: 0, 1 and 2 are near any short duration
    ],
)
def test_a_target_that_is_the_time_between_two_dates_is_named(target: np.ndarray, unit: str | None) -> None:
    sentence = f"diagnosed and died together give y, as the {unit} between them: if died is known only afterwards, "
    assert texts(warn_of_durations, make_facts(target)) == ([f"{sentence}dataset.ignore=[died]."] if unit else [])


def test_only_a_regression_on_two_date_columns_is_looked_at() -> None:
    assert texts(warn_of_durations, make_facts(DAYS, "classification")) == []
    assert texts(warn_of_durations, make_facts(DAYS.astype(str))) == []
    table = make_facts(DAYS).table
    assert texts(warn_of_durations, TableFacts(table, Roles("y"), "regression", dates={"died": "%d.%m.%Y"})) == []


@pytest.mark.parametrize(
    ("unit", "seconds"), [("hours", 3_600), ("minutes", 60), ("seconds", 1), ("weeks", 604_800), ("years", 31_556_952)]
)
def test_whole_units_are_recognized(unit: str, seconds: int) -> None:
    lengths = np.linspace(0, 60, ROWS)  # in units
    assert find_unit(lengths * seconds, np.floor(lengths)) == unit
    assert find_unit(lengths * seconds, np.floor(lengths) * 1.1) is None  # off by 6 at the end


def test_months_of_different_lengths_are_recognized() -> None:
    starts, ends = pd.to_datetime("2020-01-31"), pd.date_range("2020-02-01", periods=50, freq="MS")
    assert find_unit((ends - starts).total_seconds().to_numpy(), np.arange(50.0)) == "months"  # 2020-03-01: 1 month
