"""Say what makes a table unfit to learn from, a sentence each; serves the config group `dataset`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_datetime64_any_dtype, is_float_dtype, is_numeric_dtype

from mlrunner.core.column_roles import MANY_CLASSES, Roles, Task, has_fractions
from mlrunner.core.errors import brief, nearest

MEMBERS = 5  # on average, of a class whose label is a float


def target_problems(table: pd.DataFrame, roles: Roles, task: Task) -> list[str]:
    """Say why the target cannot be learned.

    Args:
        table: The raw table.
        roles: Which column is the target.
        task: What is to be done with it.

    Returns:
        At most one sentence; none: it can.
    """
    if roles.target not in table:
        return [_absent("dataset.target", roles.target, table)]
    if table.empty:
        return []  # that there are no rows is a problem of the table
    told = f"dataset.target '{roles.target}'"
    target = table[roles.target]
    found = _nothing_to_learn(told, target) or _unfit(told, target.dropna(), task)
    return [found] if found else []


def table_problems(table: pd.DataFrame, roles: Roles) -> list[str]:
    """Say why the rows or the parts that the columns play make no data set.

    Args:
        table: The raw table.
        roles: Which column plays which part.

    Returns:
        A sentence for each problem; the target's own are told by `target_problems`.
    """
    rows = ["dataset has a header but no rows; name another source."] if table.empty else []
    return [*rows, *_roles_problems(table, roles), *_feature_problems(table, roles)]


def _absent(key: str, name: str, table: pd.DataFrame) -> str:
    return (
        f"{key} names '{name}', which is not a column; there are {brief(table.columns)}.{nearest(name, table.columns)}"
    )


def _nothing_to_learn(told: str, target: pd.Series) -> str | None:
    count = target.nunique()
    if count == 0:
        return f"{told} is missing in each of the {len(target):,} rows; name another column."
    if count == 1:
        value = target.dropna().iloc[0]
        return f"{told} has the single value {_example(value)}, so there is nothing to learn; name another column."
    return None


def _unfit(told: str, target: pd.Series, task: Task) -> str | None:
    numeric = is_numeric_dtype(target) or is_bool_dtype(target)
    if numeric and (infinite := int(np.isinf(target.to_numpy(dtype=float)).sum())):
        rows = ("1 row", "that row") if infinite == 1 else (f"{infinite:,} rows", "those rows")
        return f"{told} is infinite in {rows[0]}; mend or leave out {rows[1]}."
    if task == "regression":
        return None if numeric else _not_numbers(told, target)
    return _no_classes(told, target)


def _not_numbers(told: str, target: pd.Series) -> str:
    kind = "dates" if is_datetime64_any_dtype(target) else "text"
    return (
        f"dataset.task is regression, but {told} holds {kind} (such as {_example(target.iloc[0])}); "
        f"set dataset.task=classification or name a numeric column."
    )


def _no_classes(told: str, target: pd.Series) -> str | None:
    """Fractions are no class labels for scikit-learn; a value that hardly ever recurs is none for anyone.

    Floats must recur more often than the rest: the 214 whole values of diabetes' 442 rows are a quantity.
    """
    distinct = target.nunique()
    if has_fractions(target):
        fraction = target[target % 1 != 0].iloc[0]
        kind = f"is continuous ({distinct:,} different values, such as {_example(fraction)})"
    elif distinct > MANY_CLASSES and len(target) < distinct * (MEMBERS if is_float_dtype(target) else 2):
        kind = f"has {distinct:,} different values in {len(target):,} rows, too many for classes"
    else:
        return None
    other = "set dataset.task=regression or " if is_numeric_dtype(target) else ""
    return f"dataset.task is classification, but {told} {kind}; {other}name another column."


def _example(value: object) -> str:
    plain = value.item() if isinstance(value, np.generic) else value
    text = repr(plain) if isinstance(plain, str | int | float) else f"'{plain}'"
    return text if len(text) <= 40 else f"{text[:36]}...'"


def _roles_problems(table: pd.DataFrame, roles: Roles) -> Iterator[str]:
    for key, name in (("dataset.group", roles.group), ("dataset.time", roles.time)):
        if name is not None and name not in table:
            yield _absent(key, name, table)
        elif name is not None and name == roles.target:
            yield f"{key} names '{name}', which is the target; name another column or null."
    for name in roles.ignore:
        if name not in table:
            yield _absent("dataset.ignore", name, table)
    if roles.target in roles.ignore:
        yield f"dataset.ignore lists '{roles.target}', which is the target; take it out of the list."


def _feature_problems(table: pd.DataFrame, roles: Roles) -> Iterator[str]:
    away = {roles.target, roles.group, roles.time, *roles.ignore}
    features = [name for name in table.columns if name not in away]
    if not features:
        names = brief(table.columns)
        yield f"dataset leaves no column to learn from: of {names}, each is ignored or the target, group or time."
    infinite = [f"{name} ({count:,})" for name, count in _infinite(table[features]) if count]
    if infinite:
        yield (
            f"dataset has infinite values in {brief(infinite)} (rows); mend them or list the columns in dataset.ignore."
        )


def _infinite(features: pd.DataFrame) -> Iterator[tuple[str, int]]:
    for name in features.columns:
        if is_float_dtype(features[name]):
            yield name, int(np.isinf(features[name].to_numpy(dtype=float, na_value=np.nan)).sum())
