"""Summaries of tables, by column."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlrunner.groups.dataset.profile import SAMPLE_ROWS, profile


def test_only_the_first_columns_of_a_wide_table_are_summarised() -> None:
    summary = profile(pd.DataFrame([range(600)], columns=[f"c{number}" for number in range(600)]))
    assert len(summary["columns"]) == 500


@pytest.mark.parametrize("rows", [0, 1, SAMPLE_ROWS, SAMPLE_ROWS + 1, 2 * SAMPLE_ROWS - 1, 2 * SAMPLE_ROWS])
def test_sample_of_rows_is_limited(rows: int) -> None:
    summary = profile(pd.DataFrame({"x": range(rows)}))
    assert summary["rows"] == rows
    assert min(rows, SAMPLE_ROWS / 2) <= summary["looked_at"] <= SAMPLE_ROWS


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pd.Categorical([None, None], ["u", "v"]), {"distinct": 0, "top": {}}),
        (pd.Categorical(["u", "u"], ["u", "v"]), {"distinct": 1, "top": {"u": 1.0}}),
        ([["x"], ["x"]], {"distinct": 1, "top": {"['x']": 1.0}}),
        ([None, np.inf], {"distinct": 1, "quantiles": []}),
        ([2, 1, 1, 1], {"distinct": 2, "shares": [[1.0, 0.75], [2.0, 0.25]]}),
    ],
)
def test_column_is_summarised_by_its_values(values: Any, expected: dict[str, Any]) -> None:
    assert profile(pd.DataFrame({"x": values}))["columns"]["x"].items() >= expected.items()


@pytest.mark.parametrize("values", [[1, 2], ["a", None], [True, False], [["x"], [1]], [{"a": 1}, {}]])
def test_digest_depends_on_the_values_in_their_order(values: list[Any]) -> None:
    def digest(values: list[Any]) -> str:
        return str(profile(pd.DataFrame({"x": values}))["columns"]["x"]["digest"])

    assert digest(values) == digest(list(values)) != digest(values[::-1])


@pytest.mark.parametrize(("unit", "zone"), [("s", None), ("ms", "UTC"), ("us", "Europe/Berlin"), ("ns", None)])
def test_dates_are_summarised_in_seconds(unit: Any, zone: str | None) -> None:
    dates = pd.Series(pd.to_datetime(["2020-01-01"])).dt.tz_localize(zone).dt.as_unit(unit)
    seconds = pd.Timestamp("2020-01-01", tz=zone or "UTC").timestamp()
    assert set(profile(pd.DataFrame({"x": dates}))["columns"]["x"]["quantiles"]) == {seconds}
