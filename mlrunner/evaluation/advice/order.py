"""Warnings about rows that are in the order of the target or of time, and split at random."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd
from pandas.api import types

from mlrunner.core.warning_names import Notice
from mlrunner.evaluation.advice.facts import MIN_ROWS, TableFacts, write_time


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
    dates = [name for name in names if types.is_datetime64_any_dtype(facts.table[name])]
    name = next((name for name in dates if _is_sorted(facts.table[name])), None)
    if name is not None:
        yield Notice(
            "sorted_by_time",
            f"the rows are in the order of {name}, and the split is at random: later rows help to predict earlier "
            f"ones; split=time_ordered {write_time(name)}.",
        )


def _is_sorted(column: pd.Series[Any]) -> bool:
    """Check whether a column is in order, either way, with several values; missing ones are left out."""
    known = column.dropna()
    if len(known) < MIN_ROWS or known.iloc[0] == known.iloc[-1]:
        return False
    try:
        return bool(known.is_monotonic_increasing or known.is_monotonic_decreasing)
    except TypeError:  # values of several types have no order
        return False
