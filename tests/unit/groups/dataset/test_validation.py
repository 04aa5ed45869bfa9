"""Messages for targets and tables that are unsuitable for training."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlrunner.core.column_roles import Roles, infer_task
from mlrunner.groups.dataset.validation import table_problems, target_problems
from tests.support.datasets import TABLE

WIDE = pd.DataFrame(np.zeros((2, 1000)), columns=[f"column_{n}" for n in range(1000)])


TARGETS: dict[str, tuple[pd.DataFrame, Any, str]] = {
    "absent": (
        TABLE.assign(review_score=1), "regression",
        "dataset.target names 'revew_score', which is not a column; there are a, b, y, review_score. Did you mean "
        "'review_score'?",
    ),
    "absent of many": (
        WIDE, "regression",
        "dataset.target names 'revew_score', which is not a column; there are column_0, column_1, column_2, column_3, "
        "column_4, column_5, column_6, column_7 and 992 more.",
    ),
    "all missing": (
        pd.DataFrame({"revew_score": [None] * 1200}), "regression",
        "dataset.target 'revew_score' is missing in each of the 1,200 rows; name another column.",
    ),
    "one class": (
        pd.DataFrame({"revew_score": ["good", None, "good"]}), "classification",
        "dataset.target 'revew_score' has the single value 'good', so there is nothing to learn; name another column.",
    ),
    "one number": (
        pd.DataFrame({"revew_score": [3, 3, 3]}), "regression",
        "dataset.target 'revew_score' has the single value 3, so there is nothing to learn; name another column.",
    ),
    "infinite": (
        pd.DataFrame({"revew_score": [1.5, np.inf, -np.inf, np.nan]}), "regression",
        "dataset.target 'revew_score' is infinite in 2 rows; correct or leave out those rows.",
    ),
    "continuous classes": (
        pd.DataFrame({"revew_score": [0.0, *np.arange(1500) / 4 + 0.25]}), "classification",
        "dataset.task is classification, but dataset.target 'revew_score' is continuous (1,501 different values, such "
        "as 0.25); set dataset.task=regression or name another column.",
    ),
    "ids as classes": (
        pd.DataFrame({"revew_score": [f"id{n}" for n in range(30)]}), "classification",
        "dataset.task is classification, but dataset.target 'revew_score' has 30 different values in 30 rows, too many "
        "for classes; name another column.",
    ),
    "counts as classes": (
        pd.DataFrame({"revew_score": range(30)}), "classification",
        "dataset.task is classification, but dataset.target 'revew_score' has 30 different values in 30 rows, too many "
        "for classes; set dataset.task=regression or name another column.",
    ),
    "text as numbers": (
        pd.DataFrame({"revew_score": [None, "good", "x" * 99]}), "regression",
        "dataset.task is regression, but dataset.target 'revew_score' holds text (such as 'good'); set "
        "dataset.task=classification or name a numeric column.",
    ),
    "long text as numbers": (
        pd.DataFrame({"revew_score": ["x" * 99, "y"]}), "regression",
        f"dataset.task is regression, but dataset.target 'revew_score' holds text (such as '{'x' * 35}...'); set "
        "dataset.task=classification or name a numeric column.",
    ),
    "dates as numbers": (
        pd.DataFrame({"revew_score": pd.to_datetime(["2018-01-31", "2018-02-01"])}), "regression",
        "dataset.task is regression, but dataset.target 'revew_score' holds dates (such as '2018-01-31 00:00:00'); set "
        "dataset.task=classification or name a numeric column.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", TARGETS)
def test_unsuitable_target_is_explained(case: str) -> None:
    table, task, expected = TARGETS[case]
    assert target_problems(table, Roles("revew_score"), task) == [expected]


@pytest.mark.parametrize(
    ("values", "task"),
    [
        ([1, 2, None], "classification"),
        (["a", "b"], "classification"),
        ([True, False], "regression"),
        ([1, 2, 3], "regression"),
        ([0.5, np.nan, 1.5], "regression"),
        (list(range(25)) * 2, "classification"),
        ([], "regression"),
    ],
)
def test_suitable_target_has_no_problem(values: list[Any], task: Any) -> None:
    assert target_problems(pd.DataFrame({"y": values, "a": values}), Roles("y"), task) == []


@pytest.mark.parametrize("kind", ["Int64", "Float64", "boolean", "category", "int64[pyarrow]"])
def test_nullable_dtypes_are_supported(kind: str) -> None:
    table = pd.DataFrame({"y": pd.Series([0, 1, 0, None], dtype="Int64").astype(kind), "a": [1, 2, 3, 4]})
    assert target_problems(table, Roles("y"), "classification") == []
    assert table_problems(table[["a", "y"]], Roles("a")) == []
    assert infer_task(table["y"]) == ("classification" if kind in ("boolean", "category") else "regression")


TABLES: dict[str, tuple[pd.DataFrame, Roles, list[str]]] = {
    "no rows": (TABLE.head(0), Roles("y"), ["dataset has a header but no rows; name another source."]),
    "only the target": (
        TABLE[["y"]], Roles("y"),
        ["dataset leaves no column to learn from: of y, each is ignored or the target, group or time."],
    ),
    "all ignored": (
        TABLE, Roles("y", ("a",), "b"),
        ["dataset leaves no column to learn from: of a, b, y, each is ignored or the target, group or time."],
    ),
    "infinite": (
        pd.DataFrame({"price": [np.inf, 1.0], "tax": [-np.inf, np.inf], "skip": [np.inf, 0], "y": [1, 2]}),
        Roles("y", ("skip",)),
        ["dataset has infinite values in price (1), tax (2) (rows); correct them or list the columns in "
         "dataset.ignore."],
    ),
    "group absent": (
        TABLE.assign(order_id=1), Roles("y", group="order_ib"),
        [
            "dataset.group names 'order_ib', which is not a column; there are a, b, y, order_id. Did you mean "
            "'order_id'?",
        ],
    ),
    "time absent": (
        TABLE, Roles("y", time="when"), ["dataset.time names 'when', which is not a column; there are a, b, y."],
    ),
    "ignore absent": (
        TABLE.assign(zip=1), Roles("y", ("zap", "q")),
        [
            "dataset.ignore names 'zap', which is not a column; there are a, b, y, zip. Did you mean 'zip'?",
            "dataset.ignore names 'q', which is not a column; there are a, b, y, zip.",
        ],
    ),
    "target as group and ignored": (
        TABLE, Roles("y", ("y",), group="y"),
        [
            "dataset.group names 'y', which is the target; name another column or null.",
            "dataset.ignore lists 'y', which is the target; take it out of the list.",
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", TABLES)
def test_unsuitable_table_is_explained(case: str) -> None:
    table, roles, expected = TABLES[case]
    assert table_problems(table, roles) == expected


def test_a_thousand_infinite_columns_make_a_short_message() -> None:
    (message,) = table_problems(WIDE.replace(0.0, np.inf).assign(y=[1, 2]), Roles("y"))
    assert message.startswith("dataset has infinite values in column_0 (2), column_1 (2), ")
    assert "column_7 (2) and 992 more (rows); " in message
