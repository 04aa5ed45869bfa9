"""The kinds of columns: one table, by which every part of mlrunner reads a column alike.

`mlrunner.core.column_dtypes.normalize` is called once, when a table is read. Afterwards the dtype alone tells the kind,
so that `infer_kinds` is cheap wherever it is called, and a single row has the kinds of the whole table:

| kind          | after `normalize`                                                                        |
|---------------|------------------------------------------------------------------------------------------|
| `NUMBER`      | NumPy integers or floats; whole numbers with gaps `Int64` or `UInt64`; decimals, and      |
|               | durations in seconds, as `float64`; a column without any value                           |
| `BOOLEAN`     | `bool`; with gaps `boolean`                                                              |
| `CATEGORY`    | `category`, as declared                                                                  |
| `TEXT`        | `str`; also values of several types, and times, UUIDs and intervals in their text form   |
| `MOMENT`      | `datetime64`, with or without a time zone; also dates and periods                        |
| `UNSUPPORTED` | `object`: lists, mappings, bytes and other objects, which cannot be features             |

To find dates in text, convert the column to `datetime64` where tables are read, beside `normalize`: it is `MOMENT` from
there on for check, cleaning, signature and server. A served model imports this module: pandas and NumPy only.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

from mlrunner.core.column_dtypes import normalize_column


class Kind(StrEnum):
    """What the values of a column are; see the table in `mlrunner.core.column_kinds`."""

    NUMBER = "number"
    BOOLEAN = "boolean"
    CATEGORY = "category"
    TEXT = "text"
    MOMENT = "moment"
    UNSUPPORTED = "unsupported"

    @property
    def is_numeric(self) -> bool:
        """Whether the values can be computed with: numbers, and truth values as 0 and 1."""
        return self in (Kind.NUMBER, Kind.BOOLEAN)

    @property
    def plural(self) -> str:
        """What the values are called in messages."""
        return PLURALS[self]


TOLERATED = 0.01  # largest share of values that become missing because they do not fit the kind of their column
NUMPY_KINDS = {**dict.fromkeys("iuf", Kind.NUMBER), "b": Kind.BOOLEAN, "M": Kind.MOMENT}
PLURALS = {
    Kind.NUMBER: "numbers",
    Kind.BOOLEAN: "true or false",
    Kind.CATEGORY: "categories",
    Kind.TEXT: "texts",
    Kind.MOMENT: "dates",
    Kind.UNSUPPORTED: "lists, bytes or other objects",
}


def infer_kinds(table: pd.DataFrame) -> dict[str, Kind]:
    """Return the kind of each column by name."""
    kinds = {name: _kind_of(dtype) for name, dtype in table.dtypes.items()}
    return {str(name): infer_kind(table[name]) if kind is None else kind for name, kind in kinds.items()}


def infer_kind(column: pd.Series[Any]) -> Kind:
    """Return the kind of a column; the values are looked at only where `normalize` has not been called."""
    kind = _kind_of(column.dtype)
    return kind or _kind_of(normalize_column(column).dtype) or Kind.UNSUPPORTED


def _kind_of(dtype: Any) -> Kind | None:
    """Return the kind of a dtype that `normalize` gives; None for any other."""
    if isinstance(dtype, np.dtype):
        return NUMPY_KINDS.get(dtype.kind)
    if isinstance(dtype, pd.CategoricalDtype):
        return Kind.CATEGORY
    if isinstance(dtype, pd.DatetimeTZDtype):
        return Kind.MOMENT
    if isinstance(dtype, pd.StringDtype):
        return Kind.TEXT
    if isinstance(dtype, pd.BooleanDtype):
        return Kind.BOOLEAN
    is_derived = isinstance(dtype, pd.ArrowDtype | pd.SparseDtype)
    return Kind.NUMBER if types.is_numeric_dtype(dtype) and not is_derived else None
