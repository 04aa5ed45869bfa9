"""The form: one field for each raw column of the model, and what becomes of the values that it holds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Literal

Widget = Literal["number", "choice", "text", "long", "date", "moment", "truth"]
TRUTH = {"yes": True, "no": False}
LONG = 60  # characters of an example that no longer fit a line
EXACT = 2**53  # whole numbers below it are the same in a double
PAST, FUTURE = date(1900, 1, 1), date(2100, 12, 31)
NEVER = "NaT"  # how MLflow writes a date that is missing


@dataclass(frozen=True)
class Field:
    """A field of the form. Each may be left empty, which is a missing value.

    Args:
        name: Of the column.
        widget: What it is typed or chosen with.
        required: Whether the model needs the column.
        options: To choose from.
        step: Between two numbers of the arrows.
        hint: What an empty field shows.
        earliest: And
        latest: limit a date.
    """

    name: str
    widget: Widget
    required: bool
    options: tuple[str, ...] = ()
    step: float = 1.0
    hint: str = "missing"
    earliest: date = PAST
    latest: date = FUTURE

    @property
    def key(self) -> str:
        """Names the field within a session; a column that becomes of another kind is another field."""
        return f"{self.widget}:{self.name}"

    def shown(self, value: Any) -> Any:
        """Turn a value of a row into what the field shows; None for a missing one."""
        if is_missing(value):
            return None
        if self.widget == "number":
            return float(value)
        if self.widget == "date":
            return datetime.fromisoformat(value).date()
        if self.widget == "moment":
            return str(value).replace("T", " ", 1)
        if self.widget == "truth":
            return "yes" if value else "no"
        if self.widget == "choice":
            return value if self.can_show(value) else None
        return str(value)

    def can_show(self, shown: Any) -> bool:
        """Tell whether the field takes what it once showed: another version may offer other choices."""
        if self.widget == "choice":
            return shown in self.options
        return self.widget != "date" or shown is None or self.earliest <= shown <= self.latest

    def told(self, shown: Any) -> Any:
        """Turn what the field shows into a value of a row."""
        if shown is None or shown == "":
            return None
        if self.widget == "number":
            return int(shown) if float(shown).is_integer() and abs(shown) < EXACT else shown
        if self.widget == "date":
            return shown.isoformat()
        return TRUTH[shown] if self.widget == "truth" else shown


def is_missing(value: Any) -> bool:
    """Tell whether a value of the input example stands for none."""
    return value is None or value == NEVER or (isinstance(value, float) and math.isnan(value))


def examples(schema: Mapping[str, Any]) -> list[dict[str, Any]]:
    """List the rows of the input example."""
    told = schema["example"]["dataframe_split"]
    return [dict(zip(told["columns"], row, strict=True)) for row in told["data"]]


def fields(schema: Mapping[str, Any]) -> list[Field]:
    """Make the form of a model, in the order of its columns."""
    rows = examples(schema)
    return [_field(column, [row.get(column["name"]) for row in rows]) for column in schema["columns"]]


def _field(column: Mapping[str, Any], values: Iterable[Any]) -> Field:
    name, required = str(column["name"]), bool(column["required"])
    present = [value for value in values if not is_missing(value)]
    if column["kind"] == "number":
        return Field(name, "number", required, step=step(present))
    if column["kind"] == "boolean":
        return Field(name, "truth", required, options=tuple(TRUTH))
    if column["kind"] == "moment":
        return _moment(name, required, [datetime.fromisoformat(value) for value in present])
    if column["categories"] is not None:
        return Field(name, "choice", required, options=tuple(column["categories"]))
    is_long = any("\n" in value or len(value) > LONG for value in present)
    return Field(name, "long" if is_long else "text", required)


def _moment(name: str, required: bool, present: Sequence[datetime]) -> Field:
    """Offer a calendar for days alone: Streamlit's field for a time of day drops its seconds."""
    if present and all(found.time() == time() and not found.utcoffset() for found in present):
        days = [found.date() for found in present]
        return Field(name, "date", required, earliest=min(PAST, *days), latest=max(FUTURE, *days))
    like = present[0] if present else datetime(2026, 1, 31, 12)
    return Field(name, "moment", required, hint=f"missing, or like {like.isoformat(' ')}")


def step(values: Sequence[float]) -> float:
    """Choose the step of a number: 1 between whole numbers, else about a hundredth of what is usual, at most 1."""
    if all(float(value).is_integer() for value in values):
        return 1.0
    size = max(abs(value) for value in values)
    return min(1.0, 10.0 ** (math.floor(math.log10(size)) - 2))


def record(form: Sequence[Field], shown: Mapping[str, Any]) -> dict[str, Any]:
    """Make the row that the form holds.

    Args:
        form: Its fields.
        shown: Key of a field to what it shows.

    Returns:
        Column to value; an empty field of a column that may be absent is left out.
    """
    values = {field.name: field.told(shown.get(field.key)) for field in form}
    needed = {field.name for field in form if field.required}
    found = {name: value for name, value in values.items() if value is not None or name in needed}
    return found or values  # a row without a column is no row
