"""What a column holds, and how it becomes numbers; serves the config group `cleaning`.

Everything here looks at one value at a time, so a row alone and a row in its table come out the same.
What a column is goes by its declared dtype. Only `object`, which declares nothing, is looked into.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from pandas.api import types

from mlrunner.core.errors import DataError

Constant = bool | int | float | str
NUMBER_KINDS = frozenset({"integer", "floating", "mixed-integer-float", "boolean", "decimal"})


def holds_numbers(column: pd.Series) -> bool:
    """Tell whether a column is numeric; true/false counts, text that looks like a number does not."""
    if column.dtype == object:
        return types.infer_dtype(column, skipna=True) in NUMBER_KINDS
    return types.is_numeric_dtype(column.dtype) or types.is_bool_dtype(column.dtype)


def numbers(table: pd.DataFrame) -> pd.DataFrame:
    """Keep the numeric columns of a table, missing values as NaN.

    Args:
        table: Any table; never changed in place.

    Returns:
        The numeric columns in their order. Plain numpy dtypes stay as they are; nullable, Arrow and
        `object` numbers become float64, whether or not a value is missing.
    """
    kept = [name for name in table.columns if holds_numbers(table[name])]
    odd = {name: as_float(table[name]) for name in kept if not _is_plain(table[name])}
    chosen = table if len(kept) == table.shape[1] else table[kept]
    return chosen.assign(**odd) if odd else chosen


def as_float(column: pd.Series) -> pd.Series:
    """Turn a numeric column into float64."""
    if column.dtype == object:
        column = pd.to_numeric(column, errors="coerce")
    values = column.to_numpy(dtype="float64", na_value=np.nan)
    return pd.Series(values, index=column.index, name=column.name)


def filled(column: pd.Series, constant: Constant) -> pd.Series:
    """Put a constant where a value is missing.

    Raises:
        DataError: When the constant is of another kind than the column.
    """
    number = not isinstance(constant, str)
    column = _settled(column, number)
    if number != holds_numbers(column):
        raise DataError(
            f"cleaning.fill.{column.name} is {constant!r}, but the column holds "
            f"{'no numbers' if number else 'numbers'} ({column.dtype}); give it one of the same kind."
        )
    if isinstance(column.dtype, pd.CategoricalDtype) and constant not in column.cat.categories:
        column = column.cat.add_categories([constant])
    if not number:
        return column.fillna(constant)
    whole = _is_plain(column) and column.dtype.kind in "iub"  # these cannot have a gap
    return column if whole else as_float(column).fillna(float(constant))


def clipped(column: pd.Series, low: float | None, high: float | None) -> pd.Series:
    """Bound a numeric column; the result is float64 whatever the bounds.

    Raises:
        DataError: When the column holds no numbers.
    """
    column = _settled(column, number=True)
    if not holds_numbers(column):
        raise DataError(f"cleaning.clip names '{column.name}', which holds no numbers ({column.dtype}); remove it.")
    return as_float(column).clip(low, high)


def without(table: pd.DataFrame, names: Iterable[str]) -> pd.DataFrame:
    """Drop the columns that are there, without a copy when none is."""
    present = [name for name in names if name in table]
    return table.drop(columns=present) if present else table


def joined(table: pd.DataFrame, features: Mapping[str, pd.Series]) -> pd.DataFrame:
    """Put new columns after the old ones.

    Raises:
        DataError: When a name is taken.
    """
    for name in features:
        if name in table:
            raise DataError(f"cleaning makes a column '{name}' of a date, but there is one already; drop or rename it.")
    return pd.concat([table, pd.DataFrame(dict(features), index=table.index)], axis=1)


def _is_plain(column: pd.Series) -> bool:
    return isinstance(column.dtype, np.dtype) and column.dtype != object


def _settled(column: pd.Series, number: bool) -> pd.Series:
    """Give a column that declares nothing, or holds nothing at all, the kind of its constant."""
    if number != holds_numbers(column) and column.isna().all():
        return pd.Series(np.nan, index=column.index, name=column.name, dtype="float64" if number else object)
    return as_float(column) if number and column.dtype == object and holds_numbers(column) else column
