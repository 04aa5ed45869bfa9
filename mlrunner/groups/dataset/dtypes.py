"""Convert columns to the types of `dataset.dtypes`, and compute the digest of a table."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype, pandas_dtype

from mlrunner.core.column_dtypes import normalize_column
from mlrunner.core.errors import ConfigError, DataError, brief, first_line, nearest

TEXT_TYPES = ("str", "string", "object")
COMMON_TYPES = ("str", "category", "bool", "boolean", "int64", "Int64", "float64", "datetime64[ns]")


def apply_dtypes(table: pd.DataFrame, dtypes: Mapping[str, str]) -> pd.DataFrame:
    """Convert columns to other dtypes.

    Args:
        table: Any table; it is not modified.
        dtypes: Name of a pandas dtype by column.

    Raises:
        ConfigError: When a column or dtype does not exist.
        DataError: When a value does not fit its dtype.
    """
    return table.assign(**{name: _convert(table, name, dtype) for name, dtype in dtypes.items()})


def digest_table(table: pd.DataFrame) -> str:
    """Return a digest of the names, dtypes and values of a table, without its index."""
    described = repr([(str(name), str(dtype)) for name, dtype in table.dtypes.items()])
    rows = pd.util.hash_pandas_object(table, index=False, categorize=False).to_numpy()
    return hashlib.sha256(described.encode() + rows.tobytes()).hexdigest()


def _convert(table: pd.DataFrame, name: str, dtype: str) -> pd.Series:
    key, names = f"dataset.dtypes.{name}", list(map(str, table.columns))
    if name not in table:
        raise ConfigError(f"{key}: there is no such column; there are {brief(names)}.{nearest(name, names)}")
    try:
        parsed = pandas_dtype(dtype)
    except (TypeError, ValueError) as error:
        hint = nearest(dtype, COMMON_TYPES)
        raise ConfigError(f"{key} is '{dtype}', which is not a dtype; try {brief(COMMON_TYPES)}.{hint}") from error
    try:
        return _cast(table[name], dtype, parsed)
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError(
            f"{key} is {dtype}, which its values do not fit ({first_line(error)}); name another, such as str."
        ) from error


def _cast(column: pd.Series, name: str, dtype: Any) -> pd.Series:
    # A missing value stays missing and does not become the text "nan"; `normalize_column` would make 3.1 of 3.10.
    if name in TEXT_TYPES:
        return column.astype(dtype).where(column.notna())
    column = normalize_column(column)
    if name == "bool" and not (is_bool_dtype(column) or is_numeric_dtype(column)):
        raise ValueError("text or missing values, and any text would count as true")
    if not name.startswith("datetime64"):
        return column.astype(dtype)
    is_text = isinstance(column.dtype, pd.StringDtype)  # of which pandas would read 04.03.2021 as 3 April
    return pd.to_datetime(column, format="ISO8601" if is_text else None).astype(dtype)
