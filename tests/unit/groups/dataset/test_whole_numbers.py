"""Whole numbers with gaps, in one file and read again from several."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlrunner.groups.dataset import TableDataset
from mlrunner.groups.dataset.whole_numbers import find_whole_floats, restore_whole_numbers


def test_only_floats_with_gaps_that_are_whole_are_read_again() -> None:
    columns = {"whole": [1.0, None], "real": [1.5, None], "complete": [1.0, 2.0], "nothing": [None, None]}
    assert find_whole_floats(pd.DataFrame(columns, dtype="float64")) == ["whole"]
    assert find_whole_floats(pd.DataFrame({"infinite": [np.inf, np.nan]})) == []


def test_a_table_without_such_columns_is_not_read_again() -> None:
    table = pd.DataFrame({"a": [1.5]})
    assert restore_whole_numbers(table, [], lambda names: pytest.fail(str(names))) is table


@pytest.mark.parametrize(
    ("text", "dtype", "values"),
    [
        pytest.param("9007199254740993,1", "Int64", [2**53 + 1, None], id="whole"),
        pytest.param("3.0,1", "float64", [3.0, None], id="written with a fraction"),
    ],
)
def test_csv_tells_whole_numbers_by_how_they_are_written(
    text: str, dtype: str, values: list[float | None], tmp_path: Path
) -> None:
    (tmp_path / "t.csv").write_text(f"id,y\n{text}\n,2\n")
    column = TableDataset(name="t", path=str(tmp_path / "t.csv"), target="y").load()["id"]
    assert (str(column.dtype), [None if pd.isna(value) else value for value in column]) == (dtype, values)


def test_a_file_without_any_id_leaves_those_of_the_others_whole(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,y\n9007199254740993,1\n9007199254740992,2\n")
    (tmp_path / "b.csv").write_text("id,y\n,3\n")
    column = TableDataset(name="t", path=str(tmp_path / "*.csv"), target="y").load()["id"]
    assert [None if pd.isna(value) else value for value in column] == [2**53 + 1, 2**53, None]
