"""A piece of a table, checked: the rows that the model takes, what is wrong with the others, what is copied through."""

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

from mlrunner.core.errors import ConfigError, DataError, brief, nearest
from mlrunner.serving.schema import Arrays, Schema
from mlrunner.steps.prediction.column_values import Marks, Values, objects, plain
from mlrunner.steps.prediction.row_errors import faults

OWN = ("row", "prediction", "model", "version", "reason")  # the columns of the output that are not copied through


@dataclass(frozen=True)
class Batch:
    """Rows that fit the model.

    Args:
        columns: Those of the model's that the table has, one value a row.
        rows: How many.
    """

    columns: dict[str, Values]
    rows: int

    def body(self) -> bytes:
        """Write the rows as a request."""
        return orjson.dumps({"inputs": self.columns}, option=orjson.OPT_SERIALIZE_NUMPY)

    def arrays(self, schema: Schema) -> Arrays:
        """Lay the rows out as `schema.checked` does."""
        given: Mapping[str, Any] = self.columns
        gaps = [None] * self.rows
        return {column.name: column.array(given.get(column.name, gaps)) for column in schema.columns}

    def halves(self) -> tuple[Batch, Batch]:
        """Cut it in two."""
        middle = self.rows // 2
        first = {name: values[:middle] for name, values in self.columns.items()}
        second = {name: values[middle:] for name, values in self.columns.items()}
        return Batch(first, middle), Batch(second, self.rows - middle)


@dataclass(frozen=True)
class Part:
    """A checked piece of a table.

    Args:
        start: The number of its first row in the table, from 0.
        rows: How many it has.
        batch: Those that the model takes.
        places: Where they are in the piece.
        faults: What is wrong with each of the others, by its place.
        kept: The columns to copy through, for all rows.
    """

    start: int
    rows: int
    batch: Batch
    places: npt.NDArray[np.int64]
    faults: dict[int, str]
    kept: pa.Table


def checked(piece: pd.DataFrame, start: int, schema: Schema, keep: Sequence[str], marks: Marks | None) -> Part:
    """Check a piece row by row.

    Args:
        piece: With all columns that the model needs.
        start: The number of its first row.
        schema: Of the model.
        keep: Columns to copy through.
        marks: See `plain`.
    """
    columns = {
        column.name: plain(piece[column.name], column.kind, marks) for column in schema.columns if column.name in piece
    }
    wrong: dict[int, str] = {}
    for column in schema.columns:
        for place, told in faults(column, columns[column.name]).items() if column.name in columns else ():
            wrong[place] = f"{wrong[place]} {told}" if place in wrong else told
    sound = np.ones(len(piece), dtype=bool)
    sound[list(wrong)] = False
    places = np.flatnonzero(sound)
    if wrong:
        columns = {name: _taken(values, places) for name, values in columns.items()}
    return Part(start, len(piece), Batch(columns, len(places)), places, wrong, _kept(piece, keep))


def _taken(values: Values, places: npt.NDArray[np.int64]) -> Values:
    return values[places] if isinstance(values, np.ndarray) else [values[place] for place in places.tolist()]


def _kept(piece: pd.DataFrame, keep: Sequence[str]) -> pa.Table:
    try:
        return pa.table({name: _arrow(piece[name]) for name in keep})
    except (pa.ArrowException, TypeError, OverflowError) as error:
        told = str(error).splitlines()[0].rstrip(".")
        raise DataError(f"--keep {','.join(keep)}: a column holds values of several types ({told}).") from error


def _arrow(column: pd.Series[Any]) -> pa.Array:
    """Give a column a type that does not follow from which rows are in the piece, wherever there is one."""
    values: Any = column
    if column.dtype == object:
        values = objects(column)
        if not {Decimal, uuid.UUID}.isdisjoint(map(type, values)):  # Arrow would count the digits of the former
            values = [None if value is None else str(value) for value in values]
    found = pa.array(values)
    found = found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found
    return found.cast(pa.string()) if pa.types.is_null(found.type) else found


def refuse_absent(names: Sequence[str], schema: Schema, keep: Sequence[str], model: str) -> None:
    """Refuse a table that lacks what the model needs, or what is to be copied.

    Args:
        names: The table's columns.
        schema: Of the model.
        keep: Columns to copy through.
        model: What to call it.

    Raises:
        DataError: When a column that the model needs is not there.
        ConfigError: When one that is to be copied is not there, or bears a name of the output's own.
    """
    known = {column.name for column in schema.columns}
    absent = [column.name for column in schema.columns if column.required and column.name not in names]
    if absent or known.isdisjoint(names):
        lacked = absent or sorted(known)
        word = "column" if len(lacked) == 1 else "columns"
        hint = nearest(lacked[0], (name for name in names if name not in known))
        raise DataError(f"The table lacks the {word} {brief(lacked)}, which {model} needs.{hint}")
    for name in keep:
        if name not in names:
            raise ConfigError(
                f"--keep names '{name}', which is no column; there are {brief(names)}.{nearest(name, names)}"
            )
        if name in OWN:
            raise ConfigError(f"--keep names '{name}', but the output has a column of that name; leave it out.")
