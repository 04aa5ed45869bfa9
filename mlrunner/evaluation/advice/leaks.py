"""Warnings about columns that tell the target, alone or by their sum: they are often known only afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlrunner.core.column_kinds import Kind, infer_kind
from mlrunner.core.warning_names import Notice
from mlrunner.evaluation.advice.facts import MIN_ROWS, TableFacts, list_names, write_ignore

Array = npt.NDArray[Any]
EXACT = 0.999  # share of the target that a column tells
MAX_TERMS = 50  # numeric columns of which a sum is looked for; more would take long
SUM_ROWS = 1_000  # rows on which the sum is looked for; an exact one holds in all
ROUNDING = 1e-6  # of the target's standard deviation; what a sum of decimals may be off by
ROWS_PER_VALUE = 5  # rows of a value on average, so that a value tells the target by more than chance


def find_leaks(facts: TableFacts) -> list[str]:
    """Find the columns that alone tell the target."""
    target = facts.target
    if target is None or facts.task is None:
        return []
    known = target.notna().to_numpy()
    if known.sum() < MIN_ROWS or target.nunique() < 2:
        return []
    if facts.task == "regression" and not infer_kind(target).is_numeric:
        return []
    return [name for name in facts.columns if _share_explained(facts, name, known) >= EXACT]


def warn_of_leaks(facts: TableFacts) -> Iterator[Notice]:
    """Name the columns that alone tell the target."""
    if names := find_leaks(facts):
        verb = "tells" if len(names) == 1 else "tell"
        yield Notice(
            "leaking_columns",
            f"{list_names(names)} alone {verb} {facts.roles.target}: if it is known only afterwards, "
            f"{write_ignore(names)}.",
        )


def find_sum(facts: TableFacts) -> list[str]:
    """Find the numeric columns of which the target is an exact sum of multiples, such as a total of its parts."""
    if facts.task != "regression" or facts.target is None or not infer_kind(facts.target).is_numeric:
        return []
    known = np.flatnonzero(facts.target.notna())
    known = known[:: max(1, len(known) // SUM_ROWS)]
    target = facts.target.to_numpy(dtype=float, na_value=np.nan)[known]
    numbers = {name: column.to_numpy(dtype=float, na_value=np.nan)[known] for name, column in _list_numbers(facts)}
    terms = {name: values for name, values in numbers.items() if np.isfinite(values).all() and np.ptp(values)}
    if len(target) >= MIN_ROWS + 2 * len(terms) and 2 <= len(terms) <= MAX_TERMS and np.ptp(target):
        names = find_terms(terms, target)
        return names if len(names) > 1 else []
    return []


def warn_of_sums(facts: TableFacts) -> Iterator[Notice]:
    """Name the columns of which the target is an exact sum."""
    if names := find_sum(facts):
        yield Notice(
            "leaking_columns",
            f"{list_names(names)} together give {facts.roles.target} exactly, as a sum of multiples: if one is "
            f"known only afterwards, {write_ignore(names[:1])}.",
        )


def _list_numbers(facts: TableFacts) -> list[tuple[str, pd.Series[Any]]]:
    return [(name, column) for name, column in facts.columns.items() if infer_kind(column) is Kind.NUMBER]


def find_terms(terms: dict[str, Array], target: Array) -> list[str]:
    """Find the columns of which a target is an exact sum of multiples and a constant; none when it is no such sum.

    Args:
        terms: Numbers of each column, without gaps and constants.
        target: Target of the same rows, not constant.
    """
    scaled = np.column_stack([(values - values.mean()) / values.std() for values in terms.values()])
    standardized = (target - target.mean()) / target.std()
    weights = np.linalg.lstsq(scaled, standardized, rcond=None)[0]
    if np.abs(scaled @ weights - standardized).max() > ROUNDING:
        return []
    return [name for name, weight in zip(terms, weights, strict=True) if abs(weight) > ROUNDING]


def _share_explained(facts: TableFacts, name: str, known: npt.NDArray[np.bool_]) -> float:
    """Return the share of the target that a column explains, by its values, by its order or by thresholds."""
    assert facts.target is not None
    codes = facts.codes[name].to_numpy()[known]
    by_value = codes.max() >= 1 and facts.distinct[name] * ROWS_PER_VALUE <= len(codes)
    column = facts.columns[name]
    is_number = infer_kind(column) is Kind.NUMBER
    if facts.task == "regression":
        target = facts.target.to_numpy(dtype=float, na_value=np.nan)[known]
        share = explained_variance(codes, target) if by_value else 0.0
        return max(
            share, _rank_correlation(column.to_numpy(dtype=float, na_value=np.nan)[known], target) if is_number else 0.0
        )
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


def _rank_correlation(values: Array, target: Array) -> float:
    """Return the larger absolute correlation, of values or of ranks; 0 with gaps or a constant."""
    if np.isnan(values).any() or not np.ptp(values) or not np.ptp(target):
        return 0.0
    pairs = (values, target), (pd.Series(values).rank(), pd.Series(target).rank())
    return max(float(abs(np.corrcoef(*pair)[0, 1])) for pair in pairs)
