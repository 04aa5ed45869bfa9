"""Validation of rows against the raw columns of a model."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlrunner.serving import requests
from mlrunner.serving.columns import RawColumn
from mlrunner.serving.csv_format import CsvFormat
from mlrunner.serving.errors import RequestError
from mlrunner.serving.schema import Schema

CATEGORIES = frozenset({"far", "near", "out of town"})


def is_same(value: Any, expected: Any) -> bool:
    """Check whether two values are equal or both missing."""
    return bool(value == expected) or bool(value != value and expected != expected)


SCHEMA = Schema(
    (
        RawColumn("size", "number", True),
        RawColumn("town", "text", True, CATEGORIES),
        RawColumn("sold", "boolean", False),
        RawColumn("seen", "moment", False),
        RawColumn("note", "text", False),
        RawColumn("lot", "number", False),
    )
)
VALUES: requests.Columns = {"town": ["far", None], "other": [[], {}], "size": [1, None]}


def test_rows_get_all_columns_in_order_and_unknown_ones_are_dropped() -> None:
    arrays = SCHEMA.validate(VALUES)
    assert list(arrays) == SCHEMA.names == ["size", "town", "sold", "seen", "note", "lot"]
    assert {len(array) for array in arrays.values()} == {2}
    assert list(arrays["sold"]) == list(arrays["note"]) == [None, None]
    assert np.isnat(arrays["seen"]).all()
    assert np.isnan(arrays["lot"]).all()


@given(st.permutations(SCHEMA.names), st.sets(st.sampled_from(["sold", "seen", "note", "lot"])))
def test_an_absent_optional_column_has_missing_values(order: list[str], absent: set[str]) -> None:
    whole: requests.Columns = {**VALUES, "sold": [None] * 2, "seen": [None] * 2, "note": [None] * 2, "lot": [None] * 2}
    arrays = SCHEMA.validate({name: whole[name] for name in order if name not in absent})
    for name, array in SCHEMA.validate(whole).items():
        assert arrays[name].dtype == array.dtype
        assert all(map(is_same, arrays[name], array))


MISSING: dict[str, tuple[requests.Columns, str]] = {
    "one": ({"size": [1]}, "Column town is missing, which the model needs."),
    "all": ({"lot": [1]}, "Columns size, town are missing, which the model needs."),
    "a typo": ({"size": [1], "twon": ["far"]}, "which the model needs. Did you mean 'town' by 'twon'?"),
    "huge names": (
        {"size": [1], "t" * 1_000_000: [1], "own" * 100_000: [1]},
        "Column town is missing, which the model needs.",
    ),
}


@pytest.mark.parametrize(("values", "words"), MISSING.values(), ids=MISSING)
def test_the_message_names_absent_required_columns(values: requests.Columns, words: str) -> None:
    with pytest.raises(RequestError) as caught:
        SCHEMA.validate(values)
    assert caught.value.status == 422
    assert caught.value.message.endswith(words)


@pytest.mark.timeout(20)
def test_many_similar_columns_do_not_delay_the_message() -> None:
    name = "the_name_of_a_long_column" * 3
    values: requests.Columns = {f"{name}_{number}": [1] for number in range(60_000)}
    with pytest.raises(RequestError, match=rf"Did you mean '{name}' by '{name}_\d+'"):
        Schema((RawColumn(name, "number", True),)).validate(values)


def test_the_message_lists_at_most_eight_absent_columns() -> None:
    schema = Schema(tuple(RawColumn(f"c{number}", "number", True) for number in range(20)))
    with pytest.raises(RequestError, match="c7 and 12 more are missing"):
        schema.validate({"x": [1]})


def test_the_message_is_about_the_first_wrong_column() -> None:
    with pytest.raises(RequestError, match=r"Column 'size' holds numbers, but row 1 has 'x'\.") as caught:
        SCHEMA.validate({"lot": ["y"], "town": [1, 2], "size": [1, "x"]})
    assert caught.value.status == 422


def test_texts_of_csv_are_parsed_and_validated() -> None:
    arrays = SCHEMA.validate(
        {"size": ["1.5", None], "town": ["far", None], "sold": ["true", None]}, csv_format=CsvFormat()
    )
    assert arrays["size"][0] == 1.5
    assert list(arrays["sold"]) == [True, None]
    with pytest.raises(RequestError, match="row 0 has 'big'"):
        SCHEMA.validate({"size": ["big"], "town": ["far"]}, csv_format=CsvFormat())


def test_a_schema_describes_itself_in_order() -> None:
    columns = list(SCHEMA.describe())
    assert [column["name"] for column in columns] == SCHEMA.names
    assert columns[1] == {"name": "town", "kind": "text", "required": True, "categories": sorted(CATEGORIES)}
    assert columns[3] == {"name": "seen", "kind": "moment", "required": False, "categories": None}


DATES = Schema(
    (
        RawColumn("bought", "text", True, date_format="%d/%m/%Y", takes_dates=True),
        RawColumn("day", "number", True, date_format="%Y%m%d", takes_dates=True),
        RawColumn("sent", "text", False, date_format="%d/%m/%Y"),
        RawColumn("seen", "moment", False),
    )
)


def test_columns_of_one_format_are_parsed_together_each_to_its_own_dates() -> None:
    values: requests.Columns = {
        "bought": ["06/01/2020", None, ""],
        "day": [20200131, 20200201.0, None],
        "sent": ["07/01/2020", "31/12/2019", None],
        "seen": ["2020-01-08T12:00:00Z", None, "2020-01-09"],
    }
    arrays = DATES.validate(values)
    assert arrays["bought"].tolist() == [datetime(2020, 1, 6), None, None]
    assert arrays["day"].tolist() == [datetime(2020, 1, 31), datetime(2020, 2, 1), None]
    assert arrays["sent"].tolist() == values["sent"]  # the model reads the texts itself
    assert arrays["seen"].tolist() == [datetime(2020, 1, 8, 12), None, datetime(2020, 1, 9)]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"sent": ["2020-01-07"]}, "Column 'sent' holds dates in %d/%m/%Y, but row 0 has '2020-01-07'."),
        ({"day": [20201301]}, "Column 'day' holds dates in %Y%m%d, but row 0 has 20201301."),
        ({"bought": [True], "day": [1]}, "Column 'bought' holds dates in %d/%m/%Y, but row 0 has true."),
        ({"bought": ["x"], "seen": [7]}, "Column 'bought' holds dates in %d/%m/%Y, but row 0 has 'x'."),
    ],
)
def test_the_first_wrong_date_is_named(changed: requests.Columns, message: str) -> None:
    right: requests.Columns = {"bought": ["06/01/2020"], "day": [20200131], "sent": [None], "seen": ["2020-01-08"]}
    with pytest.raises(RequestError) as refusal:
        DATES.validate({**right, **changed})
    assert str(refusal.value) == message
