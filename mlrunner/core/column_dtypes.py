"""Convert columns to the dtypes of `mlrunner.core.column_kinds`: those of one table, whatever the source.

A served model imports this module: pandas and NumPy only.
"""

from __future__ import annotations

import datetime
import decimal
import uuid
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api import types

Floats = npt.NDArray[np.float64]
TEXT_DTYPE = pd.StringDtype(na_value=np.nan)
NUMBER_TYPES = (bool, int, float, decimal.Decimal, np.number, np.bool_)
TEXT_TYPES = (str, uuid.UUID, datetime.date, datetime.time, datetime.timedelta, pd.Interval, pd.Period)
LARGEST_EXACT = 2**53  # whole numbers beyond it are not exact as float64


def normalize(table: pd.DataFrame) -> pd.DataFrame:
    """Convert each column to the dtype of its kind.

    Args:
        table: Table with names that occur once; it is not modified.

    Returns:
        The table itself when every column has such a dtype already.
    """
    others = [name for name, dtype in table.dtypes.items() if not _is_normal(dtype)]
    converted = {name: normalize_column(table[name]) for name in others}
    changed = {name: column for name, column in converted.items() if column.dtype != table[name].dtype}
    return table.assign(**{str(name): column for name, column in changed.items()}) if changed else table


def normalize_column(column: pd.Series[Any]) -> pd.Series[Any]:
    """Convert a column to the dtype of its kind; return one that has it, or that is unsupported, as it is."""
    dtype = column.dtype
    if _is_normal(dtype):
        return column
    if types.is_object_dtype(dtype):
        return _normalize_objects(column)
    if isinstance(dtype, pd.StringDtype | pd.IntervalDtype):
        return _to_text(column)
    if isinstance(dtype, pd.PeriodDtype):
        return pd.Series(column.dt.to_timestamp())
    if types.is_timedelta64_dtype(dtype):
        return pd.Series(column.dt.total_seconds())
    if isinstance(dtype, pd.SparseDtype):
        return normalize_column(pd.Series(column.to_numpy(), index=column.index, name=column.name))
    if isinstance(dtype, pd.ArrowDtype):
        return _normalize_arrow(column)
    return _normalize_nullable(column) if types.is_numeric_dtype(dtype) else column


def _is_normal(dtype: Any) -> bool:
    if isinstance(dtype, np.dtype):
        return dtype.kind in "iufbM"
    if isinstance(dtype, pd.StringDtype):
        return dtype.na_value is np.nan
    return isinstance(dtype, pd.CategoricalDtype | pd.DatetimeTZDtype)


def _normalize_arrow(column: pd.Series[Any]) -> pd.Series[Any]:
    import pyarrow as pa

    plain = pa.array(column).to_pandas(integer_object_nulls=True)
    return normalize_column(pd.Series(plain.array, index=column.index, name=column.name))


def _normalize_nullable(column: pd.Series[Any]) -> pd.Series[Any]:
    """Convert pandas' nullable numbers; only whole numbers and truth values with gaps stay nullable."""
    if types.is_float_dtype(column.dtype):
        return column.astype("float64")
    numpy_dtype = getattr(column.dtype, "numpy_dtype", None)
    return column if numpy_dtype is None or column.hasnans else column.astype(numpy_dtype)


def _normalize_objects(column: pd.Series[Any]) -> pd.Series[Any]:
    try:
        match types.infer_dtype(column, skipna=True):
            case "boolean":
                return column.astype("boolean" if column.hasnans else "bool")
            case "integer":
                return _to_integers(column)
            case "floating" | "mixed-integer-float" | "decimal" | "empty":
                return _to_numbers(column)
            case "datetime" | "datetime64" | "date":
                return _to_moments(column)
            case "timedelta" | "timedelta64":
                return pd.to_timedelta(column).dt.total_seconds()
    except (TypeError, ValueError, OverflowError):  # values that this dtype cannot hold, such as 10**30 or the year 1
        return _normalize_mixed(column)
    return _normalize_mixed(column)


def _normalize_mixed(column: pd.Series[Any]) -> pd.Series[Any]:
    """Convert values of several types: to numbers or dates where all are, to text where each has one form."""
    types = set(map(type, column[column.notna()]))
    if len(types) > 1 and _all_are(types, NUMBER_TYPES):
        return _to_numbers(column)
    if len(types) > 1 and _all_are(types, (datetime.date,)):
        return _to_moments(column)
    return _to_text(column) if _all_are(types, (*NUMBER_TYPES, *TEXT_TYPES)) else column


def _all_are(types: Iterable[type], allowed: tuple[type, ...]) -> bool:
    return all(issubclass(kind, allowed) and not issubclass(kind, np.complexfloating) for kind in types)


def _to_text(column: pd.Series[Any]) -> pd.Series[Any]:
    if isinstance(column.dtype, pd.StringDtype):
        return column.astype(TEXT_DTYPE)
    values, known = column.to_numpy(dtype=object, copy=True), column.notna().to_numpy()
    values[known] = [value if type(value) is str else str(value) for value in values[known]]
    values[~known] = np.nan
    try:
        return pd.Series(values, index=column.index, name=column.name, dtype=TEXT_DTYPE)
    except UnicodeError:  # half a surrogate pair, which Arrow refuses
        python = pd.StringDtype("python", na_value=np.nan)
        return pd.Series(values, index=column.index, name=column.name, dtype=python)


def _to_integers(column: pd.Series[Any]) -> pd.Series[Any]:
    try:
        return _normalize_nullable(column.astype("Int64"))
    except (TypeError, ValueError, OverflowError):
        return _normalize_nullable(column.astype("UInt64"))


def _to_numbers(column: pd.Series[Any]) -> pd.Series[Any]:
    """Convert numbers of several types to float64, or to whole numbers where float64 would not be exact."""
    known = column.notna().to_numpy()
    objects = column[known].to_numpy(dtype=object)
    values = np.full(len(column), np.nan)
    values[known] = objects.astype(np.float64)
    exact = [value for value in objects if not isinstance(value, float)] if _is_whole(values[known]) else []
    if not exact:
        return pd.Series(values, index=column.index, name=column.name)
    whole = pd.Series(None, index=column.index, name=column.name, dtype=object)
    whole[known] = [int(value) for value in objects]
    try:
        return _to_integers(whole)
    except (TypeError, ValueError, OverflowError):  # beyond 64 bits
        return pd.Series(values, index=column.index, name=column.name)


def _is_whole(values: Floats) -> bool:
    """Check whether all numbers are whole, and some beyond what float64 holds exactly."""
    if len(values) == 0 or not np.isfinite(values).all() or np.abs(values).max() < LARGEST_EXACT:
        return False
    return bool((np.floor(values) == values).all())


def _to_moments(column: pd.Series[Any]) -> pd.Series[Any]:
    zones = {getattr(value, "tzinfo", None) for value in column[column.notna()]}
    return pd.to_datetime(column, utc=len(zones) > 1)
