"""Warnings about columns that teach nothing."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from mlrunner.evaluation.advice.columns import warn_of_constants, warn_of_duplicates, warn_of_ids, warn_of_index
from tests.support.advice import ROWS, facts, texts

NUMBERS = list(range(ROWS))
SHUFFLED = [row * 37 % 61 for row in range(ROWS)]  # distinct, in no order


def test_constants_are_named_with_what_to_ignore() -> None:
    table = facts(a="x", b=None, c=[None, 1.0] * 30, d=NUMBERS)
    assert texts(warn_of_constants, table) == ["a, b have one value in every row; dataset.ignore=[a,b]."]


def test_duplicates_are_named_with_the_column_that_they_repeat() -> None:
    words = [{0: "low", 1: "high"}[row % 2] for row in NUMBERS]
    odd = [row % 2 for row in NUMBERS]
    table = facts(a=SHUFFLED, b=SHUFFLED, c=NUMBERS, d="x", e="x", odd=odd, words=words)
    assert texts(warn_of_duplicates, table) == ["b repeats a, words repeats odd; dataset.ignore=[b,words]."]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("Unnamed: 0", NUMBERS),
        ("n", [row + 1 for row in NUMBERS]),
        ("order_id", [row * 3 + 100 for row in NUMBERS]),
        ("pidnum", [row * row + 10_056 for row in NUMBERS]),  # patients, with holes
    ],
)
def test_a_column_that_numbers_the_rows_is_an_index(name: str, values: list[int]) -> None:
    (text,) = texts(warn_of_index, facts(**{name: values}))
    assert text.startswith(f"{name} numbers the rows in their order; ")
    assert texts(warn_of_ids, facts(**{name: values})) == []


@pytest.mark.parametrize("values", [SHUFFLED, [row / 2 for row in NUMBERS], NUMBERS[:30] * 2, NUMBERS[::-1]])
def test_other_numbers_are_no_index(values: list[float]) -> None:
    assert texts(warn_of_index, facts(weight=values)) == []


@pytest.mark.parametrize(
    ("name", "values", "is_id"),
    [
        ("name", [f"Name {row}" for row in range(58)] + ["Name 1", "Name 2"], True),  # 58 of 60 differ: 97 %
        ("name", [f"Name {row % 30}" for row in range(ROWS)], False),
        ("customerId", SHUFFLED, True),
        ("income", SHUFFLED, False),
        ("valid", SHUFFLED, False),
        ("id", [row / 7 for row in SHUFFLED], False),
        ("day", [f"2020-01-{row % 28:02d}T{row:02d}:00Z" for row in range(ROWS)], False),
        ("price", [f"${value}.50" for value in SHUFFLED], False),
        ("day", pd.date_range("2020-01-01", periods=ROWS), False),
        (
            "comment",
            [f"{row} is a sentence of many words, as people write" for row in range(ROWS)],
            False,
        ),
    ],
)
def test_an_id_differs_in_nearly_every_row(name: str, values: Any, is_id: bool) -> None:
    expected = [f"{name} differs in nearly every row, like an id; dataset.ignore=[{name}]."] if is_id else []
    assert texts(warn_of_ids, facts(**{name: values})) == expected
