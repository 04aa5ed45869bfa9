"""Dates, read and made into numbers; serves the config groups `cleaning` and `split`.

Everything here looks at one value at a time, so a row alone and a row in its table come out the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types

from mlrunner.core.errors import DataError
from mlrunner.groups.cleaning.columns import as_float, holds_numbers

Part = Literal["year", "quarter", "month", "day", "dayofyear", "weekday", "hour", "minute"]
Durations = Literal["all"] | dict[str, tuple[str, str]] | None
PANDAS_NAMES = {"weekday": "day_of_week", "dayofyear": "day_of_year"}
DAY = 86_400e6  # microseconds
LOOKED_AT = 1000  # rows: enough to tell a wrong format from a few broken values


def is_date(column: pd.Series, endings: Iterable[str] = (), time: str | None = None) -> bool:
    """Tell by dtype, or by the name of a column without numbers, whether it holds dates.

    The values are never asked: what holds for one row must hold for every row.

    Args:
        column: Any column.
        endings: The last words of the names of dates, in lower case.
        time: The name of the data set's time column.
    """
    if types.is_datetime64_any_dtype(column.dtype):
        return True
    last_word = re.split(r"[^a-z]+", str(column.name).lower())[-1]
    return (column.name == time or last_word in endings) and not holds_numbers(column)


def as_dates(column: pd.Series, date_format: str | None = None) -> pd.Series:
    """Turn text into timestamps without a time zone; what is no date becomes missing.

    Args:
        column: Text, dates or timestamps. Those with a time zone are moved to UTC.
        date_format: A `strptime` format; None reads every ISO 8601 form.
    """
    if isinstance(column.dtype, np.dtype) and column.dtype.kind == "M":
        return column
    text = column.astype(object) if isinstance(column.dtype, pd.CategoricalDtype) else column
    parsed = _read(text, date_format)
    left = parsed.isna() & text.notna()
    if left.any():  # beside a value with nanoseconds pandas reads no year after 2262: by themselves they are read
        parsed[left] = _read(text[left], date_format)
    naive: pd.Series = parsed.dt.tz_localize(None)
    return naive


def _read(text: pd.Series, date_format: str | None) -> pd.Series:
    parsed = pd.to_datetime(text, format=date_format or "ISO8601", errors="coerce", utc=True)
    return pd.Series(parsed.astype("datetime64[us, UTC]"))


def days_between(end: pd.Series, start: pd.Series | None = None) -> pd.Series:
    """Count the days from one timestamp to another, row by row; from 1970-01-01 when there is no other."""
    days = (_microseconds(end) if start is None else _microseconds(end) - _microseconds(start)) / DAY
    missing = end.isna() if start is None else end.isna() | start.isna()
    return pd.Series(np.where(missing, np.nan, days), index=end.index)


def calendar(dates: Mapping[str, pd.Series], parts: Iterable[Part]) -> dict[str, pd.Series]:
    """Take parts of dates, as float64 whether or not a date is missing; weekdays count from Monday = 0."""
    found = {}
    for name, date in dates.items():
        for part in parts:
            found[f"{name}_{part}"] = getattr(date.dt, PANDAS_NAMES.get(part, part)).astype("float64")
    return found


def durations(dates: Mapping[str, pd.Series], wanted: Durations) -> dict[str, pd.Series]:
    """Take the days between dates: "all" from each column to each later one, or new name to [end, start]."""
    every = {f"days_from_{start}_to_{end}": (end, start) for start, end in combinations(dates, 2)}
    pairs = every if wanted == "all" else wanted or {}
    known = {name: pair for name, pair in pairs.items() if set(pair) <= set(dates)}
    return {name: days_between(dates[end], dates[start]) for name, (end, start) in known.items()}


def refuse_unreadable(columns: pd.DataFrame, date_format: str | None) -> None:
    """Refuse a column none of whose first values is a date: it would vanish without a word.

    Raises:
        DataError: Naming the column and its first value.
    """
    for name in columns:
        known = columns[name].dropna().iloc[:LOOKED_AT]
        if len(known) and (holds_numbers(known) or as_dates(known, date_format).isna().all()):
            raise DataError(
                f"cleaning takes '{name}' for dates, but {known.iloc[0]!r} is none in "
                f"{date_format or 'ISO 8601'}; set cleaning.date_format, or list the dates in cleaning.dates."
            )


def moments_of(column: pd.Series, date_format: str | None = None) -> NDArray[np.int64]:
    """Number the moments of a column of dates, text or numbers, from 0 for the oldest.

    Raises:
        DataError: When a row has no moment: nobody knows which side of a split it belongs to.
    """
    when = as_float(column) if holds_numbers(column) else as_dates(column, date_format)
    unknown = column[when.isna().to_numpy()]
    if len(unknown):
        raise DataError(
            f"split.time is '{column.name}', which in {len(unknown)} of {len(column)} rows is no date, first "
            f"{unknown.iloc[0]!r}; set split.date_format, mend those rows or choose another split."
        )
    return np.unique(when.to_numpy(), return_inverse=True)[1].astype(np.int64)


def _microseconds(moments: pd.Series) -> NDArray[np.int64]:
    return moments.to_numpy(dtype="datetime64[us]").view("int64")
