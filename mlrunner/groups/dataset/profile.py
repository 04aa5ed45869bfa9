"""What a table looks like, in a few numbers a column: enough to see later whether another one differs."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api.types import is_bool_dtype, is_datetime64_any_dtype, is_numeric_dtype

Array = npt.NDArray[Any]
LOOKED_AT = 5_000  # rows at most, evenly spaced; the rest would change little
QUANTILES = 51  # every fiftieth
WIDEST = 500  # columns; a table of thousands would take seconds
DATES = ("datetime", "timestamp")  # as pandas and Arrow begin the names of their types
TOP = 20  # values of a text column, and of a column of numbers that has no more


def profile(table: pd.DataFrame) -> dict[str, Any]:
    """Describe a table.

    Args:
        table: Raw rows.

    Returns:
        `rows`, how many were `looked_at`, and by column `dtype`, `missing` (a share), `distinct`, and `quantiles` (51,
        from the least to the greatest; of dates in seconds) or `top` (value to its share of the rows that have one).
        Of numbers with few values also `shares`: each value with its share, in their order.
    """
    some = table.iloc[:: max(1, -(-len(table) // LOOKED_AT))]
    columns = {str(name): _column(some[name]) for name in some.columns[:WIDEST]}
    return {"rows": len(table), "looked_at": len(some), "columns": columns}


def _column(column: pd.Series[Any]) -> dict[str, Any]:
    known = column.dropna()
    told: dict[str, Any] = {"dtype": str(column.dtype), "missing": float(column.isna().mean()) if len(column) else 0.0}
    if is_counted(known):
        found = counts(known)
        shares = {str(value)[:80]: float(count / len(known)) for value, count in found.head(TOP).items()}
        return told | {"distinct": len(found), "top": shares}
    finite = values(known)
    marks = np.quantile(np.sort(finite), np.linspace(0, 1, QUANTILES)).tolist() if len(finite) else []
    distinct = int(known.nunique())
    return told | {"distinct": distinct, "quantiles": marks} | ({"shares": _shares(finite)} if distinct <= TOP else {})


def _shares(finite: Array) -> list[list[float]]:
    """Tell the exact share of each number, which quantiles know only to a fiftieth."""
    found, often = np.unique(finite, return_counts=True)
    return [[float(value), float(count / len(finite))] for value, count in zip(found, often, strict=True)]


def is_counted(known: pd.Series[Any]) -> bool:
    """Tell whether a column is described by how often each value comes, as it has no order."""
    kind = known.dtype
    return bool(is_bool_dtype(kind) or not (is_numeric_dtype(kind) or is_datetime64_any_dtype(kind)))


def counts(known: pd.Series[Any]) -> pd.Series[int]:
    """Count how often each value comes, the commonest first; pandas lists categories that no row has as well."""
    try:
        found = known.value_counts()
    except TypeError:  # lists and other values that cannot be looked up
        found = known.astype(str).value_counts()
    return found[found > 0]


def values(known: pd.Series[Any]) -> Array:
    """Take the finite values as numbers; dates in seconds since 1970."""
    if is_datetime64_any_dtype(known.dtype):
        seconds: Array = pd.to_datetime(known, utc=True).dt.as_unit("us").astype("int64").to_numpy(dtype=float) / 1e6
        return seconds
    found = known.to_numpy(dtype=float)
    finite: Array = found[np.isfinite(found)]
    return finite
