"""Check that a table is suitable for training, for the config group `dataset`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from pandas.api.types import is_float_dtype

from mlrunner.core.column_kinds import Kind, infer_kind
from mlrunner.core.column_roles import MANY_CLASSES, Roles, Task, has_fractions
from mlrunner.core.errors import brief, nearest

UNSET_TARGET = "dataset.target is not set; name the column to predict, e.g. dataset.target=price."
UNSET_PATH = "dataset.path is not set; name a file, a glob or a URL, e.g. dataset.path=data/table.csv."
UNSET_URL = "dataset.url is not set; give a SQLAlchemy URL, e.g. dataset.url=sqlite:///file.db."
UNSET_QUERY = "dataset.query is not set; give a SELECT, e.g. \"dataset.query='select * from orders'\"."
EUROPEAN_NUMBER = r"[+-]?(\d{1,3}(\.\d{3})+|\d+)(,\d+)?"
HINT_ROWS, HINT_SHARE = 200, 0.9  # rows that are looked at, and the share that must be such numbers
MIN_ROWS_PER_FLOAT = 5  # average rows of a class whose label is a float


def target_problems(table: pd.DataFrame, roles: Roles, task: Task) -> list[str]:
    """Return at most one sentence that says why the target cannot be learned."""
    if roles.target not in table:
        return [_missing_column("dataset.target", roles.target, table)]
    if table.empty:
        return []  # `table_problems` reports a table without rows
    subject = f"dataset.target '{roles.target}'"
    target = table[roles.target]
    if infer_kind(target) is Kind.UNSUPPORTED:
        return [f"{subject} holds {Kind.UNSUPPORTED.plural}, which cannot be predicted; name another column."]
    problem = _constant_target(subject, target) or _unsuitable_values(subject, target.dropna(), task)
    return [problem] if problem else []


def table_problems(table: pd.DataFrame, roles: Roles) -> list[str]:
    """Return one sentence for each problem of the rows and of the columns other than the target."""
    rows = ["dataset has a header but no rows; name another source."] if table.empty else []
    return [*rows, *_roles_problems(table, roles), *_feature_problems(table, roles)]


def _missing_column(key: str, name: str, table: pd.DataFrame) -> str:
    return (
        f"{key} names '{name}', which is not a column; there are {brief(table.columns)}.{nearest(name, table.columns)}"
    )


def _constant_target(subject: str, target: pd.Series) -> str | None:
    count = target.nunique()
    if count == 0:
        return f"{subject} is missing in each of the {len(target):,} rows; name another column."
    if count == 1:
        value = target.dropna().iloc[0]
        return f"{subject} has the single value {_example(value)}, so there is nothing to learn; name another column."
    return None


def _unsuitable_values(subject: str, target: pd.Series, task: Task) -> str | None:
    numeric = infer_kind(target).is_numeric
    if numeric and (infinite := int(np.isinf(target.to_numpy(dtype=float)).sum())):
        rows = ("1 row", "that row") if infinite == 1 else (f"{infinite:,} rows", "those rows")
        return f"{subject} is infinite in {rows[0]}; correct or leave out {rows[1]}."
    if task == "regression":
        return None if numeric else _not_numbers(subject, target)
    return _not_classes(subject, target)


def _not_numbers(subject: str, target: pd.Series) -> str:
    kind = "dates" if infer_kind(target) is Kind.MOMENT else "text"
    return (
        f"dataset.task is regression, but {subject} holds {kind} (such as {_example(target.iloc[0])}); "
        f"set dataset.task=classification or name a numeric column.{_decimal_hint(target)}"
    )


def _decimal_hint(target: pd.Series) -> str:
    """Return a sentence for texts that are numbers with a decimal comma; empty for any others."""
    texts = target.iloc[:HINT_ROWS].astype(str).str.strip()
    is_european = infer_kind(target) is Kind.TEXT and texts.str.contains(",", regex=False).any()
    if not is_european or texts.str.fullmatch(EUROPEAN_NUMBER).mean() < HINT_SHARE:
        return ""
    dots = " \"dataset.options.thousands='.'\"" if texts.str.contains(".", regex=False).any() else ""
    return f" They look like numbers with a decimal comma; set \"dataset.options.decimal=','\"{dots}."


def _not_classes(subject: str, target: pd.Series) -> str | None:
    """Return a sentence for a target with fractions, which scikit-learn refuses as classes, or with rare values.

    Floats must repeat more often than other values: the 214 whole values in the 442 rows of diabetes are a quantity.
    """
    distinct = target.nunique()
    if has_fractions(target):
        fraction = target[target % 1 != 0].iloc[0]
        kind = f"is continuous ({distinct:,} different values, such as {_example(fraction)})"
    elif distinct > MANY_CLASSES and len(target) < distinct * (MIN_ROWS_PER_FLOAT if is_float_dtype(target) else 2):
        kind = f"has {distinct:,} different values in {len(target):,} rows, too many for classes"
    else:
        return None
    hint = "set dataset.task=regression or " if infer_kind(target).is_numeric else ""
    return f"dataset.task is classification, but {subject} {kind}; {hint}name another column.{_decimal_hint(target)}"


def _example(value: object) -> str:
    plain = value.item() if isinstance(value, np.generic) else value
    text = repr(plain) if isinstance(plain, str | int | float) else f"'{plain}'"
    return text if len(text) <= 40 else f"{text[:36]}...'"


def _roles_problems(table: pd.DataFrame, roles: Roles) -> Iterator[str]:
    for key, name in (("dataset.group", roles.group), ("dataset.time", roles.time), ("dataset.weight", roles.weight)):
        if name is not None and name not in table:
            yield _missing_column(key, name, table)
        elif name is not None and name == roles.target:
            yield f"{key} names '{name}', which is the target; name another column or null."
        elif name is not None and infer_kind(table[name]) is Kind.UNSUPPORTED:
            yield f"{key} names '{name}', which holds {Kind.UNSUPPORTED.plural}; name another column or null."
    for name in roles.ignore:
        if name not in table:
            yield _missing_column("dataset.ignore", name, table)
    if roles.weight in table and roles.weight != roles.target:
        yield from _weight_problems(table[roles.weight])
    if roles.target in roles.ignore:
        yield f"dataset.ignore lists '{roles.target}', which is the target; take it out of the list."


def _weight_problems(weight: pd.Series) -> Iterator[str]:
    subject = f"dataset.weight names '{weight.name}', which"
    if infer_kind(weight) is not Kind.NUMBER:
        yield f"{subject} holds no numbers; name another column or null."
        return
    values = weight.to_numpy(dtype=float, na_value=np.nan)
    counts = {"missing": np.isnan(values), "negative": values < 0, "infinite": np.isposinf(values)}
    wrong = [f"{name} in {int(mask.sum()):,}" for name, mask in counts.items() if mask.any()]
    if wrong:
        count = f"{' and '.join(wrong)} of {len(values):,} rows"
        yield f"{subject} is {count}; correct them, or name another column or null."
    elif len(values) and not values.any():
        yield f"{subject} is 0 in every row; name another column or null."


def _feature_problems(table: pd.DataFrame, roles: Roles) -> Iterator[str]:
    excluded = {roles.target, roles.group, roles.time, roles.weight, *roles.ignore}
    features = [name for name in table.columns if name not in excluded]
    if not features:
        subject = f"dataset leaves no column to learn from: of {brief(table.columns)}"
        remedy = "list fewer in dataset.ignore" if roles.ignore else "name another source"
        yield f"{subject}, each is ignored or the target, group, time or weight; {remedy}."
    infinite = [f"{name} ({count:,})" for name, count in _count_infinite(table[features]) if count]
    if infinite:
        yield (
            f"dataset has infinite values in {brief(infinite)} (rows); correct them or list the columns in "
            "dataset.ignore."
        )


def _count_infinite(features: pd.DataFrame) -> Iterator[tuple[str, int]]:
    for name in features.columns:
        if is_float_dtype(features[name]):
            yield name, int(np.isinf(features[name].to_numpy(dtype=float, na_value=np.nan)).sum())
