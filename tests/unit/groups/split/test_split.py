"""Options of conf/split: properties of every division, and the message for each impossible one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlrunner.core.errors import ConfigError, DataError
from mlrunner.core.folds import list_folds
from mlrunner.groups.split import KFoldDivide
from tests.support.splits import (
    BY_CLASS,
    BY_GROUP,
    BY_TIME,
    FOLDED,
    HELD_OUT,
    NOT_GROUPED,
    OPTIONS,
    SHARES,
    build_option,
    divide_table,
    parts_with_rows,
    table,
    tasks,
)

GROUP_MESSAGE = (
    "split.group is not set, but this split keeps groups together; "
    "name the column in dataset.group, or choose split=80_20 or split=kfold."
)


everywhere = pytest.mark.parametrize("name", OPTIONS)


def test_the_options_are_those_of_the_documentation() -> None:
    assert OPTIONS == [
        "70_15_15",
        "80_20",
        "expanding",
        "grouped",
        "grouped_kfold",
        "kfold",
        "rolling",
        "stratified",
        "stratified_kfold",
        "time_ordered",
    ]


@tasks
@everywhere
def test_each_row_is_in_one_part_in_its_order_and_again_the_same(name: str, roles: dict[str, Any]) -> None:
    whole, result, again = table(), divide_table(name, roles), divide_table(name, roles)
    labels = [label for part in parts_with_rows(result) for label in part.index]
    assert sorted(labels) == whole.index.tolist()
    for part, same in zip(parts_with_rows(result), parts_with_rows(again), strict=True):
        pd.testing.assert_frame_equal(part, whole[whole.index.isin(part.index)])
        pd.testing.assert_frame_equal(part, same)
    if result.folds is not None:
        pd.testing.assert_frame_equal(result.folds, pd.DataFrame(again.folds))


@pytest.mark.parametrize("name", [name for name in OPTIONS if name not in BY_TIME])
def test_another_seed_is_another_division(name: str) -> None:
    assert not divide_table(name).test.index.equals(divide_table(name, seed=1).test.index)


@everywhere
def test_the_input_stays_as_it_was(name: str) -> None:
    whole = table()
    result = build_option(name, BY_GROUP).handle_data(whole)
    result.train["x"] = 0.0
    pd.testing.assert_frame_equal(whole, table())


@tasks
@pytest.mark.parametrize("name", HELD_OUT)
def test_a_hold_out_has_its_shares(name: str, roles: dict[str, Any]) -> None:
    whole = len(table())
    result = divide_table(name, roles)
    shares = [len(part) / whole for part in parts_with_rows(result)]
    np.testing.assert_allclose(shares, SHARES.get(name, (0.64, 0.16, 0.2)), atol=0.02)
    assert result.folds is None


@pytest.mark.parametrize(("rows", "sizes"), [(10, [6, 2, 2]), (100, [64, 16, 20]), (1000, [640, 160, 200])])
def test_row_by_row_the_sizes_are_exact(rows: int, sizes: list[int]) -> None:
    result = build_option("80_20").handle_data(table(rows))
    assert [len(part) for part in parts_with_rows(result)] == sizes


@tasks
@pytest.mark.parametrize("name", FOLDED)
@pytest.mark.parametrize("folds", [2, 5])
def test_folds_share_all_but_the_test(name: str, folds: int, roles: dict[str, Any]) -> None:
    result = divide_table(name, roles, folds=folds)
    assert result.folds is not None
    assert result.folds.index.equals(result.train.index)
    held_out = [fold.held_out for fold in list_folds(result.folds)]
    assert len(held_out) == folds
    assert sorted(np.concatenate(held_out)) == list(range(len(result.train)))
    np.testing.assert_allclose(np.array([len(rows) for rows in held_out]) / len(result.train), 1 / folds, atol=0.03)
    assert len(result.test) == pytest.approx(80, abs=8)


@pytest.mark.parametrize("name", [*FOLDED, "expanding", "rolling"])
def test_with_folds_the_validation_has_columns_and_no_row(name: str) -> None:
    result = divide_table(name)
    assert len(result.validation) == 0
    pd.testing.assert_series_equal(result.validation.dtypes, table().dtypes)


@everywhere
def test_sizes_can_be_overridden(name: str) -> None:
    result = divide_table(name, test=0.5)
    assert len(result.test) == pytest.approx(200, abs=8)


@pytest.mark.parametrize("name", ["grouped", "grouped_kfold"])
def test_a_grouped_split_is_refused_without_a_group(name: str) -> None:
    assert build_option(name).problems(400, None, None) == [GROUP_MESSAGE]
    with pytest.raises(ConfigError) as caught:
        build_option(name).handle_data(table())
    assert str(caught.value) == GROUP_MESSAGE


@settings(max_examples=25, deadline=None)
@given(
    rows=st.integers(120, 200), count=st.integers(12, 60), seed=st.integers(0, 2**32 - 1), name=st.sampled_from(OPTIONS)
)
def test_the_contract_holds_for_any_groups(rows: int, count: int, seed: int, name: str) -> None:
    groups = np.random.default_rng(seed).integers(0, count, rows)
    whole = pd.DataFrame({"customer": groups, "y": np.arange(len(groups)), "when": groups})
    result = build_option(name, BY_GROUP, seed=seed).handle_data(whole)
    assert sorted(label for part in parts_with_rows(result) for label in part.index) == list(range(len(groups)))
    column = "when" if name in BY_TIME else "customer"
    sides = [set(part[column]) for part in parts_with_rows(result)]
    assert sum(map(len, sides)) == len(set().union(*sides))


SUM = (
    "split.train, split.validation and split.test are 0.7, 0.16 and 0.2, which sum to 1.06; "
    "they must sum to 1, or one can be null to take the rest."
)
NEAR, LESS_THAN_ONE = " Did you mean", "less than one of 40 rows; raise it to at least 0.025, or read more rows."
ABSENT = "but the cleaned table has no such column; set"
LEFT = "10, but of 9 rows split.test=0.2 leaves 7; choose split.folds=7 or fewer, or read more rows."
UNSET_TIME = "not set, but this split goes by time; name the column in dataset.time, or choose split=80_20."
IMPOSSIBLE: list[tuple[str, dict[str, Any], int, str]] = [
    ("kfold", {"test": 0}, 400, "split.test is 0; a share must be above 0 and below 1."),
    ("kfold", {"folds": 10}, 9, f"split.folds is {LEFT}"),
    ("kfold", {"test": 0.001}, 40, f"split.test is 0.001, which is {LESS_THAN_ONE}"),
    ("80_20", {"group": "custommer"}, 400, f"split.group is 'custommer', {ABSENT} dataset.group.{NEAR} 'customer'?"),
    ("stratified", {"target": "lable"}, 400, f"split.target is 'lable', {ABSENT} dataset.target.{NEAR} 'label'?"),
    ("time_ordered", {"time": "date"}, 400, f"split.time is 'date', {ABSENT} dataset.time."),
    ("time_ordered", {"time": None}, 400, f"split.time is {UNSET_TIME}"),
    ("80_20", {"train": 0.7}, 400, SUM),
]


@pytest.mark.parametrize(("name", "settings", "rows", "message"), IMPOSSIBLE)
def test_what_is_impossible_is_refused_with_the_numbers(
    name: str, settings: dict[str, Any], rows: int, message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        build_option(name, **settings).handle_data(table(rows))
    assert str(caught.value) == message


def test_a_rare_class_is_refused() -> None:
    whole = table(40).assign(label=["only"] * 38 + ["rare"] * 2)
    with pytest.raises(ConfigError, match=r"has 2 members .*, but train, validation and test need at least 3; "):
        build_option("stratified", BY_CLASS).handle_data(whole)


def test_a_rare_class_is_refused_for_folds() -> None:
    whole = table(40).assign(label=["only"] * 35 + ["rare"] * 5)
    with pytest.raises(ConfigError, match=r"has 5 members .*, but 5 folds and the test need at least 6; "):
        build_option("stratified_kfold", BY_CLASS).handle_data(whole)
    assert build_option("stratified_kfold", BY_CLASS, folds=4).handle_data(whole).folds is not None


def test_folds_that_only_large_groups_rule_out_are_refused() -> None:
    whole = pd.DataFrame({"customer": [0] * 2 + [1] * 2 + [2] * 2 + [3] * 2 + [4] * 60, "y": 0.0})
    strategy = KFoldDivide(test=0.2, folds=4, seed=0, group="customer")
    assert strategy.problems(68, 5, None) == []
    for seed in range(20):
        try:
            result = KFoldDivide(test=0.2, folds=4, seed=seed, group="customer").handle_data(whole)
        except DataError as error:
            assert str(error).startswith("split.folds is 4, but beside the test only ")  # noqa: PT017
        else:
            assert result.folds is not None
            assert len(list_folds(result.folds)) == 4


@pytest.mark.parametrize("name", NOT_GROUPED)
def test_the_start_up_check_ignores_what_does_not_limit_an_option(name: str) -> None:
    """Groups count where they stay together, classes where they are shared out alike."""
    strategy = build_option(name)
    assert strategy.problems(400, 1, None) == []
    assert bool(strategy.problems(400, 1, 1)) is name.startswith("stratified")


def test_the_start_up_check_counts_groups_that_stay_together() -> None:
    message = "split needs at least 3 groups, one each for train, validation and test, but the data has 2."
    assert build_option("80_20", BY_GROUP).problems(400, 2, None) == [message]
