"""Summarise each column of a table in a few numbers, so that tables can be compared later."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlrunner.core.column_kinds import Kind, infer_kind
from mlrunner.core.formatting import format_number

Array = npt.NDArray[Any]
SAMPLE_ROWS = 5_000  # evenly spaced; more rows would change the summary little
QUANTILES = 51  # at 0 %, 2 %, …, 100 %
MAX_COLUMNS = 500  # thousands of columns would take seconds
DATE_DTYPES = ("datetime", "timestamp")  # prefixes of the dtype names of pandas and Arrow
MAX_CATEGORIES = 20  # values whose shares are stored


def profile(table: pd.DataFrame) -> dict[str, Any]:
    """Summarise a table.

    Returns:
        `rows`, the number of sampled rows `looked_at`, `row_digests` (one of each sampled row, 8 hexadecimal digits),
        and by column: `digest` of all its values in their order, `dtype`, `missing` (a share), `distinct`, and
        either `quantiles` (51, in ascending order; dates in seconds since 1970) or `top` (share of each frequent value
        among the present ones). Numbers with few values also have `shares`: pairs of value and share, in order.
    """
    step = max(1, -(-len(table) // SAMPLE_ROWS))
    sample, rows = table.iloc[::step], np.zeros(len(table), "uint64")
    columns: dict[str, Any] = {}
    for place, name in enumerate(table.columns[:MAX_COLUMNS]):
        hashes = hash_values(table[name])
        rows += hashes * np.uint64(2 * place + 1)  # values that change places change the sum
        columns[str(name)] = {"digest": _shorten(hashes), **_profile_column(sample[name])}
    return {
        "rows": len(table),
        "looked_at": len(sample),
        "row_digests": rows[::step].astype(">u4").tobytes().hex(),
        "columns": columns,
    }


def hash_values(column: pd.Series[Any]) -> Array:
    """Hash each value of a column, shape (n_rows,), uint64."""
    try:
        hashes: Array = pd.util.hash_pandas_object(column, index=False).to_numpy()
    except TypeError:  # unhashable values, such as lists
        hashes = pd.util.hash_pandas_object(column.astype(str), index=False).to_numpy()
    return hashes


def format_value(value: float, dtype: str) -> str:
    """Write a quantile of a column with this dtype: a number, or a date."""
    if dtype.startswith(DATE_DTYPES):
        return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d")
    return format_number(value)


def _shorten(hashes: Array) -> str:
    return hashlib.blake2b(hashes.tobytes(), digest_size=8).hexdigest()


def _profile_column(column: pd.Series[Any]) -> dict[str, Any]:
    known = column.dropna()
    common: dict[str, Any] = {
        "dtype": str(column.dtype),
        "missing": float(column.isna().mean()) if len(column) else 0.0,
    }
    if is_categorical(known):
        frequencies = count_values(known)
        top = frequencies.head(MAX_CATEGORIES)
        shares = {str(value)[:80]: float(count / len(known)) for value, count in top.items()}
        return common | {"distinct": len(frequencies), "top": shares}
    finite = finite_values(known)
    quantiles = np.quantile(np.sort(finite), np.linspace(0, 1, QUANTILES)).tolist() if len(finite) else []
    distinct = int(known.nunique())
    exact = {"shares": _value_shares(finite)} if distinct <= MAX_CATEGORIES else {}
    return common | {"distinct": distinct, "quantiles": quantiles} | exact


def _value_shares(finite: Array) -> list[list[float]]:
    """Return the exact share of each number, which quantiles give only to 2 %."""
    unique, frequencies = np.unique(finite, return_counts=True)
    return [[float(value), float(count / len(finite))] for value, count in zip(unique, frequencies, strict=True)]


def is_categorical(known: pd.Series[Any]) -> bool:
    """Check whether a column is summarised by the frequency of its values, because they have no order."""
    return infer_kind(known) not in (Kind.NUMBER, Kind.MOMENT)


def count_values(known: pd.Series[Any]) -> pd.Series[int]:
    """Return the frequency of each value, in descending order; categories without a row are left out."""
    try:
        frequencies = known.value_counts()
    except TypeError:  # unhashable values, such as lists
        frequencies = known.astype(str).value_counts()
    return frequencies[frequencies > 0]


def finite_values(known: pd.Series[Any]) -> Array:
    """Return the finite values as float64, dates in seconds since 1970."""
    if infer_kind(known) is Kind.MOMENT:
        seconds: Array = pd.to_datetime(known, utc=True).dt.as_unit("us").astype("int64").to_numpy(dtype=float) / 1e6
        return seconds
    numbers = known.to_numpy(dtype=float)
    finite: Array = numbers[np.isfinite(numbers)]
    return finite
