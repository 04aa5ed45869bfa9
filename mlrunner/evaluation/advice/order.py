"""Warnings about rows that are in the order of the target or of time, and split at random."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd
from pandas.api.types import is_integer_dtype

from mlrunner.core.column_kinds import Kind, infer_kind
from mlrunner.core.date_parsing import parse_dates
from mlrunner.core.warning_names import Notice
from mlrunner.evaluation.advice.facts import MIN_ROWS, TableFacts, write_group, write_time

SAMPLE_ROWS = 2000  # rows whose dates are read from text
MIN_VALUES = 10  # distinct values; fewer are in order by chance, or classes


def warn_of_sorted_target(facts: TableFacts) -> Iterator[Notice]:
    """Tell that the rows are in the order of the target."""
    if facts.is_random and facts.target is not None and _is_sorted(facts.table[facts.roles.target]):
        yield Notice(
            "sorted_by_target",
            f"the rows are in the order of {facts.roles.target}: a split at random mixes them, but dataset.rows would "
            "read one end only.",
        )


def warn_of_sorted_time(facts: TableFacts) -> Iterator[Notice]:
    """Tell that the rows are in the order of a date, so that later rows help to predict earlier ones."""
    if not facts.is_random:
        return
    names = [name for name in (facts.roles.time, *facts.names) if name is not None and name in facts.table]
    name = next((name for name in names if _is_sorted_date(facts, name)), None)
    if name is not None:
        yield Notice(
            "sorted_by_time",
            f"the rows are in the order of {name}, and the split is at random: later rows help to predict earlier "
            f"ones; split=time_ordered {write_time(name)}.",
        )


def _is_sorted_date(facts: TableFacts, name: str) -> bool:
    """Check whether a column holds dates in order; text is read in some rows, which takes less time."""
    column = facts.table[name]
    if infer_kind(column) is Kind.MOMENT:
        return _is_sorted(column)
    if name not in facts.dates:
        return False
    sample = column.iloc[:: max(1, len(column) // SAMPLE_ROWS)]
    return _is_sorted(parse_dates(sample, facts.dates[name]))


def warn_of_sorted_number(facts: TableFacts) -> Iterator[Notice]:
    """Tell that the rows are in the order of a whole number that repeats: a day, a year, or the number of a group."""
    if not facts.is_random or next(warn_of_sorted_time(facts), None) is not None:
        return
    numbers = [name for name in facts.columns if is_integer_dtype(facts.table[name])]
    name = next((name for name in numbers if facts.distinct[name] >= MIN_VALUES and _repeats(facts, name)), None)
    if name is not None and name != facts.roles.group:
        yield Notice(
            "sorted_by_time",
            f"the rows are in the order of {name}, and the split is at random: if it counts time, split=time_ordered "
            f"{write_time(name)}; if it numbers groups of rows, split=grouped {write_group(name)}.",
        )


def _repeats(facts: TableFacts, name: str) -> bool:
    """Check whether a column is in order and has values in several rows; one without repeats numbers the rows."""
    column = facts.table[name]
    return _is_sorted(column) and not column.is_unique


def _is_sorted(column: pd.Series[Any]) -> bool:
    """Check whether a column is in order, either way, with several values; missing ones are left out."""
    known = column.dropna()
    if len(known) < MIN_ROWS or known.iloc[0] == known.iloc[-1]:
        return False
    try:
        return bool(known.is_monotonic_increasing or known.is_monotonic_decreasing)
    except TypeError:  # values of several types have no order
        return False
