"""What the warnings look at."""

from __future__ import annotations

import pandas as pd
import pytest

from mlrunner.core.column_roles import Roles
from mlrunner.evaluation.advice.facts import TableFacts, list_names, write_ignore, write_time
from tests.support.advice import facts


def test_features_are_the_columns_without_another_role() -> None:
    table = facts(roles=Roles("y", ("a",), "b", "c"), a=1, b=2, c=3, d=[["list"]] * 60, e="x")
    assert table.names == ["d", "e"]
    assert list(table.columns) == ["e"]
    assert table.distinct == {"e": 1}


def test_a_large_table_is_sampled_evenly() -> None:
    table = TableFacts(pd.DataFrame({"y": range(12_000)}), Roles("y"), "regression")
    assert table.sample["y"].tolist() == list(range(0, 12_000, 3))


def test_a_gap_has_no_code() -> None:
    table = facts(a=[None, "x", "y"] * 20)
    assert table.codes["a"].tolist()[:4] == [-1, 0, 1, -1]
    assert table.distinct == {"a": 2}


@pytest.mark.parametrize(
    ("names", "written"),
    [
        (["a", "b_2"], "dataset.ignore=[a,b_2]"),
        (["2024"], "dataset.ignore=[2024]"),
        (["Unnamed: 0"], "\"dataset.ignore=['Unnamed: 0']\""),
        (["größe"], "\"dataset.ignore=['größe']\""),
    ],
)
def test_names_are_written_as_they_are_typed(names: list[str], written: str) -> None:
    assert write_ignore(names) == written


def test_the_column_of_time_is_written_as_it_is_typed() -> None:
    assert [write_time("day"), write_time("pick up")] == ["dataset.time=day", "\"dataset.time='pick up'\""]


def test_many_names_are_shortened() -> None:
    assert list_names(["a", "b", "c", "d", "e", "f"]) == "a, b, c, d and 2 more"
