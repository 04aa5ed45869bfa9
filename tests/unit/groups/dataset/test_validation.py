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


SINGLE = "so there is nothing to learn; name another column."
CONTINUOUS = "continuous (1,501 different values, such as 0.25); set dataset.task=regression or name another column."
MANY = "30 different values in 30 rows, too many for classes;"
NO_NUMBERS = "set dataset.task=classification or name a numeric column."
COLUMNS = "column_0, column_1, column_2, column_3, column_4, column_5, column_6, column_7 and 992 more."
R, C = "regression", "classification"
DATES = pd.to_datetime(["2018-01-31", "2018-02-01"])
TARGETS: list[tuple[Any, Any, str]] = [
    ([None] * 1200, R, "'score' is missing in each of the 1,200 rows; name another column."),
    (["good", None, "good"], C, f"'score' has the single value 'good', {SINGLE}"),
    ([3, 3, 3], R, f"'score' has the single value 3, {SINGLE}"),
    ([1.5, np.inf, -np.inf, np.nan], R, "'score' is infinite in 2 rows; correct or leave out those rows."),
    ([0.0, *np.arange(1500) / 4 + 0.25], C, f"'score' is {CONTINUOUS}"),
    ([f"id{n}" for n in range(30)], C, f"'score' has {MANY} name another column."),
    (range(30), C, f"'score' has {MANY} set dataset.task=regression or name another column."),
    ([None, "good", "x" * 99], R, f"'score' holds text (such as 'good'); {NO_NUMBERS}"),
    (["x" * 99, "y"], R, f"'score' holds text (such as '{'x' * 35}...'); {NO_NUMBERS}"),
    (DATES, R, f"'score' holds dates (such as '2018-01-31 00:00:00'); {NO_NUMBERS}"),
]


@pytest.mark.parametrize(("values", "task", "expected"), TARGETS)
def test_unsuitable_target_is_explained(values: Any, task: Any, expected: str) -> None:
    (problem,) = target_problems(pd.DataFrame({"score": values}), Roles("score"), task)
    assert problem.removeprefix(f"dataset.task is {task}, but ") == f"dataset.target {expected}"


@pytest.mark.parametrize(
    ("table", "columns"),
    [(TABLE.assign(review_score=1), "a, b, y, review_score. Did you mean 'review_score'?"), (WIDE, COLUMNS)],
    ids=["near", "many"],
)
def test_absent_target_is_explained(table: pd.DataFrame, columns: str) -> None:
    expected = f"dataset.target names 'revew_score', which is not a column; there are {columns}"
    assert target_problems(table, Roles("revew_score"), "regression") == [expected]


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
        ["dataset leaves no column to learn from: of y, each is ignored or the target, group, time or weight; "
         "name another source."],
    ),
    "all ignored": (
        TABLE, Roles("y", ("a",), "b"),
        ["dataset leaves no column to learn from: of a, b, y, each is ignored or the target, group, time or weight; "
         "list fewer in dataset.ignore."],
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


def test_lists_have_no_role() -> None:
    table = pd.DataFrame({"x": [1.0, 2.0], "tags": [["a"], []], "y": [1.0, 2.0]})
    assert target_problems(table, Roles("tags"), "classification") == [
        "dataset.target 'tags' holds lists, bytes or other objects, which cannot be predicted; name another column."
    ]
    for key, roles in (("dataset.group", Roles("y", group="tags")), ("dataset.time", Roles("y", time="tags"))):
        assert f"{key} names 'tags', which holds lists, bytes or other objects; name another column or null." in (
            table_problems(table, roles)
        )
    assert table_problems(table, Roles("y", ignore=("tags",))) == []


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 0.5, 0], None),
        ([1, -1, None], "is missing in 1 and negative in 1 of 3 rows; correct them, or name another column or null."),
        ([0, 0, 0], "is 0 in every row; name another column or null."),
        (["a", "b", "c"], "holds no numbers; name another column or null."),
    ],
)
def test_weights_are_numbers_from_zero(values: list[Any], expected: str | None) -> None:
    table = pd.DataFrame({"x": [1, 2, 3], "y": [1.0, 2, 4], "w": values})
    problems = table_problems(table, Roles("y", weight="w"))
    assert problems == ([] if expected is None else [f"dataset.weight names 'w', which {expected}"])


def test_numbers_with_a_decimal_comma_are_recognized() -> None:
    texts = [f"1.{number},5" for number in range(100, 140)]
    table = pd.DataFrame({"x": range(40), "y": texts})
    hint = "They look like numbers with a decimal comma; set \"dataset.options.decimal=','\" "
    for task in ("regression", "classification"):
        [sentence] = target_problems(table, Roles("y"), task)
        assert sentence.endswith(f"{hint}\"dataset.options.thousands='.'\".")
    for others in ([f"id {n}" for n in range(40)], [str(n) for n in range(40)]):
        [sentence] = target_problems(table.assign(y=others), Roles("y"), "regression")
        assert "decimal" not in sentence
