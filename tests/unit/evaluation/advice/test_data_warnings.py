"""All warnings about a table."""

from __future__ import annotations

import pytest
from sklearn.datasets import load_diabetes, load_wine

from mlrunner.core.column_roles import Roles
from mlrunner.evaluation.advice.data_warnings import warn_of_data
from mlrunner.evaluation.advice.facts import TableFacts
from tests.support.advice import facts


def test_each_warning_can_be_silenced() -> None:
    table = facts(a="x", b=range(60))
    assert [notice.name for notice in warn_of_data(table)] == ["index_columns", "constant_columns"]
    assert [notice.name for notice in warn_of_data(table, ["index_columns"])] == ["constant_columns"]


@pytest.mark.parametrize(
    ("load", "task", "names"), [(load_diabetes, "regression", []), (load_wine, "classification", ["sorted_by_target"])]
)
def test_clean_tables_have_no_other_warnings(load: object, task: str, names: list[str]) -> None:
    table = TableFacts(load(as_frame=True).frame, Roles("target"), task)  # type: ignore[operator,arg-type]
    assert [notice.name for notice in warn_of_data(table)] == names
