"""The roles of the columns, and the task that the target's values suggest."""

from __future__ import annotations

import dataclasses
from typing import Literal

import pandas as pd
from pandas.api.types import is_float_dtype

from mlrunner.core.column_kinds import Kind, infer_kind

Task = Literal["regression", "classification"]
MANY_CLASSES = 20
REPEATS = 10  # integers are classes only when each occurs this often on average


@dataclasses.dataclass(frozen=True)
class Roles:
    """Roles of the columns; every other column is a feature.

    Args:
        target: Column to predict.
        ignore: Columns that are never features.
        group: Column whose rows with equal values stay in one part of a split.
        time: Column that orders the rows.
        weight: Column with the weight of each row, in the fit and in the metrics.
    """

    target: str
    ignore: tuple[str, ...] = ()
    group: str | None = None
    time: str | None = None
    weight: str | None = None


def infer_task(target: pd.Series) -> Task:
    """Infer the task from the target's values.

    Text, booleans and categories mean classification; dates and fractions mean regression. Integers mean
    classification when there are at most `MANY_CLASSES` of them, each `REPEATS` times on average.

    Args:
        target: Target column; missing values are ignored.
    """
    values = target.dropna()
    kind = infer_kind(values)
    if kind is not Kind.NUMBER:
        return "regression" if kind is Kind.MOMENT else "classification"
    distinct = values.nunique()
    has_few = distinct <= MANY_CLASSES and len(values) >= REPEATS * distinct
    return "classification" if has_few and not has_fractions(values) else "regression"


def has_fractions(numbers: pd.Series) -> bool:
    """Check whether any number is not an integer."""
    return is_float_dtype(numbers) and bool((numbers % 1 != 0).any())
