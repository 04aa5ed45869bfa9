"""Convert columns of a table to the plain values of a request: float, text, bool, and None for a missing value."""

from __future__ import annotations

import datetime
import math
import uuid
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api import types

from mlrunner.core.column_dtypes import NUMBER_TYPES
from mlrunner.groups.dataset.text_values import NumberFormat
from mlrunner.serving.columns import BOOLEAN_TEXTS, Kind

Values = list[Any] | npt.NDArray[np.float64]
TEXT_TYPES = (*NUMBER_TYPES, datetime.date, datetime.time, uuid.UUID)  # have one text form; a datetime is a date


def extract_values(column: pd.Series[Any], kind: Kind, number_format: NumberFormat | None) -> Values:
    """Convert the values of a column; a value of another kind is left for the check that follows.

    Args:
        column: Column of a chunk.
        kind: Kind of the model's column.
        number_format: Format of numbers that are text; None where the source has types.

    Returns:
        Array of doubles where the column holds only numbers, a list otherwise.
    """
    number_format = None if isinstance(column.dtype, pd.ArrowDtype) else number_format  # Parquet has types
    if kind == "number":
        return _convert_numbers(column, number_format)
    values = to_objects(column)
    if kind == "boolean":
        return [_convert_boolean(value, number_format is not None) for value in values]
    if {str, type(None)}.issuperset(map(type, values)):
        return values
    if kind == "moment":
        return [_convert_moment(value) for value in values]
    return [str(value) if isinstance(value, TEXT_TYPES) else value for value in values]  # 1 is "1", as CSV has it


def to_objects(column: pd.Series[Any]) -> list[Any]:
    """Convert a column to Python objects, with None for missing values."""
    values = column.to_numpy(dtype=object).copy()
    values[column.isna().to_numpy()] = None
    return list(values.tolist())


def _convert_numbers(column: pd.Series[Any], number_format: NumberFormat | None) -> Values:
    if types.is_numeric_dtype(column.dtype) and not types.is_bool_dtype(column.dtype):
        return np.ascontiguousarray(column.to_numpy(dtype=np.float64, na_value=np.nan))
    if number_format is not None and types.is_string_dtype(column.dtype):
        return _parse_numbers(column, number_format)
    return [_convert_number(value) for value in to_objects(column)]


def _parse_numbers(texts: pd.Series[Any], number_format: NumberFormat) -> Values:
    """Parse texts as pandas parses a column of numbers; a text that is not a number is left."""
    numbers = number_format.parse(texts).to_numpy(dtype=np.float64, na_value=np.nan)
    is_text = np.isnan(numbers) & texts.notna().to_numpy()
    if not is_text.any():
        return np.ascontiguousarray(numbers)
    triples = zip(to_objects(texts), numbers.tolist(), is_text, strict=True)
    return [text if is_left else number for text, number, is_left in triples]


def _convert_number(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Decimal) or type(value) is int:
        try:
            return float(value)
        except OverflowError:
            return math.inf if value > 0 else -math.inf
    return value


def _convert_boolean(value: Any, is_text: bool) -> Any:
    """Convert 0 and 1 as well: databases and CSV files use them for false and true."""
    if isinstance(value, str):
        return BOOLEAN_TEXTS.get(value.lower(), value) if is_text else value
    return bool(value) if isinstance(value, bool | np.bool_ | int | float) and value in (0, 1) else value


def _convert_moment(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime.date) else value
