"""Warn about two date columns whose difference is the target, such as the days until an event."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from typing import Any

import numpy as np
import numpy.typing as npt

from mlrunner.core.column_kinds import infer_kind
from mlrunner.core.date_parsing import parse_dates
from mlrunner.core.warning_names import Notice
from mlrunner.evaluation.advice.facts import MIN_ROWS, TableFacts, write_ignore

Array = npt.NDArray[Any]
DAY = 86_400.0
UNITS = {"days": DAY, "hours": 3_600.0, "minutes": 60.0, "seconds": 1.0, "weeks": 7 * DAY}  # in seconds
UNITS |= {"months": 365.2425 / 12 * DAY, "years": 365.2425 * DAY}
MAX_DATES = 20  # date columns of which pairs are compared; more would take long
TOLERANCE = 1.05  # units: for whole units, for counts that include both days, and for months of different lengths
MIN_SPREAD = 3.0  # standard deviation of the target in units, so that few differences are as near to it by chance
EXACT = 0.999  # share of the rows


def warn_of_durations(facts: TableFacts) -> Iterator[Notice]:
    """Name two date columns between which the target is the time, in whole or other units."""
    if facts.task != "regression" or facts.target is None or len(facts.dates) < 2:
        return
    if not infer_kind(facts.target).is_numeric:
        return
    target = facts.target.to_numpy(dtype=float, na_value=np.nan)
    formats = list(facts.dates.items())[:MAX_DATES]
    dates = {name: parse_dates(facts.sample[name], date_format) for name, date_format in formats}
    for start, end in permutations(dates, 2):
        unit = find_unit((dates[end] - dates[start]).dt.total_seconds().to_numpy(), target)
        if unit is not None:
            yield Notice(
                "leaking_columns",
                f"{start} and {end} together give {facts.roles.target}, as the {unit} between them: if {end} is known "
                f"only afterwards, {write_ignore([end])}.",
            )
            return


def find_unit(seconds: Array, target: Array) -> str | None:
    """Find the unit in which a target is a duration, up to a unit; None when it is not.

    Args:
        seconds: Durations, shape (n_rows,); NaN where one of the dates is missing.
        target: Target of the same rows.
    """
    known = np.isfinite(seconds) & np.isfinite(target)
    if known.sum() < MIN_ROWS or target[known].std() < MIN_SPREAD:
        return None
    for name, length in UNITS.items():
        is_near = np.abs(seconds[known] / length - target[known]) <= TOLERANCE
        if is_near.mean() >= EXACT:
            return name
    return None
