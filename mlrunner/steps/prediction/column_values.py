"""Columns of a table as the plain values of a request: float, text, true or false, None for a gap."""

from __future__ import annotations

import datetime
import math
import uuid
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api import types

from mlrunner.serving.schema import TRUTH, Kind

Values = list[Any] | npt.NDArray[np.float64]
TEXTUAL = (datetime.date, datetime.time, uuid.UUID, Decimal)  # whose text is one only; a datetime is a date


class Marks(NamedTuple):
    """How numbers are written in a text file, as `pandas.read_csv` calls it."""

    decimal: str = "."
    thousands: str | None = None


def plain(column: pd.Series[Any], kind: Kind, marks: Marks | None) -> Values:
    """Take the values of a column; what is not of its kind stays what it is, for the check that follows.

    Args:
        column: Of a piece of a table.
        kind: Of the model's column.
        marks: How numbers are written in the files, should these be text; None where values have types already.

    Returns:
        An array of doubles where the column holds numbers and nothing else, a list otherwise.
    """
    marks = None if isinstance(column.dtype, pd.ArrowDtype) else marks  # Parquet keeps types
    if kind == "number":
        return _numbers(column, marks)
    values = objects(column)
    if kind == "boolean":
        return [_truth(value, marks is not None) for value in values]
    if {str, type(None)}.issuperset(map(type, values)):
        return values
    return [_moment(value) if kind == "moment" else _text(value) for value in values]


def objects(column: pd.Series[Any]) -> list[Any]:
    """Take the values of a column as Python's own, None for each gap."""
    values = column.to_numpy(dtype=object).copy()
    values[column.isna().to_numpy()] = None
    found: list[Any] = values.tolist()
    return found


def _numbers(column: pd.Series[Any], marks: Marks | None) -> Values:
    if types.is_numeric_dtype(column.dtype) and not types.is_bool_dtype(column.dtype):
        return np.ascontiguousarray(column.to_numpy(dtype=np.float64, na_value=np.nan))
    if marks is not None and types.is_string_dtype(column.dtype):
        return _read(column, marks)
    return [_number(value) for value in objects(column)]


def _read(texts: pd.Series[Any], marks: Marks) -> Values:
    """Read texts as numbers, as pandas would have if there were numbers only; the other texts stay."""
    written = texts if marks.thousands is None else texts.str.replace(marks.thousands, "", regex=False)
    written = written if marks.decimal == "." else written.str.replace(marks.decimal, ".", regex=False)
    found = pd.to_numeric(written, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    unread = np.isnan(found) & texts.notna().to_numpy()
    if not unread.any():
        return np.ascontiguousarray(found)
    return [text if odd else number for text, number, odd in zip(objects(texts), found.tolist(), unread, strict=True)]


def _number(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Decimal) or type(value) is int:
        try:
            return float(value)
        except OverflowError:
            return math.inf if value > 0 else -math.inf
    return value


def _truth(value: Any, is_text: bool) -> Any:
    """Take 0 and 1 as well: databases and CSV files write them for false and true."""
    if isinstance(value, str):
        return TRUTH.get(value.lower(), value) if is_text else value
    return bool(value) if isinstance(value, bool | np.bool_ | int | float) and value in (0, 1) else value


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, TEXTUAL) else value


def _moment(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime.date) else value
