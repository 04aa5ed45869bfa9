"""The fields of the form, one for each raw column of the model."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any, Literal

Widget = Literal["number", "category", "boolean", "text", "date"]
YES, NO = "yes", "no"
NO_DATE = "NaT"  # how MLflow writes a missing date


@dataclass(frozen=True)
class Field:
    """A field of the form; an empty one is a missing value.

    Args:
        name: Name of the column.
        widget: Kind of the field.
        required: Whether the model needs the column.
        initial: What the field shows first; None leaves it empty.
        options: Categories to choose from.
    """

    name: str
    widget: Widget
    required: bool
    initial: Any = None
    options: tuple[str, ...] = ()

    def value(self, entry: Any) -> Any:
        """Turn what the field holds into a value of the request; None for an empty field."""
        if entry is None or entry == "":
            return None
        if self.widget == "boolean":
            return entry == YES
        return entry.isoformat() if self.widget == "date" else entry


def make_fields(schema: Mapping[str, Any]) -> list[Field]:
    """Make the fields of a model, in the order of its columns, with the first row of its input example.

    Args:
        schema: Answer of the service to `/schema`.
    """
    example = schema["example"]["dataframe_split"]
    rows = [dict(zip(example["columns"], row, strict=True)) for row in example["data"]]
    return [_field(column, [row.get(column["name"]) for row in rows]) for column in schema["columns"]]


def _field(column: Mapping[str, Any], examples: Sequence[Any]) -> Field:
    name, required, kind = str(column["name"]), bool(column["required"]), column["kind"]
    first = None if not examples or is_missing(examples[0]) else examples[0]
    if kind == "number":
        return Field(name, "number", required, None if first is None else float(first))
    if kind == "boolean":
        return Field(name, "boolean", required, {None: None, True: YES, False: NO}[first], (YES, NO))
    if column["categories"] is not None:
        options = tuple(column["categories"])
        return Field(name, "category", required, first if first in options else None, options)
    if kind == "moment" and _are_days(examples):
        return Field(name, "date", required, None if first is None else datetime.fromisoformat(first).date())
    return Field(name, "text", required, first)


def is_missing(value: Any) -> bool:
    """Check whether a value of the input example is missing."""
    return value is None or value == NO_DATE or (isinstance(value, float) and math.isnan(value))


def _are_days(examples: Sequence[Any]) -> bool:
    """Check whether all dates are at midnight; a time of day needs a text field, since a date field drops it."""
    moments = [datetime.fromisoformat(value) for value in examples if not is_missing(value)]
    return bool(moments) and all(moment.time() == time() and not moment.utcoffset() for moment in moments)


def make_row(entries: Sequence[tuple[Field, Any]]) -> dict[str, Any]:
    """Make the row of the request from what each field holds, without the empty optional fields."""
    row = {field.name: field.value(entry) for field, entry in entries}
    needed = {field.name for field, _ in entries if field.required}
    return {name: value for name, value in row.items() if value is not None or name in needed} or row
