"""Warnings about sorted rows."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from mlrunner.core.column_roles import Roles
from mlrunner.evaluation.advice.order import warn_of_sorted_number, warn_of_sorted_target, warn_of_sorted_time
from tests.support.advice import ROWS, facts, texts

DAYS = pd.date_range("2020-01-01", periods=ROWS)


@pytest.mark.parametrize(
    ("target", "is_random", "warns"),
    [
        (["a"] * 20 + ["b"] * 40, True, True),
        (list(range(ROWS, 0, -1)), True, True),
        (["a"] * 20 + ["b"] * 40, False, False),
        (["a", "b"] * 30, True, False),
        (["a"] * 60, True, False),
        ([1, "a"] * 29 + [2, "b"], True, False),
    ],
)
def test_rows_in_the_order_of_the_target_are_named(target: list[object], is_random: bool, warns: bool) -> None:
    assert len(texts(warn_of_sorted_target, facts("classification", is_random, y=target))) == warns


def test_rows_in_the_order_of_a_date_are_named_with_the_split_to_choose() -> None:
    (text,) = texts(warn_of_sorted_time, facts(day=DAYS))
    assert text.endswith("split=time_ordered dataset.time=day.")
    (text,) = texts(warn_of_sorted_time, facts(roles=Roles("y", time="day"), day=DAYS))
    assert text.startswith("the rows are in the order of day, and the split is at random")
    assert texts(warn_of_sorted_time, facts(is_random=False, day=DAYS)) == []
    assert texts(warn_of_sorted_time, facts(day=DAYS[::7].append(DAYS)[:ROWS])) == []


def test_dates_as_text_are_in_the_order_of_time_not_of_letters() -> None:
    table = facts(day=DAYS.strftime("%d.%m.%Y"))  # 02.01.2020 is before 01.02.2020
    (text,) = texts(warn_of_sorted_time, replace(table, dates={"day": "%d.%m.%Y"}))
    assert text.endswith("split=time_ordered dataset.time=day.")
    assert texts(warn_of_sorted_time, table) == []  # not read as dates
    by_letters = facts(day=sorted(DAYS.strftime("%d.%m.%Y")))
    assert texts(warn_of_sorted_time, replace(by_letters, dates={"day": "%d.%m.%Y"})) == []


@pytest.mark.parametrize(
    ("values", "is_random", "warns"),
    [
        ([row // 4 for row in range(ROWS)], True, True),  # 15 days of four rows
        ([row // 4 for row in range(ROWS)], False, False),
        ([row // 12 for row in range(ROWS)], True, False),  # five values
        (list(range(ROWS)), True, False),  # a row number: `index_columns` names it
        ([row % 15 for row in range(ROWS)], True, False),
        ([row // 4 / 2 for row in range(ROWS)], True, False),  # a measurement
    ],
)
def test_rows_in_the_order_of_a_whole_number_that_repeats_are_named(
    values: list[float], is_random: bool, warns: bool
) -> None:
    expected = "split=time_ordered dataset.time=week; if it numbers groups of rows, split=grouped dataset.group=week."
    found = texts(warn_of_sorted_number, facts(is_random=is_random, week=values))
    assert [text.endswith(expected) for text in found] == [True] * warns


def test_a_sorted_date_is_enough() -> None:
    assert texts(warn_of_sorted_number, facts(day=DAYS, week=[row // 4 for row in range(ROWS)])) == []
