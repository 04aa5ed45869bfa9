"""Columns whose distributions differ significantly."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlrunner.groups.dataset.profile import profile
from mlrunner.history.diff.distributions import Shift, find_shifts, kolmogorov_distance
from mlrunner.history.diff.sides import Side
from mlrunner.tracking.records.snapshot import Provenance, Snapshot

ROWS, PAIRS = 5_000, 20
DAY = 86_400


def noted(**columns: Any) -> dict[str, Any]:
    """Summarise a table, and read the summary back as a run does."""
    text = json.dumps(profile(pd.DataFrame(columns)))
    return {"fingerprint": text, **json.loads(text)}


def between(first: dict[str, Any], second: dict[str, Any]) -> list[Shift]:
    sides = [Side("label", "name", Snapshot({}), provenance=Provenance(data=data)) for data in (first, second)]
    return find_shifts(*sides)


def reduced(summary: dict[str, Any]) -> dict[str, Any]:
    """Reduce a summary to 21 quantiles and no shares of numbers."""
    columns = {
        name: {key: value for key, value in column.items() if key != "shares"}
        for name, column in summary["columns"].items()
    }
    for column in columns.values():
        if "quantiles" in column:
            column["quantiles"] = np.interp(np.linspace(0, 1, 21), np.linspace(0, 1, 51), column["quantiles"]).tolist()
    return {"fingerprint": summary["fingerprint"], "rows": summary["rows"], "columns": columns}


def draw_columns(rng: np.random.Generator) -> dict[str, Any]:
    """Draw columns of every kind."""
    texts = {f"{count} categories": rng.integers(0, count, ROWS).astype(str) for count in (20, 25, 50, 200)}
    normal = rng.normal(size=ROWS)
    return texts | {
        "digits": rng.integers(0, 10, ROWS),
        "zero and one": (rng.random(ROWS) < 0.6).astype(int),
        "true and false": rng.random(ROWS) < 0.6,
        "one category in ten": np.where(rng.random(ROWS) < 0.1, "a", "b"),
        "rare categories": rng.zipf(1.5, ROWS).astype(str),
        "normal": normal,
        "lognormal": rng.lognormal(0, 2, ROWS),
        "Cauchy": rng.standard_cauchy(ROWS),
        "many zeros": np.where(rng.random(ROWS) < 0.6, 0, rng.normal(size=ROWS)),
        "integers": rng.integers(0, 31, ROWS),
        "missing": np.where(rng.random(ROWS) < 0.1, np.nan, normal),
        "dates": pd.to_datetime(rng.integers(0, 1000 * DAY, ROWS), unit="s"),
    }


@pytest.mark.slow
def test_samples_of_one_distribution_do_not_differ() -> None:
    rng = np.random.default_rng(0)
    pairs = [(noted(**draw_columns(rng)), noted(**draw_columns(rng))) for _ in range(PAIRS)]
    old = [(reduced(first), second) for first, second in pairs] + [
        (reduced(first), reduced(second)) for first, second in pairs
    ]
    for some in (pairs, old):
        counts = Counter(each.column for first, second in some for each in between(first, second))
        assert counts.total() <= 0.01 * len(some) * len(pairs[0][0]["columns"])
        assert all(count <= 0.05 * len(some) for count in counts.values())


@pytest.mark.parametrize(
    ("make_first", "make_second", "change"),
    [
        pytest.param(lambda rng: rng.normal(size=ROWS), lambda rng: rng.normal(0.2, 1, ROWS), "median ", id="shifted"),
        pytest.param(lambda rng: rng.normal(size=ROWS), lambda rng: rng.normal(0, 1.3, ROWS), "median ", id="wider"),
        pytest.param(
            lambda rng: np.where(rng.random(ROWS) < 0.10, "a", "b"),
            lambda rng: np.where(rng.random(ROWS) < 0.15, "a", "b"),
            "'",
            id="a category from 10% to 15%",
        ),
        pytest.param(
            lambda rng: rng.integers(0, 200, ROWS).astype(str),
            lambda rng: np.where(rng.random(ROWS) < 0.1, "new", rng.integers(0, 200, ROWS).astype(str)),
            "'new' at most 0.",
            id="a new one of many categories",
        ),
        pytest.param(
            lambda rng: (rng.random(ROWS) < 0.60).astype(int),
            lambda rng: (rng.random(ROWS) < 0.65).astype(int),
            "1: ",
            id="ones from 60% to 65%",
        ),
        pytest.param(
            lambda rng: np.where(rng.random(ROWS) < 0.02, np.nan, 1.0),
            lambda rng: np.where(rng.random(ROWS) < 0.06, np.nan, 1.0),
            "missing ",
            id="missing from 2% to 6%",
        ),
        pytest.param(
            lambda rng: pd.to_datetime(rng.integers(0, 100 * DAY, ROWS), unit="s"),
            lambda rng: pd.to_datetime(rng.integers(20 * DAY, 120 * DAY, ROWS), unit="s"),
            "median 1970-02-",
            id="later dates",
        ),
    ],
)
def test_changed_distribution_is_found(make_first: Any, make_second: Any, change: str) -> None:
    rng = np.random.default_rng(1)
    for _ in range(2):
        first, second = noted(x=make_first(rng)), noted(x=make_second(rng))
        (shift,) = between(first, second)
        assert shift.change.startswith(change)
        assert shift.distance > 0.02
        assert between(first, first) == []


def test_change_of_numbers_names_the_medians() -> None:
    shifts = between(noted(x=range(1000), z=range(1000)), noted(x=range(500, 1500), z=range(1000)))
    assert [(shift.column, shift.change) for shift in shifts] == [("x", "median 499.5 → 999.5")]
    assert shifts[0].distance == pytest.approx(0.5, abs=0.02)


def test_change_of_texts_and_missing_values() -> None:
    here = noted(city=["a"] * 500 + ["b"] * 500, x=[1.0] * 1000)
    there = noted(city=["a"] * 900 + ["b"] * 100, x=[1.0] * 500 + [None] * 500)
    changes = {shift.column: shift.change for shift in between(here, there)}
    assert changes == {"city": "'a' 50.0% → 90.0%", "x": "missing 0.0% → 50.0%"}


@pytest.mark.parametrize(
    ("first", "second", "apart"),
    [
        ({"quantiles": [1.0] * 21}, {"quantiles": [1.0] * 51}, 0),
        ({"quantiles": [1.0] * 21}, {"quantiles": [2.0] * 21}, 1),
        ({"shares": [[0.0, 0.4], [1.0, 0.6]]}, {"shares": [[0.0, 0.5], [1.0, 0.5]]}, 0.1),
        ({"shares": [[0.0, 0.4], [1.0, 0.6]]}, {"quantiles": [0.0, 0.0, 1.0, 1.0, 1.0]}, 0),
    ],
)
def test_distance_is_a_lower_bound(first: dict[str, Any], second: dict[str, Any], apart: float) -> None:
    assert kolmogorov_distance(first, second) == pytest.approx(apart)
    assert kolmogorov_distance(second, first) == pytest.approx(apart)
