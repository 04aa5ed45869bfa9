"""Dates, read and made into numbers."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlrunner.core.errors import DataError
from mlrunner.groups.cleaning.dates import (
    compute_durations,
    count_days,
    extract_parts,
    is_date,
    parse_dates,
    rank_moments,
    require_dates,
)

ENDINGS = ["date", "datetime", "timestamp", "time", "at"]
DAY = datetime.date(2020, 1, 2)
UTC_NOON = datetime.datetime(2020, 1, 2, 12, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        pytest.param(pd.Series(["x"], name="order_purchase_timestamp"), True, id="last word, text"),
        pytest.param(pd.Series(["x"], name="order_approved_at"), True, id="at"),
        pytest.param(pd.Series(["x"], name="Date"), True, id="the whole name, capital"),
        pytest.param(pd.Series([None], name="sent at", dtype=object), True, id="a null in a JSON row"),
        pytest.param(pd.Series(["x"], name="candidate"), False, id="only the end of a word"),
        pytest.param(pd.Series(["x"], name="date_format"), False, id="not the last word"),
        pytest.param(pd.Series([3.5], name="shipping_time"), False, id="numbers"),
        pytest.param(pd.to_datetime(pd.Series(["2020-01-01"], name="x")), True, id="a date by type"),
        pytest.param(pd.Series(["x"], name="moment"), True, id="the time column"),
        pytest.param(pd.Series(["x"], name="city"), False, id="text"),
    ],
)
def test_dates_are_detected_by_dtype_and_name(column: pd.Series, expected: bool) -> None:
    assert is_date(column, ENDINGS, "moment") is expected


def test_a_time_column_of_numbers_is_no_date() -> None:
    assert not is_date(pd.Series([2020], name="year"), ENDINGS, "year")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("2020-01-02", "2020-01-02", id="day"),
        pytest.param("2020-01-02 03:04:05", "2020-01-02 03:04:05", id="seconds"),
        pytest.param("2020-01-02T12:00:00+02:00", "2020-01-02 10:00", id="zone moved to UTC"),
        pytest.param(DAY, "2020-01-02", id="python date"),
        pytest.param(UTC_NOON, "2020-01-02 12:00", id="python datetime with zone"),
        pytest.param(pd.Timestamp("2020-01-02 01:00", tz="Europe/Paris"), "2020-01-02 00:00", id="timestamp with zone"),
        pytest.param("02/01/2020", None, id="not ISO"),
        pytest.param("soon", None, id="no date"),
        pytest.param(None, None, id="missing"),
    ],
)
def test_parse_dates(value: Any, expected: str | None) -> None:
    result = parse_dates(pd.Series([value, None], dtype=object))
    assert result.dt.tz is None
    assert result.iloc[0] is pd.NaT if expected is None else result.iloc[0] == pd.Timestamp(expected)


def test_parse_dates_accepts_a_format_categories_and_typed_columns() -> None:
    assert parse_dates(pd.Series(["02/01/2020", "2020-01-02"]), "%d/%m/%Y").isna().tolist() == [False, True]
    assert parse_dates(pd.Series(["2020-01-02", None], dtype="category")).isna().tolist() == [False, True]
    typed = pd.to_datetime(pd.Series(["2020-01-02"]))
    assert parse_dates(typed) is typed
    assert parse_dates(typed.dt.tz_localize("UTC")).iloc[0] == pd.Timestamp("2020-01-02")


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_days_are_the_same_in_every_resolution(unit: str) -> None:
    end = pd.Series(["2020-01-03 12:00", None, "2020-01-01"]).astype(np.dtype(f"datetime64[{unit}]"))
    start = pd.Series(["2020-01-02", "2020-01-02", None]).astype("datetime64[us]")
    result = count_days(end, start)
    assert result.dtype == np.float64
    np.testing.assert_array_equal(result, [1.5, np.nan, np.nan])
    np.testing.assert_array_equal(count_days(end), [18264.5, np.nan, 18262.0])


def test_calendar_parts_are_floats_with_and_without_gaps() -> None:
    full, gaps = (pd.to_datetime(pd.Series(dates)) for dates in (["2020-02-01 05:00"], ["2020-02-01 05:00", None]))
    for dates in (full, gaps):
        result = extract_parts({"d": dates}, ["year", "month", "weekday", "hour", "dayofyear"])
        assert {name: column.iloc[0] for name, column in result.items()} == {
            "d_year": 2020,
            "d_month": 2,
            "d_weekday": 5,
            "d_hour": 5,
            "d_dayofyear": 32,
        }
        assert {str(column.dtype) for column in result.values()} == {"float64"}


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        pytest.param("all", ["days_from_a_to_b", "days_from_a_to_c", "days_from_b_to_c"], id="all pairs"),
        pytest.param(None, [], id="none"),
        pytest.param({"delay": ("b", "a")}, ["delay"], id="named"),
        pytest.param({"delay": ("b", "z")}, [], id="a column of the pair is absent"),
    ],
)
def test_durations(pairs: Any, expected: list[str]) -> None:
    dates = {name: pd.to_datetime(pd.Series([day])) for name, day in zip("abc", ["2020-01-01"] * 3, strict=True)}
    assert list(compute_durations(dates, pairs)) == expected


def test_a_duration_counts_from_start_to_end() -> None:
    dates = {"a": pd.to_datetime(pd.Series(["2020-01-01"])), "b": pd.to_datetime(pd.Series(["2020-01-04"]))}
    assert compute_durations(dates, "all")["days_from_a_to_b"].tolist() == [3.0]
    assert compute_durations(dates, {"early": ("a", "b")})["early"].tolist() == [-3.0]


@pytest.mark.parametrize(
    ("values", "date_format", "problem"),
    [
        (["soon", None, "later"], None, "'soon' is not a date in ISO 8601"),
        (["2020-01-01"], "%d/%m/%Y", "'2020-01-01' is not a date in %d/%m/%Y"),
    ],
)
def test_text_that_is_no_date_is_refused(values: list[Any], date_format: str | None, problem: str) -> None:
    with pytest.raises(DataError) as caught:
        require_dates(pd.DataFrame({"x": values}), date_format)
    assert str(caught.value) == (
        f"cleaning reads 'x' as dates, but {problem}; "
        "set cleaning.date_format, or list the date columns in cleaning.dates."
    )


def test_numbers_are_refused_and_gaps_are_not() -> None:
    with pytest.raises(DataError, match="'x' as dates, but "):
        require_dates(pd.DataFrame({"x": [2020, 2021]}), None)
    require_dates(pd.DataFrame({"x": [np.nan], "y": ["2020-01-01"]}), None)
    require_dates(pd.DataFrame({"x": ["2020-01-01", "broken"]}), None)


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(["2020-01-03", "2020-01-01", "2020-01-03"], id="text"),
        pytest.param([2003, 2001, 2003], id="years"),
        pytest.param(pd.to_datetime(["2020-01-03", "2020-01-01", "2020-01-03"]), id="timestamps"),
    ],
)
def test_moments_are_numbered_from_the_oldest(values: Any) -> None:
    assert rank_moments(pd.Series(values)).tolist() == [1, 0, 1]


def test_a_row_without_a_moment_is_refused() -> None:
    with pytest.raises(DataError) as caught:
        rank_moments(pd.Series(["2020-01-01", "soon", None], name="when", dtype=object))
    assert str(caught.value) == (
        "split.time is 'when', which is not a date in 2 of 3 rows, first 'soon'; "
        "set split.date_format, correct those rows or choose another split."
    )


@pytest.mark.parametrize("fine", ["2020-01-01T00:00:00.123456789", "2020-01-01"])
@pytest.mark.parametrize("late", ["9999-12-31", "no date"])
def test_date_is_parsed_as_in_a_column_of_its_own(fine: str, late: str) -> None:
    both, alone = parse_dates(pd.Series([fine, late], dtype=object)), parse_dates(pd.Series([late], dtype=object))
    assert both.iloc[1] == alone.iloc[0] or (both.isna().iloc[1] and alone.isna().iloc[0])
    assert both.dtype == alone.dtype
