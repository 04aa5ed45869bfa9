"""Fields of the form."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from mlrunner.cli.playground.fields import Field, make_fields, make_row


def column(kind: str, required: bool = True, categories: list[str] | None = None, name: str = "x") -> dict[str, Any]:
    return {"name": name, "kind": kind, "required": required, "categories": categories}


def field_of(description: dict[str, Any], *values: Any) -> Field:
    """Make the field of one column with these values in the example."""
    example = {"dataframe_split": {"columns": [description["name"]], "data": [[value] for value in values]}}
    return make_fields({"columns": [description], "example": example})[0]


@pytest.mark.parametrize(
    ("description", "values", "widget", "initial"),
    [
        pytest.param(column("number"), [3], "number", 3.0, id="number"),
        pytest.param(column("number"), [float("nan")], "number", None, id="nan"),
        pytest.param(column("boolean"), [True], "boolean", "yes", id="true"),
        pytest.param(column("boolean"), [False], "boolean", "no", id="false"),
        pytest.param(column("boolean"), [None], "boolean", None, id="neither"),
        pytest.param(column("text"), ["a"], "text", "a", id="text"),
        pytest.param(column("text"), [None], "text", None, id="no text"),
        pytest.param(column("text"), [], "text", None, id="no example"),
        pytest.param(column("text", categories=["a", "b"]), ["b"], "category", "b", id="category"),
        pytest.param(column("text", categories=["a"]), ["b"], "category", None, id="unknown category"),
        pytest.param(column("moment"), ["2020-01-02T00:00:00", "NaT"], "date", date(2020, 1, 2), id="day"),
        pytest.param(column("moment"), ["NaT", "2020-01-02T00:00:00Z"], "date", None, id="no day"),
        pytest.param(
            column("moment"), ["2020-01-02T00:00:00+02:00"], "text", "2020-01-02T00:00:00+02:00", id="time zone"
        ),
        pytest.param(column("moment"), ["2020-01-02T03:04:05"], "text", "2020-01-02T03:04:05", id="time"),
        pytest.param(column("moment"), ["NaT"], "text", None, id="no date at all"),
    ],
)
def test_column_to_field(description: dict[str, Any], values: list[Any], widget: str, initial: Any) -> None:
    field = field_of(description, *values)
    assert (field.widget, field.initial) == (widget, initial)


@pytest.mark.parametrize(
    ("description", "example", "value"),
    [
        pytest.param(column("number"), 0.1, 0.1, id="number"),
        pytest.param(column("number"), float("nan"), None, id="nan"),
        pytest.param(column("boolean"), True, True, id="true"),
        pytest.param(column("boolean"), False, False, id="false"),
        pytest.param(column("text"), " a ", " a ", id="blanks"),
        pytest.param(column("text"), "", None, id="empty text"),
        pytest.param(column("text", categories=["no", "yes"]), "no", "no", id="category"),
        pytest.param(column("moment"), "2020-01-02T00:00:00", "2020-01-02", id="day"),
        pytest.param(column("moment"), "NaT", None, id="no date"),
    ],
)
def test_field_to_value(description: dict[str, Any], example: Any, value: Any) -> None:
    field = field_of(description, example)
    assert field.value(field.initial) == value


def test_the_row_leaves_out_empty_optional_columns() -> None:
    form = [Field("a", "number", True), Field("b", "text", False), Field("c", "text", False)]
    assert make_row(list(zip(form, [None, "", "x"], strict=True))) == {"a": None, "c": "x"}


def test_the_row_always_has_a_column() -> None:
    assert make_row([(Field("b", "text", False), None)]) == {"b": None}
