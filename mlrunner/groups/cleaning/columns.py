"""Detect, convert, fill and clip columns for the config group `cleaning`.

Every function treats each value by itself, so that a single row gives the same result as the whole table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from mlrunner.core.column_dtypes import normalize_column
from mlrunner.core.column_kinds import Kind, infer_kind, infer_kinds
from mlrunner.core.errors import DataError

Constant = bool | int | float | str


def is_numeric(column: pd.Series) -> bool:
    """Check whether a column is numeric: booleans are, text that looks like numbers is not."""
    is_blank = column.dtype == object and column.isna().all()  # of a request, whose nulls may stand for texts
    return infer_kind(column).is_numeric and not is_blank


def select_numeric(table: pd.DataFrame) -> pd.DataFrame:
    """Select the numeric columns of a table, with NaN for missing values.

    Args:
        table: Any table; it is not modified.

    Returns:
        The numeric columns in their order. NumPy dtypes are kept; nullable, Arrow and `object` numbers become
        float64, whether or not a value is missing.
    """
    names = [name for name in table.columns if is_numeric(table[name])]
    converted = {name: to_float(table[name]) for name in names if not _is_numpy_typed(table[name])}
    selected = table if len(names) == table.shape[1] else table[names]
    return selected.assign(**converted) if converted else selected


def to_float(column: pd.Series) -> pd.Series:
    """Convert a numeric column to float64, with NaN for missing values."""
    values = normalize_column(column).to_numpy(dtype="float64", na_value=np.nan)
    return pd.Series(values, index=column.index, name=column.name)


def fill_missing(column: pd.Series, constant: Constant) -> pd.Series:
    """Replace missing values by a constant.

    Args:
        column: Any column.
        constant: A number or boolean for a numeric column, a text for any other.

    Raises:
        DataError: When the constant is of another kind than the column.
    """
    number = not isinstance(constant, str)
    column = _match_kind(column, number)
    if number != is_numeric(column):
        raise DataError(
            f"cleaning.fill.{column.name} is {constant!r}, but the column holds "
            f"{'no numbers' if number else 'numbers'} ({column.dtype}); give a constant of the same kind."
        )
    if isinstance(column.dtype, pd.CategoricalDtype) and constant not in column.cat.categories:
        column = column.cat.add_categories([constant])
    if not number:
        return column.fillna(constant)
    complete = _is_numpy_typed(column) and column.dtype.kind in "iub"  # these cannot hold a missing value
    return column if complete else to_float(column).fillna(float(constant))


def clip_values(column: pd.Series, low: float | None, high: float | None) -> pd.Series:
    """Clip a numeric column at its bounds.

    Args:
        column: Numeric column.
        low: Lower bound; None: no bound.
        high: Upper bound; None: no bound.

    Returns:
        The column as float64, even without bounds.

    Raises:
        DataError: When the column is not numeric.
    """
    column = _match_kind(column, number=True)
    if not is_numeric(column):
        raise DataError(f"cleaning.clip names '{column.name}', which holds no numbers ({column.dtype}); remove it.")
    return to_float(column).clip(low, high)


def drop_columns(table: pd.DataFrame, names: Iterable[str]) -> pd.DataFrame:
    """Drop the named columns that the table has; without any, return the table itself."""
    present = [name for name in names if name in table]
    return table.drop(columns=present) if present else table


def hashable(table: pd.DataFrame) -> pd.DataFrame:
    """Replace lists and other objects by their text form, so that rows can be compared."""
    others = [name for name, kind in infer_kinds(table).items() if kind is Kind.UNSUPPORTED]
    texts = {name: [repr(getattr(value, "tolist", lambda v=value: v)()) for value in table[name]] for name in others}
    return table.assign(**texts) if others else table


def append_columns(table: pd.DataFrame, features: Mapping[str, ArrayLike]) -> pd.DataFrame:
    """Append columns to a table.

    Args:
        table: Table; it is not modified.
        features: New columns by name, each of shape (n_rows,).

    Raises:
        DataError: When the table has a column of the same name.
    """
    for name in features:
        if name in table:
            raise DataError(
                f"cleaning makes a column '{name}' of a date, but the table has one already; drop or rename it."
            )
    return pd.concat([table, pd.DataFrame(dict(features), index=table.index)], axis=1)


def _is_numpy_typed(column: pd.Series) -> bool:
    return isinstance(column.dtype, np.dtype) and column.dtype != object


def _match_kind(column: pd.Series, number: bool) -> pd.Series:
    """Convert an `object` or entirely missing column to the kind of its constant."""
    if number != is_numeric(column) and column.isna().all():
        return pd.Series(np.nan, index=column.index, name=column.name, dtype="float64" if number else object)
    return to_float(column) if number and column.dtype == object and is_numeric(column) else column
