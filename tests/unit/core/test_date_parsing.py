"""Dates, read by a known format."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlrunner.core.date_parsing import find_unreadable, parse_dates

DAY = datetime.date(2020, 1, 2)
UTC_NOON = datetime.datetime(2020, 1, 2, 12, tzinfo=datetime.UTC)


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


@pytest.mark.parametrize(
    "numbers",
    [
        pytest.param(pd.Series([20200106, 20200230]), id="whole"),
        pytest.param(pd.Series([20200106.0, np.nan]), id="gap"),
        pytest.param(pd.Series([20200106, None], dtype="Int64"), id="nullable"),
        pytest.param(pd.Series(["20200106", None], dtype="category"), id="category"),
    ],
)
def test_whole_numbers_are_read_by_their_digits(numbers: pd.Series) -> None:
    result = parse_dates(numbers, "%Y%m%d")
    assert result.iloc[0] == pd.Timestamp("2020-01-06")
    assert result.iloc[1] is pd.NaT  # 30 February, or missing


def test_unreadable_values_are_present_but_no_dates() -> None:
    column = pd.Series(["06.01.2020", None, "2020-01-06", "31.02.2020"], index=[4, 5, 6, 7])
    assert find_unreadable(column, "%d.%m.%Y").to_dict() == {6: "2020-01-06", 7: "31.02.2020"}
    assert find_unreadable(column, "iso").index.tolist() == [4, 7]


@pytest.mark.parametrize("fine", ["2020-01-01T00:00:00.123456789", "2020-01-01"])
@pytest.mark.parametrize("late", ["9999-12-31", "no date"])
def test_date_is_parsed_as_in_a_column_of_its_own(fine: str, late: str) -> None:
    both, alone = parse_dates(pd.Series([fine, late], dtype=object)), parse_dates(pd.Series([late], dtype=object))
    assert both.iloc[1] == alone.iloc[0] or (both.isna().iloc[1] and alone.isna().iloc[0])
    assert both.dtype == alone.dtype
