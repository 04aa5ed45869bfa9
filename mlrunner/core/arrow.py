"""Store tables as uncompressed Arrow files, which are memory-mapped without copying their numbers."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pandas.api.types import is_object_dtype
from pyarrow import ipc

TABLE_FILE = "table.arrow"


def to_arrow(table: pd.DataFrame) -> pa.RecordBatch:
    """Convert a table into one record batch, so that its numbers can be mapped without a copy; NaN stays NaN.

    Values that Arrow has no type for become text; features never hold any, columns of `dataset.ignore` may.
    """
    try:
        schema = pa.Schema.from_pandas(table)
    except (pa.ArrowException, TypeError):
        untyped = [name for name, column in table.items() if not _has_type(column)]
        if not untyped:
            raise
        return to_arrow(_write_as_text(table, untyped))
    uuids = [field.name for field in schema if isinstance(field.type, pa.UuidType)]  # Arrow does not convert them back
    if uuids:
        return to_arrow(_write_as_text(table, uuids))
    arrays = [_array(_column(table, place), field.type) for place, field in enumerate(schema)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _has_type(column: pd.Series[Any]) -> bool:
    try:
        pa.Schema.from_pandas(column.to_frame())
    except (pa.ArrowException, TypeError):
        return False
    return True


def _write_as_text(table: pd.DataFrame, names: Iterable[Hashable]) -> pd.DataFrame:
    return table.assign(**{str(name): table[name].map(str, na_action="ignore") for name in names})


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
