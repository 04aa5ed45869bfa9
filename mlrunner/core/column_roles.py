"""Which column plays which part, and which task its values ask for; serves the config group `dataset`."""

from __future__ import annotations

import dataclasses
from typing import Literal

import pandas as pd
from pandas.api.types import is_bool_dtype, is_datetime64_any_dtype, is_float_dtype, is_numeric_dtype

Task = Literal["regression", "classification"]
MANY_CLASSES = 20
REPEATS = 10  # whole numbers are classes only when each comes back this often on average


@dataclasses.dataclass(frozen=True)
class Roles:
    """Say which column plays which part; every other column is a feature.

    Args:
        target: What is to be predicted.
        ignore: Never features, whatever the cleaning does.
        group: Rows that share its value stay on one side of a split.
        time: What orders the rows.
    """

    target: str
    ignore: tuple[str, ...] = ()
    group: str | None = None
    time: str | None = None


def infer_task(target: pd.Series) -> Task:
    """Tell the task from the target's values.

    Text, booleans and categories are classes, fractions are numbers; whole numbers are classes when there are
    few of them and each comes back often.

    Args:
        target: May have gaps.
    """
    values = target.dropna()
    if is_datetime64_any_dtype(values):
        return "regression"
    if is_bool_dtype(values) or not is_numeric_dtype(values):
        return "classification"
    distinct = values.nunique()
    few = distinct <= MANY_CLASSES and len(values) >= REPEATS * distinct
    return "classification" if few and not has_fractions(values) else "regression"


def has_fractions(numbers: pd.Series) -> bool:
    """Tell whether any number is not whole."""
    return is_float_dtype(numbers) and bool((numbers % 1 != 0).any())
