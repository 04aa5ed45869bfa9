"""Values that each kind of column accepts, their arrays, and the messages about others."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlrunner.serving.columns import Kind, RawColumn
from mlrunner.serving.errors import RequestError
from tests.support.serving_release import OF_KIND, anything, zone

pytestmark = pytest.mark.filterwarnings("ignore:Parsing:DeprecationWarning")  # of pandas, for quarters like 2020Q1
KINDS: tuple[Kind, ...] = get_args(Kind)
CATEGORIES = frozenset({"far", "near", "out of town"})
TIMEOUT = 20  # seconds for what takes milliseconds
MIDNIGHT = np.datetime64("2020-01-02", "us")


def column(kind: Kind, categories: frozenset[str] | None = None) -> RawColumn:
    return RawColumn("c", kind, True, categories)


def reject(checked: RawColumn, values: list[Any]) -> str:
    """Return the message about values that must be rejected."""
    error = checked.find_error(values)
    if error is not None:
        return error
    with pytest.raises(RequestError) as caught:
        checked.to_array(values)
    assert caught.value.status == 422
    return caught.value.message


def is_same(value: Any, expected: Any) -> bool:
    """Check whether two values are equal or both missing."""
    return bool(value == expected) or bool(value != value and expected != expected)


# --- values -------------------------------------------------------------------------------------------------


ACCEPTED: dict[str, tuple[Kind, list[Any], list[Any]]] = {
    "numbers": ("number", [1, 2.5, None, -0.0, 10**30], [1.0, 2.5, math.nan, 0.0, 1e30]),
    "texts": ("text", ["", "é", None, "(missing)"], ["", "é", None, "(missing)"]),
    "booleans": ("boolean", [True, None, False], [True, None, False]),
    "dates": ("moment", ["2020-01-02", None, "", "NaT"], [MIDNIGHT, *[np.datetime64("NaT")] * 3]),
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
    "nanoseconds": ("2020-01-02T00:00:00.000000999", MIDNIGHT),
    "long ago": ("0001-01-01", np.datetime64("0001-01-01")),
    "far ahead": ("9999-12-31", np.datetime64("9999-12-31")),
}


@pytest.mark.parametrize(("kind", "values", "expected"), ACCEPTED.values(), ids=ACCEPTED)
def test_each_kind_accepts_its_values_and_missing_ones(kind: Kind, values: list[Any], expected: list[Any]) -> None:
    assert column(kind).find_error(values) is None
    array = column(kind).to_array(values)
    assert array.dtype == {"number": "float64", "moment": "datetime64[us]"}.get(kind, "object")
    assert all(map(is_same, array, expected))


@pytest.mark.parametrize(("text", "expected"), MOMENTS.values(), ids=MOMENTS)
def test_dates_are_in_utc_without_a_time_zone(text: str, expected: np.datetime64) -> None:
    assert column("moment").to_array([text])[0] == expected


def test_dates_of_different_formats_can_be_mixed() -> None:
    texts = [text for text, _ in MOMENTS.values()]
    dates = column("moment").to_array(texts)  # year 9999 and nanoseconds do not fit into one unit of pandas
    assert list(dates) == [expected for _, expected in MOMENTS.values()]


@given(st.lists(st.none() | st.datetimes(timezones=zone), min_size=1, max_size=5))
def test_every_date_that_python_writes_is_parsed(moments: list[datetime | None]) -> None:
    dates = [date for date in moments if date is None or 1 < date.year < 9999]  # UTC stays within the bounds
    texts = [None if date is None else date.isoformat() for date in dates]
    array = column("moment").to_array(texts) if texts else []
    for date, value in zip(dates, array, strict=True):
        in_utc = date if date is None or date.tzinfo is None else date.astimezone(UTC).replace(tzinfo=None)
        assert is_same(value, np.datetime64(in_utc, "us"))


WRONG: dict[str, tuple[Kind, list[Any], str]] = {
    "text for a number": ("number", [1, "2"], "holds numbers, but row 1 has '2'."),
    "boolean for a number": ("number", [True], "row 0 has true."),
    "list for a number": ("number", [None, [1]], "row 1 has a list."),
    "object for a number": ("number", [{"a": 1}], "row 0 has an object."),
    "infinity": ("number", [0, math.inf], "row 1 has one beyond 1.8e308."),
    "minus infinity": ("number", [-math.inf], "row 0 has one beyond 1.8e308."),
    "large integer": ("number", [1, None, 10**400], "row 2 has one beyond 1.8e308."),
    "large negative integer": ("number", [1.5, -(10**400)], "row 1 has one beyond 1.8e308."),
    "number for a text": ("text", ["a", 1], "holds texts, but row 1 has 1."),
    "boolean for a text": ("text", [False], "row 0 has false."),
    "text for a boolean": ("boolean", ["true"], "holds true or false, but row 0 has 'true'."),
    "number for a boolean": ("boolean", [True, 1], "row 1 has 1."),
    "number for a date": ("moment", ["2020-01-01", 20200101], "holds dates, but row 1 has 20200101."),
    "word for a date": ("moment", [None, "soon"], "holds dates, but row 1 has 'soon'."),
    "two readings": ("moment", ["04.03.2021"], "holds dates, but row 0 has '04.03.2021'."),
    "day first": ("moment", ["13.03.2021"], "holds dates, but row 0 has '13.03.2021'."),
    "impossible day": ("moment", ["2020-02-30"], "row 0 has '2020-02-30'."),
    "invalid time zone": ("moment", ["2020-01-01T00:00:00+99:99"], "row 0 has '2020-01-01T00:00:00+99:99'."),
    "time zone that overflows": ("moment", ["0A-0:1440000000000"], "row 0 has '0A-0:1440000000000'."),
    "year that overflows": ("moment", ["9" * 40], "row 0 has '9999"),
    "half a surrogate pair": ("moment", ["\ud800"], "row 0 has "),
    "long text": ("number", ["x" * 1000], "row 0 has 'xxx"),
}


@pytest.mark.parametrize(("kind", "values", "words"), WRONG.values(), ids=WRONG)
def test_the_message_names_column_row_and_value(kind: Kind, values: list[Any], words: str) -> None:
    message = reject(column(kind), values)
    assert message.startswith("Column 'c' holds ")
    assert words in message
    assert len(message) < 150


@pytest.mark.timeout(TIMEOUT)
@pytest.mark.parametrize("text", ["1" * 1_000_000, "1-" * 500_000, "2020-01-01 " + " " * 1_000_000])
def test_a_very_long_date_is_rejected_at_once(text: str) -> None:
    assert "holds dates, but row 0 has " in reject(column("moment"), [text])


@given(st.sampled_from(KINDS), st.lists(anything, min_size=1, max_size=4), st.booleans())
def test_any_value_is_converted_or_rejected(kind: Kind, values: list[Any], closed: bool) -> None:
    checked = column(kind, CATEGORIES if closed and kind == "text" else None)
    message = checked.find_error(values)
    assert message is None or message.startswith("Column 'c'")
    if message is None:
        try:
            array = checked.to_array(values)
        except RequestError as error:
            assert error.status == 422  # noqa: PT017
        else:
            assert len(array) == len(values)


@given(st.sampled_from(KINDS).flatmap(lambda kind: st.tuples(st.just(kind), st.lists(OF_KIND[kind], min_size=1))))
def test_values_are_converted_independently(drawn: tuple[Kind, list[Any]]) -> None:
    kind, values = drawn
    together = column(kind).to_array(values)
    alone = np.concatenate([column(kind).to_array([value]) for value in values])
    assert together.dtype == alone.dtype
    assert all(map(is_same, together, alone))


@given(
    st.lists(st.text(st.sampled_from("0123456789-:TZ+./ apmjn\x00²"), max_size=20) | st.none(), min_size=1, max_size=3)
)
def test_any_text_is_parsed_or_rejected_as_a_date(values: list[str | None]) -> None:
    try:
        dates = column("moment").to_array(values)
    except RequestError as error:
        assert "holds dates" in error.message  # noqa: PT017
    else:
        assert len(dates) == len(values)


@pytest.mark.parametrize(
    ("kind", "date_format", "good", "wrong", "shown"),
    [
        ("text", "%d.%m.%Y", ["06.01.2020", None, ""], "2020-01-06", "'2020-01-06'"),
        ("text", "iso", ["2020-01-06", "2020-01-06T00:00:00Z"], "06.01.2020", "'06.01.2020'"),
        ("number", "%Y%m%d", [20200106, 20200106.0, None], 20200199, "20200199"),
    ],
)
def test_dates_follow_the_format_of_the_training_rows(
    kind: Kind, date_format: str, good: list[Any], wrong: Any, shown: str
) -> None:
    dates = RawColumn("c", kind, required=True, date_format=date_format)
    assert dates.find_error(good) is None
    name = "ISO 8601" if date_format == "iso" else date_format
    assert dates.find_error([*good, wrong]) == f"Column 'c' holds dates in {name}, but row {len(good)} has {shown}."
    assert dates.find_wrong_dates([wrong, *good, wrong]) == [0, len(good) + 1]


# --- categories ---------------------------------------------------------------------------------------------


def test_training_categories_and_missing_values_are_accepted() -> None:
    assert column("text", CATEGORIES).find_error(["far", None, "near", "far"]) is None


@pytest.mark.parametrize(
    ("value", "hint"),
    [("faar", " Did you mean 'far'?"), ("Berlin", ""), ("", ""), ("x" * 10_000_000, "")],
    ids=["near", "other", "empty", "huge"],
)
@pytest.mark.timeout(TIMEOUT)
def test_the_message_about_an_unknown_category_lists_the_known_ones(value: str, hint: str) -> None:
    message = column("text", CATEGORIES).find_error(["far", None, value])
    assert message is not None
    assert "row 2 has '" in message
    assert message.endswith(f"which training did not see; it saw far, near, out of town.{hint}")
    assert len(message) < 200


def test_the_message_lists_at_most_eight_categories() -> None:
    message = column("text", frozenset(f"t{number:02}" for number in range(50))).find_error(["?"])
    assert message is not None
    assert "it saw t00, t01, t02, t03, t04, t05, t06, t07 and 42 more." in message


@given(st.lists(st.none() | st.text() | st.sampled_from(sorted(CATEGORIES)), min_size=1))
def test_the_message_is_about_the_first_unknown_category(values: list[str | None]) -> None:
    unknown = [row for row, value in enumerate(values) if value is not None and value not in CATEGORIES]
    message = column("text", CATEGORIES).find_error(values)
    assert (message is None) == (not unknown)
    assert message is None or f"row {unknown[0]} has" in message


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
def test_texts_are_parsed_as_values_of_their_kind(kind: Kind, texts: list[str | None], values: list[Any]) -> None:
    parsed = column(kind).parse_texts(texts)
    assert parsed == values
    assert list(map(type, parsed)) == list(map(type, values))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_that_python_writes_is_parsed(number: float) -> None:
    assert column("number").parse_texts([repr(number), str(int(number))]) == [number, float(int(number))]


@pytest.mark.timeout(TIMEOUT)
@pytest.mark.parametrize(
    "text", ["1" * 130_000 + "x", "1" * 130_000 + ".x", " " * 130_000 + "x", "1e" + "1" * 130_000 + "x"]
)
def test_a_long_text_that_is_almost_a_number_is_kept_at_once(text: str) -> None:
    assert column("number").parse_texts([text]) == [text]
