"""Assignment of rows by group, stratum and time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlrunner.core.errors import ConfigError, DataError
from mlrunner.core.folds import list_folds
from tests.support.splits import (
    BY_CLASS,
    BY_GROUP,
    BY_TIME,
    NOT_GROUPED,
    OPTIONS,
    SHARES,
    build_option,
    divide_table,
    parts_with_rows,
    table,
    tasks,
)


@tasks
@pytest.mark.parametrize("name", [name for name in OPTIONS if name not in BY_TIME])
def test_a_group_stays_on_one_side(name: str, roles: dict[str, Any]) -> None:
    result = divide_table(name, roles)
    sides = pd.concat(
        part.assign(side=number)[["customer", "side"]] for number, part in enumerate(parts_with_rows(result))
    )
    assert (sides.groupby("customer")["side"].nunique() == 1).all()
    if result.folds is not None:
        assert (result.folds.groupby(result.train["customer"]).nunique() == 1).all(axis=None)


@pytest.mark.parametrize("name", NOT_GROUPED)
def test_rows_without_a_group_are_units(name: str) -> None:
    result = build_option(name).handle_data(table())
    assert len(result.test) == pytest.approx(400 * SHARES.get(name, (0, 0, 0.2))[2], abs=2)


def test_a_class_counts_by_its_groups_when_these_stay_together() -> None:
    whole = table(40).assign(label=["only"] * 34 + ["rare"] * 6, customer=[*range(34), 90, 90, 90, 91, 91, 91])
    with pytest.raises(ConfigError, match="has 2 members"):
        build_option("stratified", {**BY_CLASS, **BY_GROUP}).handle_data(whole)


def test_stratified_keeps_the_classes_alike() -> None:
    result = build_option("stratified", BY_CLASS).handle_data(table())
    whole = table()["label"].value_counts(normalize=True)
    for part in parts_with_rows(result):
        np.testing.assert_allclose(part["label"].value_counts(normalize=True)[whole.index], whole, atol=0.02)


def test_stratified_folds_have_every_class() -> None:
    result = build_option("stratified_kfold", BY_CLASS).handle_data(table())
    assert result.folds is not None
    counts = pd.DataFrame(
        [result.train["label"].iloc[fold.held_out].value_counts() for fold in list_folds(result.folds)]
    )
    assert (counts.max() - counts.min() <= 1).all()


def test_stratified_keeps_a_numeric_target_alike() -> None:
    spread = [part["y"].mean() for part in parts_with_rows(build_option("stratified").handle_data(table()))]
    assert np.ptp(spread) < 0.1


def test_stratified_infers_the_task() -> None:
    assert build_option("stratified", {"target": "label", "task": None}).handle_data(table()).folds is None


@pytest.mark.parametrize("rows", [10, 13, 24])
def test_stratified_fills_every_part_of_a_small_table(rows: int) -> None:
    assert len(parts_with_rows(build_option("stratified").handle_data(table(rows)))) == 3


@pytest.mark.parametrize(
    "when",
    [
        pytest.param(lambda whole: whole["when"], id="text"),
        pytest.param(lambda whole: pd.to_datetime(whole["when"]), id="timestamps"),
        pytest.param(lambda whole: pd.to_datetime(whole["when"]).dt.hour + 0.0, id="numbers"),
    ],
)
def test_time_ordered_trains_on_the_past(when: Any) -> None:
    whole = table().assign(when=when)
    result = build_option("time_ordered").handle_data(whole)
    train, validation, test = (part["when"] for part in (result.train, result.validation, result.test))
    assert train.max() < validation.min()
    assert validation.max() < test.min()


def test_time_ordered_reads_a_format() -> None:
    whole = pd.DataFrame({"when": ["31/01/2020", "01/02/2020", "02/02/2020"] * 2, "y": 0.0})
    result = build_option("time_ordered", validation=0.3, test=0.3, date_format="%d/%m/%Y").handle_data(whole)
    assert [part["when"].unique().tolist() for part in parts_with_rows(result)] == [
        ["31/01/2020"],
        ["01/02/2020"],
        ["02/02/2020"],
    ]


def test_time_ordered_refuses_too_few_moments_and_gaps() -> None:
    whole = table(40).assign(when=["2020-01-01", "2020-01-02"] * 20)
    with pytest.raises(DataError) as caught:
        build_option("time_ordered").handle_data(whole)
    assert str(caught.value) == (
        "split.time is 'when', which has 2 different moments, but 3 parts need one each; "
        "name a finer column in dataset.time, or choose split=80_20."
    )
    with pytest.raises(DataError, match=r"^split.time is 'when', which is not a date in 20 of 40 rows, first 'soon'; "):
        build_option("time_ordered").handle_data(whole.assign(when=["2020-01-01", "soon"] * 20))


def test_row_without_a_group_is_a_unit() -> None:
    whole = table().assign(customer=np.nan)
    result = build_option("80_20", BY_GROUP).handle_data(whole)
    assert [len(part) for part in parts_with_rows(result)] == [256, 64, 80]
