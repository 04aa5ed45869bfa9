"""What a column holds, and how it becomes numbers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlrunner.core.errors import DataError
from mlrunner.groups.cleaning.columns import (
    append_columns,
    clip_values,
    drop_columns,
    fill_missing,
    is_numeric,
    select_numeric,
    to_float,
)

KINDS: list[Any] = [
    pytest.param(pd.Series([1, 2]), True, id="integers"),
    pytest.param(pd.Series([1.5, np.nan]), True, id="floats"),
    pytest.param(pd.Series([True, False]), True, id="booleans"),
    pytest.param(pd.Series([1, None], dtype="Int64"), True, id="nullable integers"),
    pytest.param(pd.Series([True, None], dtype="boolean"), True, id="nullable booleans"),
    pytest.param(pd.Series([1, None], dtype="int64[pyarrow]"), True, id="arrow integers"),
    pytest.param(pd.Series([True, None], dtype="bool[pyarrow]"), True, id="arrow booleans"),
    pytest.param(pd.Series([Decimal("1.5"), None], dtype=object), True, id="decimals of a database"),
    pytest.param(pd.Series([True, None], dtype=object), True, id="booleans with a gap"),
    pytest.param(pd.Series([1, 2.5, None], dtype=object), True, id="numbers of a JSON row"),
    pytest.param(pd.Series(["1", "2"], dtype="str"), False, id="text that looks like numbers"),
    pytest.param(pd.Series(["a", None], dtype=object), False, id="text as objects"),
    pytest.param(pd.Series([None, None], dtype=object), False, id="nothing at all"),
    pytest.param(pd.Series(["a", 1], dtype=object), False, id="a mixture"),
    pytest.param(pd.Series([1, 2], dtype="category"), False, id="categories that are numbers"),
    pytest.param(pd.to_datetime(pd.Series(["2020-01-01"])), False, id="timestamps"),
    pytest.param(pd.to_timedelta(pd.Series(["1 day"])), True, id="durations"),
]


@pytest.mark.parametrize(("column", "expected"), KINDS)
def test_numeric_columns_are_detected_by_dtype_and_become_floats(column: pd.Series, expected: bool) -> None:
    assert is_numeric(column) is expected
    if expected:
        result = to_float(column)
        assert (result.dtype, result.name) == (np.float64, column.name)
        assert result.isna().tolist() == column.isna().tolist()


def test_select_numeric_keeps_the_order() -> None:
    table = pd.DataFrame({"b": [1, 2], "text": ["x", "y"], "a": [True, False], "n": pd.array([1, None], "Int64")})
    result = select_numeric(table)
    assert list(result.columns) == ["b", "a", "n"]
    assert [str(kind) for kind in result.dtypes] == ["int64", "bool", "float64"]


def test_select_numeric_copies_nothing_when_all_is_numeric() -> None:
    table = pd.DataFrame({"a": [1.0], "b": [2]})
    assert select_numeric(table) is table


@pytest.mark.parametrize(
    ("column", "constant", "expected"),
    [
        pytest.param(pd.Series([1.0, np.nan]), 0, [1.0, 0.0], id="number"),
        pytest.param(pd.Series([1, 2]), 0.5, [1, 2], id="nothing to fill"),
        pytest.param(pd.Series(["a", None], dtype="str"), "none", ["a", "none"], id="text"),
        pytest.param(pd.Series(["a", None], dtype=object), "none", ["a", "none"], id="text as objects"),
        pytest.param(pd.Series(["a", None], dtype="category"), "none", ["a", "none"], id="a new category"),
        pytest.param(pd.Series(["a", None], dtype="category"), "a", ["a", "a"], id="a known category"),
        pytest.param(pd.Series([True, None], dtype=object), False, [1.0, 0.0], id="booleans as objects"),
        pytest.param(pd.Series([1, None], dtype="Int64"), 0.5, [1.0, 0.5], id="a fraction in nullable integers"),
        pytest.param(pd.Series([None], dtype=object), 3, [3.0], id="a null in a JSON row, number"),
        pytest.param(pd.Series([np.nan]), "none", ["none"], id="a null in a JSON row, text"),
        pytest.param(pd.Series([], dtype="float64"), 1, [], id="no row"),
    ],
)
def test_fill_missing(column: pd.Series, constant: Any, expected: list[Any]) -> None:
    before = column.copy()
    assert fill_missing(column, constant).tolist() == expected
    pd.testing.assert_series_equal(column, before)


@pytest.mark.parametrize(
    ("value", "constant", "kind"),
    [(1.5, "none", "numbers (float64)"), ("x", 0, "no numbers (str)")],
    ids=["text for numbers", "a number for text"],
)
def test_a_constant_of_another_kind_is_refused(value: Any, constant: Any, kind: str) -> None:
    with pytest.raises(DataError) as caught:
        fill_missing(pd.Series([value], name="price"), constant)
    assert str(caught.value) == (
        f"cleaning.fill.price is {constant!r}, but the column holds {kind}; give a constant of the same kind."
    )


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        pytest.param((0.0, 3.0), [0.0, 2.0, 3.0], id="both"),
        pytest.param((None, 3.0), [-1.0, 2.0, 3.0], id="above"),
        pytest.param((0.5, None), [0.5, 2.0, 9.0], id="below"),
        pytest.param((None, None), [-1.0, 2.0, 9.0], id="none"),
    ],
)
def test_clip_values_gives_floats_for_all_bounds(
    bounds: tuple[float | None, float | None], expected: list[float]
) -> None:
    result = clip_values(pd.Series([-1, 2, 9]), *bounds)
    assert result.dtype == np.float64
    assert result.tolist() == expected


def test_clip_values_keeps_missing_values_and_refuses_text() -> None:
    assert clip_values(pd.Series([None], dtype="str"), 0, 1).isna().all()
    with pytest.raises(
        DataError, match=r"^cleaning.clip names 'city', which holds no numbers \(category\); remove it.$"
    ):
        clip_values(pd.Series(["x"], name="city", dtype="category"), 0, 1)


def test_drop_columns_ignores_absent_names_and_copies_nothing() -> None:
    table = pd.DataFrame({"a": [1], "b": [2]})
    assert drop_columns(table, ["z"]) is table
    assert list(drop_columns(table, ["z", "a"]).columns) == ["b"]


def test_append_columns_refuses_an_existing_name() -> None:
    table = pd.DataFrame({"day_year": [1]})
    message = "^cleaning makes a column 'day_year' of a date, but the table has one already; drop or rename it.$"
    with pytest.raises(DataError, match=message):
        append_columns(table, {"day_year": pd.Series([2.0])})
