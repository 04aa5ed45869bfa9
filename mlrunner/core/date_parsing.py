"""Parse dates by a known format, in cleaning and in the model server alike.

A served model imports this module: pandas and NumPy only.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from pandas.api import types

ISO = "iso"


def parse_dates(column: pd.Series, date_format: str | None = None) -> pd.Series:
    """Parse a column into timestamps without a time zone; a value that is not a date becomes missing.

    Args:
        column: Text, dates, timestamps or whole numbers; moments with a time zone are converted to UTC.
        date_format: `strptime` format; "iso" or None reads every ISO 8601 form.
    """
    if isinstance(column.dtype, np.dtype) and column.dtype.kind == "M":
        return column
    text = _to_text(column)
    parsed = _parse(text, date_format)
    failed = parsed.isna() & text.notna()
    if failed.any():  # pandas fails at years after 2262 in a column with nanoseconds, but not without those values
        parsed[failed] = _parse(text[failed], date_format)
    naive: pd.Series = parsed.dt.tz_localize(None)
    return naive


def find_unreadable(column: pd.Series, date_format: str | None = None) -> pd.Series:
    """Return the values that are present, but no date in the format."""
    return column[parse_dates(column, date_format).isna() & column.notna()]


def describe_format(date_format: str | None) -> str:
    """Return the name of a format for messages."""
    return "ISO 8601" if date_format in (None, ISO) else str(date_format)


def _parse(text: pd.Series, date_format: str | None) -> pd.Series:
    strptime = "ISO8601" if date_format in (None, ISO) else date_format
    parsed = pd.to_datetime(text, format=strptime, errors="coerce", utc=True)
    return pd.Series(parsed.astype("datetime64[us, UTC]"))


def _to_text(column: pd.Series) -> pd.Series:
    """Write whole numbers as their digits; other values stay as they are."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.astype(object)
    if types.is_bool_dtype(column.dtype) or not types.is_numeric_dtype(column.dtype):
        return column
    if types.is_float_dtype(column.dtype):
        return column.where(column % 1 == 0).astype("Int64").astype(object).map(str, na_action="ignore")
    return column.astype(object).map(str, na_action="ignore")
