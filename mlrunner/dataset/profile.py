"""What a table looks like, in a few numbers a column: enough to see later whether another one differs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_datetime64_any_dtype, is_numeric_dtype

LOOKED_AT = 5_000  # rows, evenly spaced; the rest would change little
QUANTILES = 21  # every twentieth
WIDEST = 500  # columns; a table of thousands would take seconds
TOP = 20  # values of a text column


def profile(table: pd.DataFrame) -> dict[str, Any]:
    """Describe a table.

    Args:
        table: Raw rows.

    Returns:
        `rows`, and by column `dtype`, `missing` (a share), `distinct`, and `quantiles` (21, from the least to the
        greatest; of dates in seconds) or `top` (value to its share of the rows that have one).
    """
    some = table.iloc[:: max(1, len(table) // LOOKED_AT)]
    return {"rows": len(table), "columns": {str(name): _column(some[name]) for name in some.columns[:WIDEST]}}


def _column(column: pd.Series[Any]) -> dict[str, Any]:
    known = column.dropna()
    told: dict[str, Any] = {"dtype": str(column.dtype), "missing": float(column.isna().mean()) if len(column) else 0.0}
    if is_datetime64_any_dtype(column.dtype):
        known = known.astype("int64") / _ticks(column)
    elif is_bool_dtype(column.dtype) or not is_numeric_dtype(column.dtype):
        counts = known.value_counts()
        shares = {str(value)[:80]: float(count / len(known)) for value, count in counts.head(TOP).items()}
        return told | {"distinct": len(counts), "top": shares}
    values = known.to_numpy(dtype=float)
    values = values[np.isfinite(values)]
    quantiles = np.quantile(values, np.linspace(0, 1, QUANTILES)).tolist() if len(values) else []
    return told | {"distinct": int(known.nunique()), "quantiles": quantiles}


def _ticks(column: pd.Series[Any]) -> float:
    unit = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
    return unit[getattr(column.dtype, "unit", "ns")]
