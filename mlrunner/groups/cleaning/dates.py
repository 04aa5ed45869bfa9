"""Turn dates into numbers for the config groups `cleaning` and `split`.

Every function but `read_moments` treats each value by itself, so that a single row gives the same result as the
whole table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlrunner.core.column_kinds import Kind, infer_kind
from mlrunner.core.date_parsing import parse_dates
from mlrunner.core.errors import DataError
from mlrunner.groups.cleaning.columns import is_numeric, to_float
from mlrunner.groups.cleaning.date_columns import describe_readings
from mlrunner.groups.cleaning.date_formats import count_formats

Part = Literal["year", "quarter", "month", "day", "dayofyear", "weekday", "hour", "minute"]
Durations = Literal["all"] | dict[str, tuple[str, str]] | None
PANDAS_NAMES = {"weekday": "day_of_week", "dayofyear": "day_of_year"}
MICROSECONDS_PER_DAY = 86_400e6  # microseconds


def is_named_as_date(column: pd.Series, endings: Iterable[str] = (), time: str | None = None) -> bool:
    """Check whether the name of a column says that it holds dates.

    Args:
        column: Any column.
        endings: Last words of the names of date columns, in lower case.
        time: Name of the data set's time column.
    """
    last_word = re.split(r"[^a-z]+", str(column.name).lower())[-1]
    return column.name == time or last_word in endings


def count_days(end: pd.Series, start: pd.Series | None = None) -> NDArray[np.float64]:
    """Count the days from a start to an end, row by row.

    Args:
        end: Timestamps.
        start: Timestamps; None stands for 1970-01-01.

    Returns:
        Days with fractions, shape (n_rows,), NaN where a timestamp is missing.
    """
    moments = _to_moments(end)
    passed, missing = moments.view("int64"), np.isnat(moments)
    if start is not None:
        passed, missing = passed - _to_moments(start).view("int64"), missing | np.isnat(_to_moments(start))
    return np.where(missing, np.nan, passed / MICROSECONDS_PER_DAY)


def extract_parts(dates: Mapping[str, pd.Series], parts: Iterable[Part]) -> dict[str, NDArray[np.float64]]:
    """Extract calendar parts, by `NAME_part`, each of shape (n_rows,); weekdays count from Monday = 0."""
    parts = list(parts)
    if not dates or not parts:
        return {}
    # All columns at once: pandas needs a while for each call, and a server asks for one row
    together = pd.DatetimeIndex(np.concatenate([_to_moments(date) for date in dates.values()]))
    values = {part: getattr(together, PANDAS_NAMES.get(part, part)).to_numpy("float64") for part in parts}
    by_column = {part: np.split(values[part], len(dates)) for part in parts}
    return {f"{name}_{part}": by_column[part][at] for at, name in enumerate(dates) for part in parts}


def compute_durations(dates: Mapping[str, pd.Series], durations: Durations) -> dict[str, NDArray[np.float64]]:
    """Compute the days between pairs of date columns.

    Args:
        dates: Parsed dates by column name.
        durations: "all": from each column to each later one; a mapping: new name to (end, start); None: none.

    Returns:
        Days by name, each of shape (n_rows,), for the pairs whose columns are present.
    """
    every = {f"days_from_{start}_to_{end}": (end, start) for start, end in combinations(dates, 2)}
    pairs = every if durations == "all" else durations or {}
    present = {name: pair for name, pair in pairs.items() if set(pair) <= set(dates)}
    return {name: count_days(dates[end], dates[start]) for name, (end, start) in present.items()}


def read_moments(column: pd.Series, date_format: str | None = None) -> NDArray[Any]:
    """Read the moments of a column as timestamps, or as numbers.

    Args:
        column: Dates, text or numbers.
        date_format: `strptime` format; None: found from the values.

    Raises:
        DataError: When a row has no moment, since it belongs to no side of a split, or the dates have two readings.
    """
    when = to_float(column) if is_numeric(column) else parse_dates(column, date_format or _find_format(column))
    unknown = column[when.isna().to_numpy()]
    if len(unknown):
        is_read = date_format is None and len(unknown) < len(column)
        remedy = "correct those rows" if is_read else "set how they are written, as in split.date_format='%d.%m.%Y'"
        raise DataError(
            f"split.time is '{column.name}', which is not a date in {len(unknown)} of {len(column)} rows, first "
            f"{unknown.iloc[:1].tolist()[0]!r}; {remedy}, or choose split=80_20."
        )
    return when.to_numpy()


def _find_format(column: pd.Series) -> str | None:
    if infer_kind(column) is not Kind.TEXT:
        return None
    counts = count_formats(column, loose=True)
    if counts.other_reading is not None:
        raise DataError(
            f"split.time is '{column.name}', whose dates have two readings, {describe_readings(column, counts)}; "
            f"set split.date_format='{counts.best}' or split.date_format='{counts.other_reading}'."
        )
    return counts.best


def _to_moments(dates: pd.Series) -> NDArray[np.datetime64]:
    return dates.to_numpy(dtype="datetime64[us]")
