"""The raw columns of a model: what each kind takes, what a sentence says, and what is laid out."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlrunner.serving import requests
from mlrunner.serving.columns import Column, Kind
from mlrunner.serving.errors import RequestError
from mlrunner.serving.schema import Schema
from tests.support.serving_release import OF_KIND, anything, zone

pytestmark = pytest.mark.filterwarnings("ignore:Parsing:DeprecationWarning")  # of pandas, for quarters like 2020Q1
KINDS: tuple[Kind, ...] = get_args(Kind)
CLOSED = frozenset({"far", "near", "out of town"})
TOO_LONG = 20  # seconds after which what takes milliseconds is stuck
MIDNIGHT = np.datetime64("2020-01-02", "us")


def column(kind: Kind, categories: frozenset[str] | None = None) -> Column:
    return Column("c", kind, True, categories)


def refused(told: Column, values: list[Any]) -> str:
    """Check and lay out values that one of the two must refuse."""
    wrong = told.wrong(values)
    if wrong is not None:
        return wrong
    with pytest.raises(RequestError) as caught:
        told.array(values)
    assert caught.value.status == 422
    return caught.value.message


def same(found: Any, expected: Any) -> bool:
    """Tell whether two values are the same, both missing included."""
    return bool(found == expected) or bool(found != found and expected != expected)


# --- values -------------------------------------------------------------------------------------------------


TAKEN: dict[str, tuple[Kind, list[Any], list[Any]]] = {
    "numbers": ("number", [1, 2.5, None, -0.0, 10**30], [1.0, 2.5, math.nan, 0.0, 1e30]),
    "texts": ("text", ["", "é", None, "(missing)"], ["", "é", None, "(missing)"]),
    "booleans": ("boolean", [True, None, False], [True, None, False]),
    "dates": ("moment", ["2020-01-02", None, ""], [MIDNIGHT, np.datetime64("NaT"), np.datetime64("NaT")]),
}
MOMENTS = {
    "date": ("2020-01-02", MIDNIGHT),
    "time": ("2020-01-02 03:04:05", np.datetime64("2020-01-02T03:04:05")),
    "iso": ("2020-01-02T03:04:05.678901", np.datetime64("2020-01-02T03:04:05.678901")),
    "zulu": ("2020-01-02T00:00:00Z", MIDNIGHT),
    "east": ("2020-01-02T02:00:00+02:00", MIDNIGHT),
    "west": ("2020-01-01 19:00:00-05:00", MIDNIGHT),
    "half an hour": ("2020-01-02T05:30:00+0530", MIDNIGHT),
    "compact": ("20200102", MIDNIGHT),
    "american": ("01/02/2020", MIDNIGHT),
    "nanoseconds": ("2020-01-02T00:00:00.000000999", MIDNIGHT),
    "long ago": ("0001-01-01", np.datetime64("0001-01-01")),
    "far ahead": ("9999-12-31", np.datetime64("9999-12-31")),
}


@pytest.mark.parametrize(("kind", "values", "laid"), TAKEN.values(), ids=TAKEN)
def test_each_kind_takes_its_values_and_missing_ones(kind: Kind, values: list[Any], laid: list[Any]) -> None:
    assert column(kind).wrong(values) is None
    found = column(kind).array(values)
    assert found.dtype == {"number": "float64", "moment": "datetime64[us]"}.get(kind, "object")
    assert all(map(same, found, laid))


@pytest.mark.parametrize(("text", "expected"), MOMENTS.values(), ids=MOMENTS)
def test_moments_are_utc_without_a_zone(text: str, expected: np.datetime64) -> None:
    assert column("moment").array([text])[0] == expected


def test_moments_of_every_kind_may_stand_together() -> None:
    texts = [text for text, _ in MOMENTS.values()]
    found = column("moment").array(texts)  # year 9999 and nanoseconds do not fit into one unit of pandas
    assert list(found) == [expected for _, expected in MOMENTS.values()]


@given(st.lists(st.none() | st.datetimes(timezones=zone), min_size=1, max_size=5))
def test_any_moment_that_python_writes_is_read(moments: list[datetime | None]) -> None:
    years = [one for one in moments if one is None or 1 < one.year < 9999]  # those that every zone moves within bounds
    texts = [None if one is None else one.isoformat() for one in years]
    found = column("moment").array(texts) if texts else []
    for one, read in zip(years, found, strict=True):
        moved = one if one is None or one.tzinfo is None else one.astimezone(UTC).replace(tzinfo=None)
        assert same(read, np.datetime64(moved, "us"))


WRONG: dict[str, tuple[Kind, list[Any], str]] = {
    "text for a number": ("number", [1, "2"], "holds numbers, but row 1 has '2'."),
    "boolean for a number": ("number", [True], "row 0 has true."),
    "list for a number": ("number", [None, [1]], "row 1 has a list."),
    "object for a number": ("number", [{"a": 1}], "row 0 has an object."),
    "infinity": ("number", [0, math.inf], "row 1 has one beyond 1.8e308."),
    "minus infinity": ("number", [-math.inf], "row 0 has one beyond 1.8e308."),
    "whole number beyond": ("number", [1, None, 10**400], "row 2 has one beyond 1.8e308."),
    "whole number below": ("number", [1.5, -(10**400)], "row 1 has one beyond 1.8e308."),
    "number for a text": ("text", ["a", 1], "holds texts, but row 1 has 1."),
    "boolean for a text": ("text", [False], "row 0 has false."),
    "text for a boolean": ("boolean", ["true"], "holds true or false, but row 0 has 'true'."),
    "number for a boolean": ("boolean", [True, 1], "row 1 has 1."),
    "number for a date": ("moment", ["2020-01-01", 20200101], "holds dates, but row 1 has 20200101."),
    "word for a date": ("moment", [None, "soon"], "holds dates, but row 1 has 'soon'."),
    "day that is none": ("moment", ["2020-02-30"], "row 0 has '2020-02-30'."),
    "zone beyond": ("moment", ["2020-01-01T00:00:00+99:99"], "row 0 has '2020-01-01T00:00:00+99:99'."),
    "zone that overflows": ("moment", ["0A-0:1440000000000"], "row 0 has '0A-0:1440000000000'."),
    "year that overflows": ("moment", ["9" * 40], "row 0 has '9999"),
    "half a pair": ("moment", ["\ud800"], "row 0 has "),
    "long text": ("number", ["x" * 1000], "row 0 has 'xxx"),
}


@pytest.mark.parametrize(("kind", "values", "words"), WRONG.values(), ids=WRONG)
def test_a_wrong_value_is_told_in_a_sentence(kind: Kind, values: list[Any], words: str) -> None:
    told = refused(column(kind), values)
    assert told.startswith("Column 'c' holds ")
    assert words in told
    assert len(told) < 150


@pytest.mark.timeout(TOO_LONG)
@pytest.mark.parametrize("text", ["1" * 1_000_000, "1-" * 500_000, "2020-01-01 " + " " * 1_000_000])
def test_a_date_without_end_is_refused_at_once(text: str) -> None:
    assert "holds dates, but row 0 has " in refused(column("moment"), [text])


@given(st.sampled_from(KINDS), st.lists(anything, min_size=1, max_size=4), st.booleans())
def test_any_value_is_laid_out_or_told(kind: Kind, values: list[Any], closed: bool) -> None:
    told = column(kind, CLOSED if closed and kind == "text" else None)
    wrong = told.wrong(values)
    assert wrong is None or wrong.startswith("Column 'c'")
    if wrong is None:
        try:
            found = told.array(values)
        except RequestError as error:
            assert error.status == 422  # noqa: PT017
        else:
            assert len(found) == len(values)


@given(st.sampled_from(KINDS).flatmap(lambda kind: st.tuples(st.just(kind), st.lists(OF_KIND[kind], min_size=1))))
def test_values_are_the_same_alone_as_together(drawn: tuple[Kind, list[Any]]) -> None:
    kind, values = drawn
    together = column(kind).array(values)
    alone = np.concatenate([column(kind).array([value]) for value in values])
    assert together.dtype == alone.dtype
    assert all(map(same, together, alone))


@given(
    st.lists(st.text(st.sampled_from("0123456789-:TZ+./ apmjn\x00²"), max_size=20) | st.none(), min_size=1, max_size=3)
)
def test_any_text_is_a_date_or_none(values: list[str | None]) -> None:
    try:
        found = column("moment").array(values)
    except RequestError as error:
        assert "holds dates" in error.message  # noqa: PT017
    else:
        assert len(found) == len(values)


# --- categories ---------------------------------------------------------------------------------------------


def test_a_closed_column_takes_what_training_saw_and_gaps() -> None:
    assert column("text", CLOSED).wrong(["far", None, "near", "far"]) is None


@pytest.mark.parametrize(
    ("value", "hint"),
    [("faar", " Did you mean 'far'?"), ("Berlin", ""), ("", ""), ("x" * 10_000_000, "")],
    ids=["near", "other", "empty", "huge"],
)
@pytest.mark.timeout(TOO_LONG)
def test_an_unknown_category_is_told_with_those_that_there_are(value: str, hint: str) -> None:
    told = column("text", CLOSED).wrong(["far", None, value])
    assert told is not None
    assert "row 2 has '" in told
    assert told.endswith(f"which training did not see; it saw far, near, out of town.{hint}")
    assert len(told) < 200


def test_many_categories_are_not_all_listed() -> None:
    told = column("text", frozenset(f"t{number:02}" for number in range(50))).wrong(["?"])
    assert told is not None
    assert "it saw t00, t01, t02, t03, t04, t05, t06, t07 and 42 more." in told


@given(st.lists(st.none() | st.text() | st.sampled_from(sorted(CLOSED)), min_size=1))
def test_the_first_unknown_category_is_the_one_that_is_told(values: list[str | None]) -> None:
    unknown = [at for at, value in enumerate(values) if value is not None and value not in CLOSED]
    told = column("text", CLOSED).wrong(values)
    assert (told is None) == (not unknown)
    assert told is None or f"row {unknown[0]} has" in told


# --- texts of CSV -------------------------------------------------------------------------------------------


PARSED: dict[str, tuple[Kind, list[str | None], list[Any]]] = {
    "numbers": ("number", ["1", " -2.5 ", "+.5", "3.", "1e3", None], [1.0, -2.5, 0.5, 3.0, 1000.0, None]),
    "no numbers": (
        "number",
        ["", "nan", "inf", "1_0", "0x1", "1,5", "e1", "."],
        ["", "nan", "inf", "1_0", "0x1", "1,5", "e1", "."],
    ),
    "booleans": ("boolean", ["true", "False", "TRUE", "1", "0", None], [True, False, True, True, False, None]),
    "no booleans": ("boolean", ["yes", "2", ""], ["yes", "2", ""]),
    "texts": ("text", ["1", "true", None], ["1", "true", None]),
    "dates": ("moment", ["2020-01-01", None], ["2020-01-01", None]),
}


@pytest.mark.parametrize(("kind", "texts", "values"), PARSED.values(), ids=PARSED)
def test_texts_are_read_as_values_of_their_kind(kind: Kind, texts: list[str | None], values: list[Any]) -> None:
    found = column(kind).parsed(texts)
    assert found == values
    assert list(map(type, found)) == list(map(type, values))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_number_that_python_writes_is_read(number: float) -> None:
    assert column("number").parsed([repr(number), str(int(number))]) == [number, float(int(number))]


@pytest.mark.timeout(TOO_LONG)
@pytest.mark.parametrize(
    "text", ["1" * 130_000 + "x", "1" * 130_000 + ".x", " " * 130_000 + "x", "1e" + "1" * 130_000 + "x"]
)
def test_what_is_nearly_a_number_is_refused_at_once(text: str) -> None:
    assert column("number").parsed([text]) == [text]


# --- schema -------------------------------------------------------------------------------------------------


SCHEMA = Schema(
    (
        Column("size", "number", True),
        Column("town", "text", True, CLOSED),
        Column("sold", "boolean", False),
        Column("seen", "moment", False),
        Column("note", "text", False),
        Column("lot", "number", False),
    )
)
GIVEN: requests.Columns = {"town": ["far", None], "other": [[], {}], "size": [1, None]}


def test_rows_are_completed_and_ordered_and_what_is_unknown_is_left_out() -> None:
    found = SCHEMA.checked(GIVEN)
    assert list(found) == SCHEMA.names == ["size", "town", "sold", "seen", "note", "lot"]
    assert {len(values) for values in found.values()} == {2}
    assert list(found["sold"]) == list(found["note"]) == [None, None]
    assert np.isnat(found["seen"]).all()
    assert np.isnan(found["lot"]).all()


@given(st.permutations(SCHEMA.names), st.sets(st.sampled_from(["sold", "seen", "note", "lot"])))
def test_an_absent_column_is_one_of_gaps(order: list[str], absent: set[str]) -> None:
    whole: requests.Columns = {**GIVEN, "sold": [None] * 2, "seen": [None] * 2, "note": [None] * 2, "lot": [None] * 2}
    found = SCHEMA.checked({name: whole[name] for name in order if name not in absent})
    for name, values in SCHEMA.checked(whole).items():
        assert found[name].dtype == values.dtype
        assert all(map(same, found[name], values))


MISSING: dict[str, tuple[requests.Columns, str]] = {
    "one": ({"size": [1]}, "Column town is missing, which the model needs."),
    "all": ({"lot": [1]}, "Columns size, town are missing, which the model needs."),
    "a slip": ({"size": [1], "twon": ["far"]}, "which the model needs. Did you mean 'town' by 'twon'?"),
    "huge names": (
        {"size": [1], "t" * 1_000_000: [1], "own" * 100_000: [1]},
        "Column town is missing, which the model needs.",
    ),
}


@pytest.mark.parametrize(("given_", "words"), MISSING.values(), ids=MISSING)
def test_a_column_that_is_needed_and_absent_is_named(given_: requests.Columns, words: str) -> None:
    with pytest.raises(RequestError) as caught:
        SCHEMA.checked(given_)
    assert caught.value.status == 422
    assert caught.value.message.endswith(words)


@pytest.mark.timeout(TOO_LONG)
def test_a_crowd_of_similar_columns_does_not_delay_the_sentence() -> None:
    name = "the_name_of_a_long_column" * 3
    given_: requests.Columns = {f"{name}_{number}": [1] for number in range(300_000)}
    with pytest.raises(RequestError, match=rf"Did you mean '{name}' by '{name}_\d+'"):
        Schema((Column(name, "number", True),)).checked(given_)


def test_many_absent_columns_are_not_all_listed() -> None:
    schema = Schema(tuple(Column(f"c{number}", "number", True) for number in range(20)))
    with pytest.raises(RequestError, match="c7 and 12 more are missing"):
        schema.checked({"x": [1]})


def test_the_first_wrong_column_of_the_model_is_told() -> None:
    with pytest.raises(RequestError, match=r"Column 'size' holds numbers, but row 1 has 'x'\.") as caught:
        SCHEMA.checked({"lot": ["y"], "town": [1, 2], "size": [1, "x"]})
    assert caught.value.status == 422


def test_texts_of_csv_are_checked_as_what_they_mean() -> None:
    found = SCHEMA.checked({"size": ["1.5", None], "town": ["far", None], "sold": ["true", None]}, as_text=True)
    assert found["size"][0] == 1.5
    assert list(found["sold"]) == [True, None]
    with pytest.raises(RequestError, match="row 0 has 'big'"):
        SCHEMA.checked({"size": ["big"], "town": ["far"]}, as_text=True)


def test_a_schema_describes_itself_in_order() -> None:
    told = list(SCHEMA.described())
    assert [one["name"] for one in told] == SCHEMA.names
    assert told[1] == {"name": "town", "kind": "text", "required": True, "categories": sorted(CLOSED)}
    assert told[3] == {"name": "seen", "kind": "moment", "required": False, "categories": None}
