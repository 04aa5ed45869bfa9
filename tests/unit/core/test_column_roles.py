"""Inference of the task from the target."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from mlrunner.core.column_roles import infer_task

TASKS: dict[str, tuple[list[Any], str]] = {
    "text": (["a", "b"], "classification"),
    "text with gaps": (["a", None, "b"], "classification"),
    "booleans": ([True, False], "classification"),
    "fractions": ([0.5, 1.0, 1.0] * 100, "regression"),
    "few whole numbers that recur": ([1, 2, 3] * 10, "classification"),
    "the same with gaps": ([1, 2, 3] * 10 + [None], "classification"),
    "whole numbers that do not recur": ([1, 2, 3] * 9, "regression"),
    "twenty classes": (list(range(20)) * 10, "classification"),
    "many whole numbers": (list(range(21)) * 10, "regression"),
    "infinite": ([1.0, float("inf")] * 50, "regression"),
    "nothing": ([None, None], "classification"),
}


@pytest.mark.parametrize("case", TASKS)
def test_the_task_is_inferred(case: str) -> None:
    values, task = TASKS[case]
    assert infer_task(pd.Series(values)) == task


@pytest.mark.parametrize(("kind", "task"), [("category", "classification"), ("datetime64[ns]", "regression")])
def test_the_task_of_other_types(kind: str, task: str) -> None:
    assert infer_task(pd.Series([1, 2] * 50).astype(kind)) == task
