"""Formats, found from the values of a column."""

from __future__ import annotations

import pandas as pd
import pytest

from mlrunner.core.date_parsing import parse_dates
from mlrunner.groups.cleaning.date_formats import SAMPLE_SIZE, count_formats

CLEAR = {  # every value is 13 February 2020; the format that is found
    "iso day": ("2020-02-13", "iso"),
    "iso with zone": ("2020-02-13T01:00:00+01:00", "iso"),
    "iso with fraction": ("2020-02-13 00:00:00.000Z", "iso"),
    "day first, dots": ("13.02.2020", "%d.%m.%Y"),
    "day first, no zeros": ("13/2/2020", "%d/%m/%Y"),
    "month first": ("02/13/2020", "%m/%d/%Y"),
    "month first, time": ("02-13-2020 00:00", "%m-%d-%Y %H:%M"),
    "afternoon": ("2/13/2020 12:00:00 AM", "%m/%d/%Y %I:%M:%S %p"),
    "year first": ("2020/02/13", "%Y/%m/%d"),
    "short month": ("13-Feb-2020", "%d-%b-%Y"),
    "month's name": ("13 February 2020", "%d %B %Y"),
    "name first": ("February 13, 2020", "%B %d, %Y"),
}
NO_DATES = ["Lunch", "12:30", "1.2.10", "20200213", "13.13.2020", "2020-13-01", "0123-45", "3.5", "10.000.000", "1009"]


@pytest.mark.parametrize("name", CLEAR)
def test_a_clear_format_is_found_and_reads_its_value(name: str) -> None:
    value, expected = CLEAR[name]
    column = pd.Series([value, None, value], dtype=object)
    counts = count_formats(column)
    assert (counts.best, counts.other_reading, counts.share) == (expected, None, 1.0)
    assert parse_dates(column, counts.best).iloc[0] == pd.Timestamp("2020-02-13")


@pytest.mark.parametrize("value", NO_DATES)
def test_other_texts_are_no_dates(value: str) -> None:
    assert count_formats(pd.Series([value])).share == 0


@pytest.mark.parametrize(("value", "expected"), [("13.02.20", "%d.%m.%y"), ("20200213", "%Y%m%d")])
def test_short_forms_are_read_where_dates_are_expected(value: str, expected: str) -> None:
    assert count_formats(pd.Series([value]), loose=True).best == expected


def test_one_day_beyond_the_twelfth_decides_wherever_it_stands() -> None:
    both = pd.Series(["03/04/2020"] * (3 * SAMPLE_SIZE + 1))
    assert count_formats(both).other_reading is not None
    both.iloc[1] = "13/04/2020"  # not in the sample of every third value
    counts = count_formats(both)
    assert (counts.best, counts.other_reading, counts.values) == ("%d/%m/%Y", None, len(both))


def test_two_formats_are_counted_each() -> None:
    counts = count_formats(pd.Series(["2020-02-13"] * 3 + ["13/02/2020"] * 2 + ["soon"]))
    assert dict(counts.fits) == {"iso": 3, "%d/%m/%Y": 2}
    assert (counts.values, counts.dates, counts.other_reading) == (6, 5, None)


def test_may_is_a_short_and_a_long_name() -> None:
    assert count_formats(pd.Series(["1 May 2020", "1 June 2020"])).best == "%d %B %Y"
    assert count_formats(pd.Series(["1 May 2020", "1 Jun 2020"])).best == "%d %b %Y"
