"""Warning about a column that alone tells the target: it is often known only afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api import types

from mlrunner.core.warning_names import Notice
from mlrunner.evaluation.advice.facts import MIN_ROWS, TableFacts, list_names, write_ignore

Array = npt.NDArray[Any]
EXACT = 0.999  # share of the target that a column tells
ROWS_PER_VALUE = 5  # rows of a value on average, so that a value tells the target by more than chance


def warn_of_leaks(facts: TableFacts) -> Iterator[Notice]:
    """Name the columns that alone tell the target."""
    target = facts.target
    if target is None or facts.task is None:
        return
    known = target.notna().to_numpy()
    if known.sum() < MIN_ROWS or target.nunique() < 2:
        return
    if facts.task == "regression" and not types.is_numeric_dtype(target):
        return
    names = [name for name in facts.columns if _share_explained(facts, name, known) >= EXACT]
    if names:
        verb = "tells" if len(names) == 1 else "tell"
        yield Notice(
            "leaking_columns",
            f"{list_names(names)} alone {verb} {facts.roles.target}: if it is known only afterwards, "
            f"{write_ignore(names)}.",
        )


def _share_explained(facts: TableFacts, name: str, known: npt.NDArray[np.bool_]) -> float:
    """Return the share of the target that a column explains, by its values or as a straight line or thresholds."""
    assert facts.target is not None
    codes = facts.codes[name].to_numpy()[known]
    by_value = codes.max() >= 1 and facts.distinct[name] * ROWS_PER_VALUE <= len(codes)
    column = facts.columns[name]
    is_number = types.is_numeric_dtype(column) and not types.is_bool_dtype(column)
    if facts.task == "regression":
        target = facts.target.to_numpy(dtype=float, na_value=np.nan)[known]
        share = explained_variance(codes, target) if by_value else 0.0
        return max(share, _line(column.to_numpy(dtype=float, na_value=np.nan)[known], target) if is_number else 0.0)
    classes = pd.factorize(facts.target.to_numpy(dtype=object)[known])[0]
    share = purity(codes, classes) if by_value else 0.0
    return max(share, separation(column.to_numpy(dtype=float, na_value=np.nan)[known], classes) if is_number else 0.0)


def purity(codes: Array, classes: Array) -> float:
    """Return the share of rows whose class is the most frequent one among the rows of the same value; 0 if it is rare.

    Args:
        codes: Code of the value of each row.
        classes: Code of the class of each row.
    """
    table = pd.crosstab(codes, classes).to_numpy()
    right, base = table.max(axis=1).sum(), table.sum(axis=0).max()
    wrong, wrong_before = len(codes) - right, len(codes) - base
    return 1 - wrong / wrong_before if wrong_before else 0.0


def separation(values: Array, classes: Array) -> float:
    """Return 1 when thresholds on a number separate all classes, and otherwise 0."""
    if np.isnan(values).any():
        return 0.0
    frame = pd.DataFrame({"value": values, "class": classes}).groupby("class")["value"].agg(["min", "max"])
    ranges = frame.sort_values("min").to_numpy()
    return float((ranges[1:, 0] > ranges[:-1, 1]).all())


def explained_variance(codes: Array, target: Array) -> float:
    """Return the share of the variance of a target that lies between the values of a column."""
    total = float(np.var(target))
    means = pd.Series(target).groupby(codes).transform("mean").to_numpy()
    return 1 - float(np.mean((target - means) ** 2)) / total if total else 0.0


def _line(values: Array, target: Array) -> float:
    """Return the absolute correlation of a number and the target; 0 with gaps or a constant."""
    if np.isnan(values).any() or not np.ptp(values) or not np.ptp(target):
        return 0.0
    return float(abs(np.corrcoef(values, target)[0, 1]))
