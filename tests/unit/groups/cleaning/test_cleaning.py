"""Options of conf/cleaning: properties of every strategy, and what each does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from mlrunner.core.errors import ConfigError, DataError
from mlrunner.groups.cleaning import DataPreprocess, DateFeatures, KeepAll, RobustPreprocess
from tests.support.cleanings import OPTIONS, ROOT, build_option

FILES = [ROOT / "data" / "olist_synthetic.csv.gz", *sorted((ROOT.parent / "shared" / "data").glob("*.csv"))]
ENDINGS = ["date", "timestamp", "at"]


def messy(rows: int = 12) -> pd.DataFrame:
    """Build a table with every kind of column, with missing values where the dtype allows them."""
    number = np.arange(rows)
    gap = number % 4 == 1
    days = pd.Timestamp("2020-02-27 23:30") + pd.to_timedelta(number, unit="D")
    return pd.DataFrame(
        {
            "whole": number,
            "real": np.where(gap, np.nan, number / 3),
            "flag": number % 2 == 0,
            "nullable": pd.array([None if g else n for n, g in zip(number.tolist(), gap, strict=True)], "Int64"),
            "maybe": pd.array([None if g else True for g in gap], "boolean"),
            "text": pd.Series([None if g else f"t{n % 3}" for n, g in zip(number, gap, strict=True)], dtype="str"),
            "kind": pd.Categorical([None if g else "ab"[n % 2] for n, g in zip(number, gap, strict=True)]),
            "bought_at": pd.Series([None if g else str(d) for d, g in zip(days, gap, strict=True)], dtype="str"),
            "due_date": pd.Series(days.strftime("%Y-%m-%d"), dtype="str"),
            "stamp": pd.Series(days),
            "when": pd.Series(days.strftime("%Y-%m-%dT%H:%M:%S+02:00"), dtype="str"),
            "empty": np.full(rows, np.nan),
        }
    )


def only_text() -> pd.DataFrame:
    """Build a table without numbers and dates."""
    return pd.DataFrame({"a": ["x", "y", "x"], "b": ["u", None, "u"]})


def from_file(path: Path) -> pd.DataFrame:
    """Read a few rows of a real file, or skip the test."""
    if not path.is_file():
        pytest.skip(f"{path.name} is not here")
    return pd.read_csv(path, nrows=9)


TABLES: list[Any] = [
    pytest.param(messy, id="messy"),
    pytest.param(only_text, id="only text"),
    pytest.param(lambda: messy()[["whole", "real"]], id="only numbers"),
    pytest.param(lambda: messy().set_index(np.arange(40, 52)), id="another index"),
    *(pytest.param(lambda path=path: from_file(path), id=path.name) for path in FILES),
]


everywhere = pytest.mark.parametrize("name", OPTIONS)


def test_the_options_are_those_of_the_documentation() -> None:
    assert OPTIONS == ["dates", "full", "none", "preprocess", "robust"]


@pytest.mark.parametrize("make", TABLES)
@everywhere
def test_rows_are_cleaned_alike_alone_together_and_in_training(name: str, make: Any) -> None:
    table, before = make(), make()
    strategy = build_option(name).resolve(table)
    whole = strategy.transform_rows(table)
    assert whole.index.equals(table.index)
    pd.testing.assert_frame_equal(strategy.handle_data(table), whole)
    for n in range(len(table)):
        pd.testing.assert_frame_equal(strategy.transform_rows(table.iloc[[n]]), whole.iloc[[n]])
    pd.testing.assert_frame_equal(table, before)


@pytest.mark.parametrize("rows", [0, 1])
@everywhere
def test_columns_and_types_do_not_depend_on_the_rows(name: str, rows: int) -> None:
    table, strategy = messy(), build_option(name).resolve(messy())
    few = strategy.transform_rows(table.iloc[:rows])
    pd.testing.assert_series_equal(few.dtypes, strategy.transform_rows(table).dtypes)


@everywhere
def test_absent_listed_column_is_ignored(name: str) -> None:
    strategy = build_option(name, drop=["nowhere", "whole"])
    assert "whole" not in strategy.transform_rows(messy())
    assert strategy.named_columns["cleaning.drop"] == ["nowhere", "whole"]


@pytest.mark.parametrize("name", ["dates", "preprocess", "robust"])
def test_only_numbers_are_left(name: str) -> None:
    kinds = build_option(name).handle_data(messy()).dtypes
    assert all(kind.kind in "bif" for kind in kinds)


@settings(max_examples=12, deadline=None)
@given(
    values=st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6), st.booleans()), min_size=1, max_size=6),
    name=st.sampled_from(OPTIONS),
)
def test_rows_of_json_lose_at_most_a_column_that_is_missing(values: list[Any], name: str) -> None:
    """Check that a null in a JSON row, which has no type, makes at most its column NaN."""
    table, strategy = pd.DataFrame({"a": pd.Series(values, dtype=object), "b": 1.0}), build_option(name)
    whole = strategy.transform_rows(table).convert_dtypes()
    for n in range(len(table)):
        row = strategy.transform_rows(table.iloc[[n]]).reindex(columns=whole.columns).convert_dtypes()
        left, right = (frame.astype(object).where(frame.notna(), None) for frame in (row, whole.iloc[[n]]))
        assert left.to_numpy().tolist() == right.to_numpy().tolist()


@pytest.mark.parametrize(
    ("cls", "settings", "place"),
    [
        pytest.param(DataPreprocess, {"droop": []}, ("droop",), id="unknown key"),
        pytest.param(DataPreprocess, {"drop": "city"}, ("drop",), id="text for a list"),
        pytest.param(DateFeatures, {"parts": ["mnth"]}, ("parts", 0), id="unknown part"),
        pytest.param(RobustPreprocess, {"clip": {"price": [1]}}, ("clip", "price", 1), id="one bound"),
    ],
)
def test_wrong_settings_are_refused(cls: Any, settings: dict[str, Any], place: tuple[Any, ...]) -> None:
    with pytest.raises(ValidationError) as caught:
        cls(**settings)
    assert caught.value.errors()[0]["loc"] == place


def test_dates_are_found_by_values_and_can_be_listed() -> None:
    found = {"bought_at": "iso", "due_date": "iso", "stamp": "iso", "when": "iso"}
    assert DateFeatures(date_endings=ENDINGS).resolve(messy()).date_formats == found
    assert DateFeatures(dates=["due_date"]).resolve(messy()).date_formats == {"due_date": "iso"}
    assert DateFeatures(dates=[]).resolve(messy()).date_formats == {}
    assert DateFeatures(dates={"when": None, "due_date": "iso"}).resolve(messy()).date_formats == dict.fromkeys(
        ("bought_at", "due_date", "stamp"), "iso"
    )


def test_columns_have_formats_of_their_own() -> None:
    table = pd.DataFrame({"a": ["06.01.2020", "13.01.2020"], "b": ["2020-01-07", "2020-01-15"]})
    for strategy in (DateFeatures(), DateFeatures(dates={"a": "%d.%m.%Y", "b": "iso"})):
        resolved = strategy.resolve(table)
        assert resolved.date_formats == {"a": "%d.%m.%Y", "b": "iso"}
        assert resolved.transform_rows(table)["days_from_a_to_b"].tolist() == [1.0, 2.0]
        assert resolved.transform_rows(table.iloc[[0]])["days_from_a_to_b"].tolist() == [1.0]


def test_dates_become_parts_and_durations() -> None:
    table = pd.DataFrame({"n": [1], "sent_at": ["2020-03-01 06:00"], "due_date": ["2020-03-03"]})
    result = DateFeatures(date_endings=ENDINGS, parts=["month", "hour"]).handle_data(table)
    assert result.iloc[0].to_dict() == {
        "n": 1.0,
        "sent_at_month": 3.0,
        "sent_at_hour": 6.0,
        "due_date_month": 3.0,
        "due_date_hour": 0.0,
        "days_from_sent_at_to_due_date": 1.75,
    }


def test_named_durations_bring_their_columns_with_them() -> None:
    strategy = DateFeatures(dates=[], durations={"late": ("b", "a")})
    table = pd.DataFrame({"a": ["2020-01-01"], "b": ["2020-01-03"], "n": [1]})
    assert strategy.handle_data(table).to_dict("list") == {"n": [1], "late": [2.0]}
    assert strategy.named_columns["cleaning.durations"] == ["b", "a"]


def test_a_table_without_dates_only_keeps_its_numbers() -> None:
    assert list(build_option("dates").handle_data(messy()[["whole", "text"]]).columns) == ["whole"]
    assert list(build_option("full").handle_data(messy()[["whole", "text"]]).columns) == ["whole", "text"]


def test_text_named_like_a_date_is_no_date() -> None:
    table = pd.DataFrame({"time": ["Lunch", "Dinner"]})
    assert build_option("full").handle_data(table)["time"].tolist() == ["Lunch", "Dinner"]


def test_feature_must_not_replace_a_column() -> None:
    table = pd.DataFrame({"due_date": ["2020-01-01"], "due_date_year": [1]})
    with pytest.raises(
        DataError, match=r"^cleaning makes a column 'due_date_year' of a date, but the table has one already"
    ):
        build_option("dates").handle_data(table)


def test_robust_clips_what_is_listed() -> None:
    strategy = RobustPreprocess(clip={"whole": (2, 4), "real": (None, 1)})
    result = strategy.transform_rows(messy(6))
    assert result["whole"].tolist() == [2, 2, 2, 3, 4, 4]
    np.testing.assert_array_equal(result["real"], [0, np.nan, 2 / 3, 1, 1, np.nan])
    assert strategy.named_columns["cleaning.clip"] == ["whole", "real"]


def test_crossed_bounds_are_refused() -> None:
    message = "cleaning.clip.price is [9, 0.5], but the lower bound comes first; swap them."
    strategy = RobustPreprocess(clip={"price": (9, 0.5), "size": (0, None)})
    assert strategy.problems() == [message]
    with pytest.raises(ConfigError) as caught:
        strategy.handle_data(messy())
    assert str(caught.value) == message


def test_none_returns_the_same_table() -> None:
    table = messy()
    assert KeepAll().handle_data(table) is table
