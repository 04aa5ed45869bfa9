"""Keep whole numbers with gaps whole, which pandas reads as floats."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api.types import is_integer_dtype

NULLABLE: Literal["numpy_nullable"] = "numpy_nullable"  # dtypes that hold whole numbers with gaps


def find_whole_floats(table: pd.DataFrame) -> list[Any]:
    """Return the columns of floats that may be whole numbers with gaps, which NumPy's integers do not have."""
    floats = [name for name, dtype in table.dtypes.items() if dtype == np.float64]
    return [name for name in floats if _is_whole(table[name].to_numpy())]


def _is_whole(values: npt.NDArray[np.float64]) -> bool:
    missing = np.isnan(values)
    if not missing.any() or missing.all():
        return False
    known = values[~missing]
    return bool((np.floor(known[:100]) == known[:100]).all() and (np.floor(known) == known).all()) and bool(
        np.isfinite(known).all()
    )


def restore_whole_numbers(
    table: pd.DataFrame, names: list[Any], read: Callable[[list[Any]], pd.DataFrame]
) -> pd.DataFrame:
    """Read whole numbers with gaps again as `Int64`: floats do not tell neighbours beyond 2**53 apart.

    Args:
        table: Table as read.
        names: Columns of floats that may be whole numbers.
        read: Reads columns with nullable dtypes.
    """
    if not names:
        return table
    again = read(names)
    whole = {name: again[name].array for name in names if is_integer_dtype(again[name].dtype)}
    return table.assign(**whole)


def align_empty_columns(tables: list[pd.DataFrame]) -> list[pd.DataFrame]:
    """Give a column without values, which pandas reads as floats, the whole numbers that other files hold in it."""
    whole = {name for table in tables for name, dtype in table.dtypes.items() if is_integer_dtype(dtype)}
    return [_align(table, [name for name in table.columns if name in whole]) for table in tables]


def _align(table: pd.DataFrame, names: list[Any]) -> pd.DataFrame:
    empty = [name for name in names if table[name].dtype == np.float64 and table[name].isna().all()]
    return table.astype(dict.fromkeys(empty, "Int64")) if empty else table
