"""Dates, read and made into numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlrunner.core.errors import DataError
from mlrunner.groups.cleaning.dates import (
    compute_durations,
    count_days,
    extract_parts,
    is_named_as_date,
    read_moments,
)

ENDINGS = ["date", "datetime", "timestamp", "time", "at"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("order_purchase_timestamp", True, id="last word"),
        pytest.param("order_approved_at", True, id="at"),
        pytest.param("Date", True, id="the whole name, capital"),
        pytest.param("candidate", False, id="only the end of a word"),
        pytest.param("date_format", False, id="not the last word"),
        pytest.param("moment", True, id="the time column"),
        pytest.param("city", False, id="another name"),
    ],
)
def test_names_say_that_a_column_holds_dates(name: str, expected: bool) -> None:
    assert is_named_as_date(pd.Series(["x"], name=name), ENDINGS, "moment") is expected


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
        assert {name: column[0] for name, column in result.items()} == {
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
    "values",
    [
        pytest.param(["2020-01-03", "2020-01-01", "2020-01-03"], id="text"),
        pytest.param(["03.01.2020", "31.12.2019", "03.01.2020"], id="day first"),
        pytest.param([2003, 2001, 2003], id="years"),
        pytest.param(pd.to_datetime(["2020-01-03", "2020-01-01", "2020-01-03"]), id="timestamps"),
    ],
)
def test_moments_are_read_from_text_dates_and_numbers(values: Any) -> None:
    moments = read_moments(pd.Series(values))
    assert moments[0] == moments[2] > moments[1]


def test_a_row_without_a_moment_is_refused() -> None:
    with pytest.raises(DataError) as caught:
        read_moments(pd.Series(["2020-01-01", "soon", None], name="when", dtype=object))
    assert str(caught.value) == (
        "split.time is 'when', which is not a date in 2 of 3 rows, first 'soon'; "
        "correct those rows, or choose split=80_20."
    )


@pytest.mark.parametrize(
    ("values", "date_format"), [(["1 of May", "2 of May"], None), (["2020-01-01", "02.01.2020"], "%Y%m%d")]
)
def test_dates_that_are_not_read_need_another_format(values: list[str], date_format: str | None) -> None:
    with pytest.raises(DataError) as caught:
        read_moments(pd.Series(values, name="when"), date_format)
    assert str(caught.value) == (
        f"split.time is 'when', which is not a date in 2 of 2 rows, first '{values[0]}'; "
        "set how they are written, as in split.date_format='%d.%m.%Y', or choose split=80_20."
    )


def test_dates_with_two_readings_need_a_format_to_be_ordered() -> None:
    dates = pd.Series(["03/04/2020", "01/02/2020"], name="when")  # 3 April and 1 February, or 4 March and 2 January
    with pytest.raises(DataError) as caught:
        read_moments(dates)
    assert str(caught.value) == (
        "split.time is 'when', whose dates have two readings, '03/04/2020' is 3 April 2020 or 4 March 2020; "
        "set split.date_format='%d/%m/%Y' or split.date_format='%m/%d/%Y'."
    )
    assert read_moments(dates, "%d/%m/%Y").astype("datetime64[D]").astype(str).tolist() == ["2020-04-03", "2020-02-01"]
