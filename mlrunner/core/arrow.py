"""Tables as uncompressed Arrow files whose numbers map back without a copy; no framework is needed to read one."""

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

NAME = "table.arrow"


def to_arrow(table: pd.DataFrame) -> pa.RecordBatch:
    """Lay a table out so that its numbers map back without a copy: NaN stays NaN, one piece a column.

    Raises:
        DataError: When a column holds what Arrow has no type for.
    """
    try:
        schema = pa.Schema.from_pandas(table)
    except (pa.ArrowException, TypeError) as error:
        raise DataError(_untyped(table)) from error
    uuids = [field.name for field in schema if isinstance(field.type, pa.UuidType)]  # Arrow gives no objects back
    if uuids:
        return to_arrow(table.assign(**{name: table[name].map(str, na_action="ignore") for name in uuids}))
    arrays = [_array(_column(table, place), field.type) for place, field in enumerate(schema)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _untyped(table: pd.DataFrame) -> str:
    """Find the column that Arrow has no type for, and say how to give it one."""
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
    """Take a column by its place, behind which the index stands; names need be neither text nor unlike the index's."""
    width = table.shape[1]
    return table.iloc[:, place] if place < width else table.index.get_level_values(place - width).to_series()


def _array(column: pd.Series[Any], type_: pa.DataType) -> pa.Array:
    is_plain_float = isinstance(column.dtype, np.dtype) and column.dtype.kind == "f"
    array = pa.array(column, type=type_, from_pandas=not is_plain_float)
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def from_arrow(table: pa.Table) -> pd.DataFrame:
    """Undo `to_arrow`; a column of objects stays one, or the cleaning would see another table than in a first run."""
    frame: pd.DataFrame = table.to_pandas(split_blocks=True, integer_object_nulls=True)
    columns = table.schema.pandas_metadata["columns"][: frame.shape[1]]
    told = zip(frame.columns, frame.dtypes, columns, strict=True)
    objects = [name for name, dtype, said in told if said["numpy_type"] == "object" and not is_object_dtype(dtype)]
    return frame.astype(dict.fromkeys(objects, object)) if objects else frame


def write_table(table: pd.DataFrame, sink: Any) -> None:
    """Write a table to an open file."""
    batch = to_arrow(table)
    with ipc.new_file(sink, batch.schema) as writer:
        writer.write_batch(batch)


def map_table(path: str | Path) -> pd.DataFrame:
    """Map a file of this disk."""
    return from_arrow(ipc.open_file(pa.memory_map(str(path))).read_all())


@lru_cache(maxsize=16)
def mapped(path: str) -> pd.DataFrame:
    """Map a file that nobody writes any more, once a process."""
    return map_table(path)
