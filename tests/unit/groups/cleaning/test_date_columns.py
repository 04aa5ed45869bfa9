"""Which columns hold dates, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlrunner.core.errors import DataError
from mlrunner.groups.cleaning import DateFeatures
from mlrunner.groups.cleaning.date_columns import Expectation, choose_format, describe_unreadable

LISTED, NAMED = {"is_listed": True}, {"is_named": True}
ISO = ["2020-01-06", "2020-01-07"]
CHOICES: dict[str, tuple[list[Any], dict[str, Any], str | None]] = {
    "text": (["a", "b"], {}, None),
    "words with a date's name": (["Lunch", "Dinner"], NAMED, None),
    "iso": (ISO, {}, "iso"),
    "iso, listed": (ISO, LISTED, "iso"),
    "a timestamp": (list(pd.to_datetime(ISO)), {}, "iso"),
    "day first": (["13.01.2020"], {}, "%d.%m.%Y"),
    "half are dates, named": (["2020-01-06", "soon"], NAMED, "iso"),
    "half are dates": (["2020-01-06", "soon"], {}, None),
    "numbers": ([20200106, 20200107], {}, None),
    "numbers with a format": ([20200106, 20200107], {"date_format": "%Y%m%d"}, "%Y%m%d"),
    "prices with a format": ([1200, 1300], {"date_format": "%Y%m%d"}, None),
    "ids with a format": ([20209901, 20209902], {"date_format": "%Y%m%d"}, None),
    "another format than given": (["13.01.2020"], {"date_format": "%m.%d.%Y"}, "%m.%d.%Y"),
    "a format of one's own": (["2020年1月6日"], {"date_format": "%Y年%m月%d日"}, "%Y年%m月%d日"),
    "text beside a format": (["a", "b"], {"date_format": "%d.%m.%Y"}, None),
    "nothing": ([np.nan, np.nan], NAMED, None),
    "nothing, listed": ([np.nan, np.nan], LISTED, "iso"),
}


@pytest.mark.parametrize("name", CHOICES)
def test_values_names_and_settings_decide(name: str) -> None:
    values, expected, date_format = CHOICES[name]
    assert choose_format(pd.Series(values, name="sold"), Expectation(**expected)) == date_format


def test_two_readings_are_refused_with_both() -> None:
    with pytest.raises(DataError) as caught:
        choose_format(pd.Series(["01/01/2020", "03/04/2020", "01/02/2020"], name="sold"), Expectation())
    assert str(caught.value) == (
        "cleaning: the dates of 'sold' have two readings, '03/04/2020' is 3 April 2020 or 4 March 2020; "
        """set "cleaning.dates={sold: '%d/%m/%Y'}" or "cleaning.dates={sold: '%m/%d/%Y'}"."""
    )


def test_all_columns_with_two_readings_are_refused_with_one_setting() -> None:
    dates = pd.DataFrame({"a": ["03/04/2020"], "b": ["03.04.2020"], "c": ["2020-01-06"], "d": ["13.04.2020"]})
    with pytest.raises(DataError) as caught:
        DateFeatures(dates={"c": "iso", "d": None}).resolve(dates)
    assert str(caught.value) == (
        "cleaning: the dates of 'a', 'b' have two readings, '03/04/2020' is 3 April 2020 or 4 March 2020; "
        """set "cleaning.dates={c: 'iso', d: null, a: '%d/%m/%Y', b: '%d.%m.%Y'}" """
        """or "cleaning.dates={c: 'iso', d: null, a: '%m/%d/%Y', b: '%m.%d.%Y'}"."""
    )
    assert DateFeatures(time="a", time_format="%m/%d/%Y").resolve(dates[["a", "c"]]).date_columns == {
        "a": "%m/%d/%Y",
        "c": "iso",
    }


def test_listed_numbers_need_a_format() -> None:
    with pytest.raises(DataError) as caught:
        choose_format(pd.Series([20200106], name="sold"), Expectation(is_listed=True))
    assert str(caught.value) == (
        "cleaning reads 'sold' as dates, but it holds numbers, first 20200106; give their format, like "
        """"cleaning.dates={sold: '%Y%m%d'}", or leave it out of the dates."""
    )


def test_a_few_unreadable_values_are_counted() -> None:
    column = pd.Series(["13.01.2020"] * 198 + ["soon", None, "14.01.2020"], name="sold")
    expected = "1 of 200 values (0.5 %) are no dates in %d.%m.%Y, first 'soon'"
    assert describe_unreadable(column, "%d.%m.%Y") == expected
    assert describe_unreadable(column.iloc[:10], "%d.%m.%Y") is None


NULL = 'treat it as no date with "cleaning.dates={sold: null}"'


@pytest.mark.parametrize(
    ("values", "date_format", "clause", "advice"),
    [
        (
            ["13/01/2020", "01/02/2020", "02/01/2020", "14/01/2020"], "%m/%d/%Y",
            "2 of 4 values (50 %) are no dates in %m/%d/%Y, first '13/01/2020'",
            f"""set "cleaning.dates={{sold: '%d/%m/%Y'}}" or {NULL}""",
        ),
        (
            ["2020-01-06", "13/01/2020"], "iso",
            "1 of 2 values (50 %) are no dates in ISO 8601, first '13/01/2020'", f"correct those values or {NULL}",
        ),
        (
            [20200106, 20200199], "%Y%m%d",
            "1 of 2 values (50 %) are no dates in %Y%m%d, first 20200199", f"correct those values or {NULL}",
        ),
    ],
    ids=["another format fits", "two formats", "numbers"],
)  # fmt: skip
def test_many_unreadable_values_are_refused(values: list[Any], date_format: str, clause: str, advice: str) -> None:
    with pytest.raises(DataError) as caught:
        describe_unreadable(pd.Series(values, name="sold"), date_format)
    assert str(caught.value) == f"cleaning reads 'sold' as dates, but {clause}; {advice}."
