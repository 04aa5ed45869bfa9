"""Sharing rows out without tearing units apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlrunner.groups.split.algorithms import (
    Codes,
    class_strata,
    cut_units,
    number_units,
    quantile_strata,
    split_by_strata,
    split_in_order,
    split_randomly,
)

SHARES = [0.64, 0.16, 0.2]


def rng() -> np.random.Generator:
    """Build a random generator with a fixed seed."""
    return np.random.default_rng(7)


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        pytest.param(None, [0, 1, 2, 3], id="row by row"),
        pytest.param(["b", "a", "b", "c"], [0, 1, 0, 2], id="in order of appearance"),
        pytest.param(["b", None, "b", None], [0, 1, 0, 2], id="a missing group is one by itself"),
        pytest.param([np.nan, 1.0, np.nan, 1.0], [1, 0, 2, 0], id="missing numbers"),
    ],
)
def test_number_units(group: Any, expected: list[int]) -> None:
    table = pd.DataFrame({"g": [0, 0, 0, 0] if group is None else group})
    assert number_units(table, None if group is None else "g").tolist() == expected


def test_no_row_has_no_unit() -> None:
    assert number_units(pd.DataFrame({"g": []}), "g").tolist() == []


@pytest.mark.parametrize(
    ("sizes", "shares", "expected"),
    [
        pytest.param([1] * 10, [0.6, 0.2, 0.2], [0] * 6 + [1, 1, 2, 2], id="rows"),
        pytest.param([1, 1, 1], SHARES, [0, 1, 2], id="one each"),
        pytest.param([8, 1, 1], [0.5, 0.5], [0, 1, 1], id="a large unit stays whole"),
        pytest.param([1, 1, 8], SHARES, [0, 1, 2], id="large at the end"),
        pytest.param([10, 1, 1, 1], [0.3, 0.3, 0.4], [0, 1, 2, 2], id="large at the start"),
        pytest.param([2, 2, 2, 2, 2], [0.5, 0.5], [0, 0, 1, 1, 1], id="half a unit falls to the later part"),
        pytest.param([1, 1], SHARES, [0, 1], id="fewer units than parts"),
    ],
)
def test_cut_units(sizes: list[int], shares: list[float], expected: list[int]) -> None:
    assert cut_units(np.array(sizes), shares).tolist() == expected


@pytest.mark.parametrize(("shift", "expected"), [(-0.49, [0, 0, 1]), (0.0, [0, 0, 1]), (0.49, [0, 0, 0])])
def test_a_shift_moves_the_cut_by_less_than_a_unit(shift: float, expected: list[int]) -> None:
    assert cut_units(np.ones(3, dtype=np.int64), [0.8, 0.2], shift=shift, everywhere=False).tolist() == expected


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 30), min_size=5, max_size=60),
    weights=st.lists(st.integers(1, 10), min_size=2, max_size=5),
    shift=st.floats(-0.5, 0.5),
)
def test_a_cut_reaches_every_part_in_order(sizes: list[int], weights: list[int], shift: float) -> None:
    shares = [weight / sum(weights) for weight in weights]
    parts = cut_units(np.array(sizes), shares, shift=shift)
    assert set(parts.tolist()) == set(range(len(shares)))
    assert (np.diff(parts) >= 0).all()


@settings(max_examples=30, deadline=None)
@given(rows=st.integers(1, 120), seed=st.integers(0, 99))
def test_no_algorithm_divides_a_unit(rows: int, seed: int) -> None:
    units = number_units(pd.DataFrame({"g": np.random.default_rng(seed).integers(0, 12, rows)}), "g")
    strata = quantile_strata(units, pd.Series(np.arange(rows)), 3)
    ways: list[Codes] = [
        split_randomly(units, SHARES, np.random.default_rng(seed)),
        split_in_order(np.unique(units, return_inverse=True)[1], SHARES),
        split_by_strata(units, strata, SHARES, np.random.default_rng(seed), everywhere=False),
    ]
    for parts in ways:
        assert len(set(zip(units.tolist(), parts.tolist(), strict=True))) == len(set(units.tolist()))


def test_random_split_depends_on_the_generator_only() -> None:
    units = np.arange(100)
    first, again = split_randomly(units, SHARES, rng()), split_randomly(units, SHARES, rng())
    assert first.tolist() == again.tolist()
    assert first.tolist() != split_randomly(units, SHARES, np.random.default_rng(8)).tolist()
    assert np.bincount(first).tolist() == [64, 16, 20]


def test_split_in_order_assigns_the_oldest_to_the_first_part() -> None:
    assert split_in_order(np.array([4, 3, 2, 1, 0]), [0.6, 0.2, 0.2]).tolist() == [2, 1, 0, 0, 0]


def test_small_strata_do_not_change_the_shares() -> None:
    strata = np.repeat(np.arange(200), 4)  # 0.16 of 4 rows is less than one
    parts = split_by_strata(np.arange(800), strata, SHARES, rng(), everywhere=False)
    np.testing.assert_allclose(np.bincount(parts) / 800, SHARES, atol=0.01)


def test_a_stratum_can_be_required_everywhere() -> None:
    strata = np.repeat([0, 1], [97, 3])
    for seed in range(10):
        parts = split_by_strata(np.arange(100), strata, SHARES, np.random.default_rng(seed), everywhere=True)
        assert sorted(parts[97:].tolist()) == [0, 1, 2]


def test_strata_give_way_when_a_part_would_be_empty() -> None:
    parts = split_by_strata(np.arange(4), np.arange(4), [0.98, 0.01, 0.01], rng(), everywhere=False)
    assert set(parts.tolist()) == {0, 1, 2}


@pytest.mark.parametrize(
    ("units", "target", "expected"),
    [
        pytest.param([0, 1, 2], ["b", "a", "b"], [0, 1, 0], id="row by row"),
        pytest.param([1, 0], ["b", "a"], [1, 0], id="units in another order"),
        pytest.param([0, 0, 0, 1], ["a", "b", "b", "a"], [1, 0], id="most of the rows"),
        pytest.param([0, 0, 1, 1], ["a", "b", "b", "a"], [0, 0], id="a tie: what came first in the table"),
    ],
)
def test_class_strata(units: list[int], target: list[str], expected: list[int]) -> None:
    assert class_strata(np.array(units), pd.Series(target)).tolist() == expected


@pytest.mark.parametrize(
    ("units", "target", "bins", "expected"),
    [
        pytest.param([0, 1, 2, 3], [9, 1, 5, 2], 2, [1, 0, 1, 0], id="halves"),
        pytest.param([0, 1, 2, 3], [1, 1, 1, 7], 2, [0, 0, 0, 1], id="ties share a range"),
        pytest.param([0, 0, 1], [0, 10, 6], 2, [0, 1], id="the mean of a unit"),
        pytest.param([0, 1], [True, False], 2, [1, 0], id="booleans"),
        pytest.param([0, 1, 2], [3, 2, 1], 1, [0, 0, 0], id="one range"),
    ],
)
def test_quantile_strata(units: list[int], target: list[Any], bins: int, expected: list[int]) -> None:
    assert quantile_strata(np.array(units), pd.Series(target), bins).tolist() == expected
