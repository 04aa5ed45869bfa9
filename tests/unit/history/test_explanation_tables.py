"""The tables of an explanation, of contributions that are given."""

from __future__ import annotations

import csv
import io

import numpy as np
import pandas as pd
import pytest

from mlrunner.core.table import Table
from mlrunner.evaluation.contributions import Contributions
from mlrunner.history.explanation import Explanation
from mlrunner.history.explanation_tables import describe_direction, make_row_table, make_summary, measure_columns

ROWS = pd.DataFrame({"age": [1.0, 2.0, 3.0, 4.0], "sex": ["m", "f", "m", "f"], "flat": [0, 0, 0, 0]})
VALUES = np.array([[1.0, -2.0, 0.0], [2.0, 4.0, 0.0], [3.0, -2.0, 0.0], [4.0, 4.0, 0.0]])
BOTH = np.stack([VALUES, -VALUES], axis=2)  # of the classes a and b


def explanation(values: np.ndarray, predictions: list[object], classes: list[str]) -> Explanation:
    parts = Contributions(list(ROWS.columns), values, np.full(values.shape[2], 10.0), classes, "unit of the target")
    return Explanation("a" * 32, "model=xgboost", ROWS, np.array(predictions), parts)


NUMBERS = explanation(VALUES[:, :, None], [9.0, 16.0, 11.0, 18.0], [])
CLASSES = explanation(BOTH, ["b", "a", "a", "a"], ["a", "b"])


def list_values(table: Table) -> list[list[str]]:
    return list(csv.reader(io.StringIO(table.to_csv())))[1:]


def test_columns_are_listed_by_their_mean_absolute_contribution() -> None:
    assert measure_columns(NUMBERS) == [("sex", 3.0), ("age", 2.5), ("flat", 0.0)]
    rows = list_values(make_summary(NUMBERS))
    assert [row[:2] for row in rows] == [["sex", "3.0"], ["age", "2.5"], ["flat", "0.0"]]
    assert [float(row[2]) for row in rows] == pytest.approx([3 / 5.5, 2.5 / 5.5, 0])
    assert len(make_summary(NUMBERS, top=1).rows) == 1


@pytest.mark.parametrize(
    ("column", "direction"),
    [("age", "rises with the value (+1.00)"), ("sex", "highest for f, lowest for m"), ("flat", ""), ("other", "")],
)
def test_the_direction_of_a_column(column: str, direction: str) -> None:
    assert describe_direction(NUMBERS, column) == direction


def test_a_column_without_a_direction_rises_and_falls() -> None:
    folded = np.array([[1.0, 0, 0], [0.0, 0, 0], [0.0, 0, 0], [1.0, 0, 0]])[:, :, None]
    assert describe_direction(explanation(folded, [0.0] * 4, []), "age") == "rises and falls"


@pytest.mark.parametrize(("top", "lines"), [(0, 4), (1, 3), (2, 4)])
def test_the_contributions_of_a_row_add_up_to_its_raw_prediction(top: int, lines: int) -> None:
    listed = list_values(make_row_table(NUMBERS, top))
    for row, raw in enumerate([9.0, 16.0, 15.0 - 4.0, 18.0]):
        of_row = [line for line in listed if line[0] == str(row)]
        assert sum(float(line[5]) for line in of_row) == float(of_row[0][2]) == raw
        assert len(of_row) == lines


def test_the_greatest_contributions_come_first_with_their_values() -> None:
    assert [line[3:] for line in list_values(make_row_table(NUMBERS, 1))[:3]] == [
        ["(base)", "", "10.0"],
        ["sex", "m", "-2.0"],
        ["(2 other columns)", "", "1.0"],
    ]


def test_of_several_classes_the_predicted_one_is_explained() -> None:
    lines = list_values(make_row_table(CLASSES, 1))
    assert [line[5] for line in lines[:6]] == ["10.0", "2.0", "-1.0", "10.0", "4.0", "2.0"]  # b, then a


def test_of_several_classes_the_direction_is_that_of_the_most_affected_one() -> None:
    """The class b, to which age contributes twice as much as to a, falls where a rises."""
    two = explanation(np.stack([VALUES, -2 * VALUES], axis=2), ["b", "a", "a", "a"], ["a", "b"])
    assert describe_direction(two, "age") == "class b: falls with the value (-1.00)"
    assert describe_direction(two, "sex") == "class b: highest for m, lowest for f"
    assert describe_direction(two, "flat") == ""
