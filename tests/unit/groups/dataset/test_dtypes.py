"""Conversions of columns to the types of `dataset.dtypes`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlrunner.groups.dataset.dtypes import digest_table
from tests.support.datasets import PLAIN, TABLE, file_dataset, load_error


@pytest.mark.parametrize(
    ("dtype", "values"),
    [
        ("str", ["01", np.nan, "3"]),
        ("float64", [1.0, np.nan, 3.0]),
        ("Int64", [1, pd.NA, 3]),
        ("category", [1.0, np.nan, 3.0]),
    ],
)
def test_columns_are_converted(dtype: str, values: list[Any], tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("k,y\n01,1\n,2\n3,3\n")
    column = file_dataset(tmp_path / "t.csv", dtypes={"k": dtype}).load()["k"]
    assert column.dtype == dtype
    assert [None if pd.isna(v) else v for v in column] == [None if pd.isna(v) else v for v in values]


def test_dates_are_parsed(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("d,y\n2018-01-31 10:00:00,1\n,2\n")
    column = file_dataset(tmp_path / "t.csv", dtypes={"d": "datetime64[ns]"}).load()["d"]
    assert column.dtype == "datetime64[ns]"
    assert column.iloc[0] == pd.Timestamp("2018-01-31 10:00")


def test_dates_with_two_readings_are_no_timestamps(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("d,y\n04.03.2021,1\n05.03.2021,2\n")
    error = load_error(file_dataset(tmp_path / "t.csv", dtypes={"d": "datetime64[ns]"}))
    assert error.startswith("dataset.dtypes.d is datetime64[ns], which its values do not fit (")
    assert error.endswith("name another, such as str.")


MISTAKES = {
    "dtype of no column": (
        {"aa": "str"},
        "dataset.dtypes.aa: there is no such column; there are a, b, y. Did you mean 'a'?",
    ),
    "no dtype": (
        {"a": "flot64"},
        "dataset.dtypes.a is 'flot64', which is not a dtype; try str, category, bool, boolean, int64, Int64, float64, "
        "datetime64[ns]. Did you mean 'float64'?",
    ),
    "text as bool": (
        {"b": "bool"},
        "dataset.dtypes.b is bool, which its values do not fit (text or missing values, and any text would "
        "count as true); name another, such as str.",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("dtypes", "expected"), MISTAKES.values(), ids=MISTAKES)
def test_bad_dtype_is_refused(dtypes: dict[str, str], expected: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(PLAIN)
    assert load_error(file_dataset(tmp_path / "t.csv", dtypes=dtypes)) == expected


def test_digest_covers_names_dtypes_and_values_but_not_the_index() -> None:
    assert digest_table(TABLE) == digest_table(TABLE.set_axis([7, 9]))
    others = [TABLE.rename(columns={"a": "c"}), TABLE.astype({"a": float}), TABLE.assign(a=[1, 3]), TABLE.iloc[::-1]]
    assert len({digest_table(table) for table in (TABLE, *others)}) == 5
