"""Give columns the types that `dataset.dtypes` names, and digest a table; serves the config group `dataset`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype, pandas_dtype

from mlrunner.core.errors import ConfigError, DataError, brief, nearest
from mlrunner.groups.dataset.parsing import first_line

TEXT_TYPES = ("str", "string", "object")
COMMON_TYPES = ("str", "category", "bool", "boolean", "int64", "Int64", "float64", "datetime64[ns]")


def typed(table: pd.DataFrame, dtypes: Mapping[str, str]) -> pd.DataFrame:
    """Convert the named columns.

    Args:
        table: Left as it is.
        dtypes: Column to the name of a pandas dtype.

    Raises:
        ConfigError: There is no such column or dtype.
        DataError: A value does not fit its dtype.
    """
    return table.assign(**{name: _converted(table, name, dtype) for name, dtype in dtypes.items()})


def digest(table: pd.DataFrame) -> str:
    """Digest names, types and values; the index plays no part."""
    described = repr([(str(name), str(dtype)) for name, dtype in table.dtypes.items()])
    rows = pd.util.hash_pandas_object(table, index=False, categorize=False).to_numpy()
    return hashlib.sha256(described.encode() + rows.tobytes()).hexdigest()


def _converted(table: pd.DataFrame, name: str, dtype: str) -> pd.Series:
    key, names = f"dataset.dtypes.{name}", list(map(str, table.columns))
    if name not in table:
        raise ConfigError(f"{key}: there is no such column; there are {brief(names)}.{nearest(name, names)}")
    try:
        wanted = pandas_dtype(dtype)
    except (TypeError, ValueError) as error:
        hint = nearest(dtype, COMMON_TYPES)
        raise ConfigError(f"{key} is '{dtype}', which is no dtype; try {brief(COMMON_TYPES)}.{hint}") from error
    try:
        return _cast(table[name], dtype, wanted)
    except (TypeError, ValueError, OverflowError) as error:
        told = first_line(str(error))
        raise DataError(
            f"{key} is {dtype}, which its values do not fit ({told}); name another, such as str."
        ) from error


def _cast(column: pd.Series, name: str, wanted: Any) -> pd.Series:
    if name in TEXT_TYPES:  # a gap stays a gap and is not the text "nan"
        return column.astype(wanted).where(column.notna())
    if name == "bool" and not (is_bool_dtype(column) or is_numeric_dtype(column)):
        raise ValueError("text or gaps, and any text would count as true")
    return pd.to_datetime(column).astype(wanted) if name.startswith("datetime64") else column.astype(wanted)
