"""Store tables as uncompressed Arrow files, which are memory-mapped without copying their numbers."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pandas.api.types import is_object_dtype
from pyarrow import ipc

from mlrunner.core.errors import DataError

TABLE_FILE = "table.arrow"


def to_arrow(table: pd.DataFrame) -> pa.RecordBatch:
    """Convert a table into one record batch, so that its numbers can be mapped without a copy; NaN stays NaN.

    Raises:
        DataError: When a column holds values that Arrow has no type for.
    """
    try:
        schema = pa.Schema.from_pandas(table)
    except (pa.ArrowException, TypeError) as error:
        raise DataError(_untyped(table)) from error
    uuids = [field.name for field in schema if isinstance(field.type, pa.UuidType)]  # Arrow does not convert them back
    if uuids:
        return to_arrow(table.assign(**{name: table[name].map(str, na_action="ignore") for name in uuids}))
    arrays = [_array(_column(table, place), field.type) for place, field in enumerate(schema)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _untyped(table: pd.DataFrame) -> str:
    """Name the column that Arrow has no type for, and explain how to give it one."""
    for name, column in table.items():
        try:
            pa.Schema.from_pandas(column.to_frame())
        except (pa.ArrowException, TypeError) as error:
            return (
                f"Column '{name}' holds values of several types, or of a type that tables do not keep ({error}); give "
                f"it one in dataset.dtypes, such as {name}: str, or leave it out."
            )
    return "The table has columns that no file can keep; leave them out."


def _column(table: pd.DataFrame, place: int) -> pd.Series[Any]:
    """Return a column by its position; the levels of the index follow the columns.

    Names cannot be used: they need not be text, and a column may be called like the index.
    """
    width = table.shape[1]
    return table.iloc[:, place] if place < width else table.index.get_level_values(place - width).to_series()


def _array(column: pd.Series[Any], type_: pa.DataType) -> pa.Array:
    is_plain_float = isinstance(column.dtype, np.dtype) and column.dtype.kind == "f"
    array = pa.array(column, type=type_, from_pandas=not is_plain_float)
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def from_arrow(table: pa.Table) -> pd.DataFrame:
    """Convert a table back; a column of objects stays one, so that a cached table equals the original."""
    frame: pd.DataFrame = table.to_pandas(split_blocks=True, integer_object_nulls=True)
    columns = table.schema.pandas_metadata["columns"][: frame.shape[1]]
    triples = zip(frame.columns, frame.dtypes, columns, strict=True)
    objects = [name for name, dtype, saved in triples if saved["numpy_type"] == "object" and not is_object_dtype(dtype)]
    return frame.astype(dict.fromkeys(objects, object)) if objects else frame


def write_table(table: pd.DataFrame, sink: Any) -> None:
    """Write a table to an open binary file."""
    batch = to_arrow(table)
    with ipc.new_file(sink, batch.schema) as writer:
        writer.write_batch(batch)


def map_table(path: str | Path) -> pd.DataFrame:
    """Map a file into memory."""
    return from_arrow(ipc.open_file(pa.memory_map(str(path))).read_all())


@lru_cache(maxsize=16)
def map_table_once(path: str) -> pd.DataFrame:
    """Map a file that does not change any more; each process maps it once."""
    return map_table(path)
