"""The data card."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlrunner.groups.dataset.profile import profile
from mlrunner.history.report import datacard
from tests.support.reports import make_orders, make_recorded


def test_data_card(tmp_path: Path) -> None:
    card = datacard.make_data_card(
        make_recorded(tmp_path, make_orders(), **{"dataset.ignore": '["id"]', "dataset.group": "town"})
    )
    assert card is not None
    assert (card.note, card.more) == ("", 0)
    assert card.facts.items() >= {"data set": "orders", "source": "a.csv", "rows": "4", "columns": "3"}.items()
    assert [(column.name, column.role) for column in card.columns] == [
        ("price", "target"),
        ("town", "group"),
        ("id", "ignored"),
    ]
    price, town, _ = card.columns
    assert (price.dtype, price.missing_text, price.distinct, price.text) == ("float64", "25%", 2, "1 … 2 … 2")
    assert (price.heights[0], price.heights[-1]) == (0.5, 1)
    assert (town.missing, town.distinct, town.text, town.heights) == (0.25, 2, "a 67%, b 33%", ())


def test_data_card_without_a_profile(tmp_path: Path) -> None:
    content = make_recorded(tmp_path, make_orders())
    (tmp_path / "aaaa" / "data.json").unlink()
    card = datacard.make_data_card(content)
    assert card is not None
    assert (card.note, card.columns) == ("The run has no record of its columns.", ())
    assert card.facts["target"] == "price"
    assert datacard.make_data_card(replace(content, lead=None)) is None


def test_many_rows_and_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datacard, "MOST_COLUMNS", 2)
    wide = pd.DataFrame({name: range(9_000) for name in ("a", "b", "price")})
    card = datacard.make_data_card(make_recorded(tmp_path, wide))
    assert card is not None
    assert card.note == "Described by 4,500 evenly spaced rows."
    assert (card.facts["rows"], card.more, [column.name for column in card.columns]) == ("9,000", 1, ["price", "a"])


COLUMNS: dict[str, tuple[Any, int, str]] = {
    "numbers": ([3, 1, 2], 3, "1 … 2 … 3"),
    "infinities": ([1.0, np.inf, -np.inf], 3, "1"),
    "nothing": ([np.nan, np.nan], 0, ""),
    "one value": ([5.0, 5.0], 1, "5"),
    "dates": (pd.to_datetime(["2020-01-01", None, "2020-01-03"]), 2, "2020-01-01 … 2020-01-02 … 2020-01-03"),
    "dates of a zone": (pd.to_datetime(["2020-01-01"]).tz_localize("UTC"), 1, "2020-01-01"),
    "huge": ([2.0**63, -(2.0**63)], 2, "-9.223e+18 … 0 … 9.223e+18"),
    "nullable": (pd.array([1, None], dtype="Int64"), 1, "1"),
    "no rows": (pd.Series([], dtype=float), 0, ""),
    "texts": (["b", "a", "b", None], 2, "b 67%, a 33%"),
    "truths": ([True, True, False], 2, "True 67%, False 33%"),
    "lists": ([["x"], ["x"], {}], 2, "['x'] 67%, {} 33%"),
    "categories": (pd.Categorical(["u", "v", "u"]), 2, "u 67%, v 33%"),
    "a long text": (["a" * 99], 1, "a" * 23 + "… 100%"),
    "a rare text": (["x", *"a" * 200], 2, "a 100%, x <1%"),
    "many texts": ([*"abcdefg"], 7, "a 14%, b 14%, c 14%, d 14%"),
}


@pytest.mark.parametrize("case", COLUMNS)
def test_column_description(case: str) -> None:
    values, distinct, text = COLUMNS[case]
    entry = json.loads(json.dumps(profile(pd.DataFrame({"x": values}))["columns"]["x"]))
    column = datacard.describe_column("x", entry, "feature")
    assert (column.distinct, column.text) == (distinct, text)
    assert all(0 <= height <= 1 for height in column.heights)


def test_infinite_range_has_no_histogram() -> None:
    entry = {"dtype": "float64", "missing": 0.0, "distinct": 3, "quantiles": [-1e308, 0.0, 1e308]}
    column = datacard.describe_column("x", entry, "feature")
    assert (column.text, column.heights) == ("-1e+308 … 0 … 1e+308", ())


def test_histogram() -> None:
    values = np.random.default_rng(0).normal(size=4_000)
    heights = datacard.describe_column("x", profile(pd.DataFrame({"x": values}))["columns"]["x"], "").heights
    assert len(heights) == datacard.BINS
    assert max(heights) == 1
    assert heights.index(1) in range(5, 11)
    assert max(heights[0], heights[-1]) < 0.2
