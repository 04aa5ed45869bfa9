"""Training rows before held-out ones, and those that stop boosting, worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mlrunner.core.folds import BETWEEN, FIT, STOP
from mlrunner.groups.split.windows import length_problems, mark_stops, select_window

# position  0  1  2  3  4  5  6  7
DAYS = [1, 2, 2, 4, 4, 4, 7, 8]  # of January 2024
TIMES = np.array([f"2024-01-{day:02}" for day in DAYS], dtype="datetime64[us]")


@pytest.mark.parametrize(
    ("gap", "length", "rows"),
    [
        (0, None, [0, 1, 2, 3, 4, 5]),
        (0, 4, [3, 4, 5]),  # a fourth row would cut day 2
        (0, 5, [1, 2, 3, 4, 5]),
        (0, 2, []),  # the newest day has three rows
        (1, None, [0, 1, 2]),  # a gap of one row takes all rows of its moment
        (3, 1, []),
        (3, 2, [1, 2]),
        (4, None, [0]),
        (6, None, []),
        (7, None, []),
        ("3D", None, [0, 1, 2]),  # day 7 minus 3: the rows of day 4 are in the gap
        ("2D", None, [0, 1, 2, 3, 4, 5]),
        ("2D", "1D", [3, 4, 5]),  # from day 4 until before day 5
        ("2D", "3D", [1, 2, 3, 4, 5]),
        (1, "1D", []),  # the gap begins at day 4, and the window at day 3
        (1, "2D", [1, 2]),
        (1, "48h", [1, 2]),
        ("30D", None, []),
    ],
)
def test_the_training_rows_before_day_seven(gap: Any, length: Any, rows: list[int]) -> None:
    assert list(range(8))[select_window(TIMES, 6, gap, length)] == rows


def test_numbers_are_moments_too() -> None:
    assert select_window(np.array(DAYS, dtype=float), 6, 1, 2) == slice(1, 3)


@pytest.mark.parametrize(
    ("gap", "marks"),
    [
        (0, [FIT, FIT, FIT, FIT, FIT, FIT, STOP, STOP]),  # the newest fifth of 8 rows: from row 6.4
        (1, [FIT, FIT, FIT, BETWEEN, BETWEEN, BETWEEN, STOP, STOP]),
        ("4D", [FIT, FIT, FIT, BETWEEN, BETWEEN, BETWEEN, STOP, STOP]),
        ("9D", [BETWEEN, BETWEEN, BETWEEN, BETWEEN, BETWEEN, BETWEEN, STOP, STOP]),
    ],
)
def test_the_newest_fifth_stops_boosting_after_a_gap(gap: Any, marks: list[int]) -> None:
    assert mark_stops(TIMES, gap).tolist() == marks


@pytest.mark.parametrize(
    ("length", "is_possible"),
    [
        *((length, True) for length in (None, 1, "7D", "12h", "1 day 6h")),
        *((length, False) for length in (0, -1, "-7D", "7", "1.5", "week", "")),
    ],
)
def test_a_length_is_a_number_of_rows_or_a_time_span(length: Any, is_possible: bool) -> None:
    problem = f"split.gap is {length}, but should be a number of rows, like 100, or a time span, like 7D or 12h."
    assert length_problems("split.gap", length, 1) == ([] if is_possible else [problem])
