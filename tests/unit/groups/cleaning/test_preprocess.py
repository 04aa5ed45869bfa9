"""The strategy of `cleaning=preprocess`."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mlrunner.core.errors import DataError
from mlrunner.groups.cleaning import DataPreprocess, DateFeatures

TABLE = pd.DataFrame(
    {"flag": [True, False], "real": [0, np.nan], "text": ["t0", None], "due_date": ["2020-02-27", "2020-02-28"]}
)


def test_preprocess_drops_fills_dates_and_keeps_numbers() -> None:
    strategy = DataPreprocess(drop=["flag"], fill={"real": -1, "text": "none"}, dates=["due_date"])
    result = strategy.handle_data(TABLE)
    assert result.to_dict("list") == {"real": [0.0, -1.0], "due_date_days": [18319.0, 18320.0]}


def test_preprocess_keeps_text_without_keep_numeric() -> None:
    result = DataPreprocess(fill={"text": "none"}, keep_numeric=False).handle_data(TABLE)
    assert result["text"].tolist() == ["t0", "none"]


def test_preprocess_fills_before_it_reads_dates() -> None:
    table = pd.DataFrame({"d": ["1970-01-02", None]})
    strategy = DataPreprocess(dates=["d"], fill={"d": "1970-01-11"})
    assert strategy.handle_data(table)["d_days"].tolist() == [1.0, 10.0]


def test_a_listed_date_that_cannot_be_read_is_refused() -> None:
    table = pd.DataFrame({"text": ["t0", "t1"]})
    with pytest.raises(DataError, match=r"^cleaning reads 'text' as dates, but 2 of 2 values \(100 %\)"):
        DataPreprocess(dates=["text"]).handle_data(table)


def test_a_few_values_that_are_no_dates_become_missing() -> None:
    table = pd.DataFrame({"d": ["1970-01-02"] * 199 + ["soon"]})
    strategy = DataPreprocess(dates=["d"]).resolve(table)
    assert strategy.describe_unreadable(table) == {
        "d": "1 of 200 values (0.5 %) are no dates in ISO 8601, first 'soon'"
    }
    assert strategy.handle_data(table)["d_days"].tail(2).fillna(-1).tolist() == [1.0, -1.0]
    assert strategy.mask_unreadable(table)["d"].tail(2).fillna("").tolist() == ["1970-01-02", ""]


def test_a_format_that_no_column_has_is_refused() -> None:
    message = (
        "cleaning.date_format is %d.%m.%Y, but no column holds such dates; list the columns in cleaning.dates, or "
        "leave the format out."
    )
    for strategy in (DataPreprocess(date_format="%d.%m.%Y"), DateFeatures(date_format="%d.%m.%Y")):
        with pytest.raises(DataError) as caught:
            strategy.resolve(pd.DataFrame({"n": [1, 2], "t": ["a", "b"]}))
        assert str(caught.value) == message


def test_named_columns_have_full_keys() -> None:
    assert DataPreprocess(drop=["a"], fill={"b": 0}, dates=["c"]).named_columns == {
        "cleaning.drop": ["a"],
        "cleaning.fill": ["b"],
        "cleaning.dates": ["c"],
    }
