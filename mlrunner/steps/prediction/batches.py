"""Check a chunk of a table: the rows for the model, the errors of the others, and the columns to copy."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import pandas as pd
import pyarrow as pa

from mlrunner.core.errors import ConfigError, DataError, brief, first_line, nearest
from mlrunner.groups.dataset.text_values import NumberFormat
from mlrunner.serving.columns import Arrays
from mlrunner.serving.schema import Schema
from mlrunner.steps.prediction.column_values import Values, extract_values, to_objects
from mlrunner.steps.prediction.row_errors import find_row_errors

OUTPUT_COLUMNS = ("row", "prediction", "model", "version", "reason")  # of the output itself


@dataclass(frozen=True)
class Batch:
    """Rows that match the model's schema.

    Args:
        columns: Values by column of the model, without columns that the table lacks.
        rows: Number of rows.
    """

    columns: dict[str, Values]
    rows: int

    def to_json(self) -> bytes:
        """Return the body of a request."""
        return orjson.dumps({"inputs": self.columns}, option=orjson.OPT_SERIALIZE_NUMPY)

    def to_arrays(self, schema: Schema) -> Arrays:
        """Return the arrays that `Schema.validate` makes of the request."""
        columns: Mapping[str, Any] = self.columns
        missing = [None] * self.rows
        return {column.name: column.to_array(columns.get(column.name, missing)) for column in schema.columns}

    def split(self) -> tuple[Batch, Batch]:
        """Split the rows into two halves."""
        middle = self.rows // 2
        first = {name: values[:middle] for name, values in self.columns.items()}
        second = {name: values[middle:] for name, values in self.columns.items()}
        return Batch(first, middle), Batch(second, self.rows - middle)


@dataclass(frozen=True)
class CheckedRows:
    """A checked chunk of a table.

    Args:
        start: Number of its first row in the table, from 0.
        rows: Number of its rows.
        batch: Valid rows.
        positions: Positions of the valid rows in the chunk.
        errors: Message for each invalid row, by its position.
        copied: Columns to copy to the output, for all rows.
    """

    start: int
    rows: int
    batch: Batch
    positions: npt.NDArray[np.int64]
    errors: dict[int, str]
    copied: pa.Table


def check_rows(
    chunk: pd.DataFrame, start: int, schema: Schema, keep: Sequence[str], number_format: NumberFormat | None
) -> CheckedRows:
    """Check a chunk row by row.

    Args:
        chunk: Rows, with all columns that the model requires.
        start: Number of the first row.
        schema: Schema of the model.
        keep: Columns to copy to the output.
        number_format: See `extract_values`.
    """
    present = [column for column in schema.columns if column.name in chunk]
    columns = {column.name: extract_values(chunk[column.name], column.kind, number_format) for column in present}
    errors: dict[int, str] = {}
    for column in present:
        for position, message in find_row_errors(column, columns[column.name]).items():
            errors[position] = f"{errors[position]} {message}" if position in errors else message
    is_valid = np.ones(len(chunk), dtype=bool)
    is_valid[list(errors)] = False
    positions = np.flatnonzero(is_valid)
    if errors:
        columns = {name: _select(values, positions) for name, values in columns.items()}
    return CheckedRows(start, len(chunk), Batch(columns, len(positions)), positions, errors, _copy(chunk, keep))


def _select(values: Values, positions: npt.NDArray[np.int64]) -> Values:
    if isinstance(values, np.ndarray):
        return values[positions]
    return [values[position] for position in positions.tolist()]


def _copy(chunk: pd.DataFrame, keep: Sequence[str]) -> pa.Table:
    try:
        return pa.table({name: _to_arrow(chunk[name]) for name in keep})
    except (pa.ArrowException, TypeError, OverflowError) as error:
        reason = first_line(error)
        raise DataError(f"--keep {','.join(keep)}: a column holds values of several types ({reason}).") from error


def _to_arrow(column: pd.Series[Any]) -> pa.Array:
    """Convert a column to a type that does not depend on the rows of the chunk, as far as possible."""
    values: Any = column
    if column.dtype == object:
        values = to_objects(column)
        if not {Decimal, uuid.UUID}.isdisjoint(map(type, values)):  # Arrow derives the precision from the values
            values = [None if value is None else str(value) for value in values]
    array = pa.array(values)
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    return array.cast(pa.string()) if pa.types.is_null(array.type) else array


def refuse_absent_columns(names: Sequence[str], schema: Schema, keep: Sequence[str], model: str) -> None:
    """Raise an error if the table lacks a column that the model requires or that is to be copied.

    Args:
        names: Columns of the table.
        schema: Schema of the model.
        keep: Columns to copy to the output.
        model: Name of the model in messages.

    Raises:
        DataError: If a column that the model requires is absent.
        ConfigError: If a column to copy is absent, or has the name of a column of the output.
    """
    names_of_model = {column.name for column in schema.columns}
    required = [column.name for column in schema.columns if column.required and column.name not in names]
    if required or names_of_model.isdisjoint(names):
        absent = required or sorted(names_of_model)
        word = "column" if len(absent) == 1 else "columns"
        hint = nearest(absent[0], (name for name in names if name not in names_of_model))
        raise DataError(f"The table lacks the {word} {brief(absent)}, which {model} needs.{hint}")
    for name in keep:
        if name not in names:
            raise ConfigError(
                f"--keep names '{name}', which is not a column; there are {brief(names)}.{nearest(name, names)}"
            )
        if name in OUTPUT_COLUMNS:
            raise ConfigError(f"--keep names '{name}', but the output has a column of that name; leave it out.")
