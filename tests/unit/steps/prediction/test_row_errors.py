"""Invalid values are found row by row, exactly where the service rejects them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mlrunner.serving.columns import RawColumn
from mlrunner.serving.errors import RequestError
from mlrunner.serving.schema import Schema
from mlrunner.steps.prediction.row_errors import find_row_errors
from tests.support.raw_schema import BUILT, NEW, SCHEMA, SIZE, TOWN


@pytest.mark.parametrize("column", SCHEMA.columns, ids=lambda column: column.name)
@pytest.mark.parametrize(
    "value",
    [None, 1.5, float("inf"), float("nan"), "far", "fat", "", "1", True, [1], {"a": 1}, "2018-01-01", "soon", b"x"],
    ids=repr,
)
def test_row_has_an_error_if_the_service_rejects_the_value(column: RawColumn, value: Any) -> None:
    other = {"number": 2.0, "text": "near", "boolean": False, "moment": "2017-05-05"}[column.kind]
    try:
        Schema((column,)).validate({column.name: [value]})
        is_rejected = False
    except RequestError:
        is_rejected = True
    assert set(find_row_errors(column, [other, None, value, other])) == ({2} if is_rejected else set())


MESSAGES: dict[str, tuple[RawColumn, Any, str]] = {
    "number": (SIZE, ["big"], "Column 'size' holds numbers, but has 'big'."),
    "beyond": (SIZE, np.array([np.inf]), "Column 'size' holds numbers, but has one beyond 1.8e308."),
    "long": (SIZE, ["b" * 99], f"Column 'size' holds numbers, but has '{'b' * 56}...."),
    "category": (TOWN, ["nea"], "Column 'town' has 'nea', which training did not see; it saw far, near. Did you mean "),
    "text": (TOWN, [3], "Column 'town' holds texts, but has 3."),
    "moment": (BUILT, ["soon"], "Column 'built' holds dates, but has 'soon'."),
    "boolean": (NEW, [0.5], "Column 'new' holds true or false, but has 0.5."),
}


@pytest.mark.parametrize(("column", "values", "message"), MESSAGES.values(), ids=MESSAGES)
def test_message(column: RawColumn, values: Any, message: str) -> None:
    assert find_row_errors(column, values)[0].startswith(message)


def test_each_of_many_invalid_values_is_found() -> None:
    assert [*find_row_errors(BUILT, [f"no date {number}" for number in range(400)])] == [*range(400)]
