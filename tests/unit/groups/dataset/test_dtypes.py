"""Conversions of columns to the types of `dataset.dtypes`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.support.datasets import table_at


@pytest.mark.parametrize(
    ("dtype", "values"),
    [
        ("str", ["01", np.nan, "3"]),
        ("float64", [1.0, np.nan, 3.0]),
        ("Int64", [1, pd.NA, 3]),
        ("category", [1.0, np.nan, 3.0]),
    ],
)
def test_dtypes_are_given(dtype: str, values: list[Any], tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("k,y\n01,1\n,2\n3,3\n")
    column = table_at(tmp_path / "t.csv", dtypes={"k": dtype}).load()["k"]
    assert column.dtype == dtype
    assert [None if pd.isna(v) else v for v in column] == [None if pd.isna(v) else v for v in values]


def test_dates_are_parsed_when_asked(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("d,y\n2018-01-31 10:00:00,1\n,2\n")
    column = table_at(tmp_path / "t.csv", dtypes={"d": "datetime64[ns]"}).load()["d"]
    assert column.dtype == "datetime64[ns]"
    assert column.iloc[0] == pd.Timestamp("2018-01-31 10:00")
