"""What is wrong with which row: the check of `mlrunner.serving.schema`, but of every row by itself."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from mlrunner.core.errors import brief, nearest
from mlrunner.serving.errors import RequestError
from mlrunner.serving.schema import SHOWN, TYPES, WORDS, Column, is_date
from mlrunner.steps.prediction.column_values import Values

LONG = 60  # characters of a value that a sentence shows


def faults(column: Column, values: Values) -> dict[int, str]:
    """Find the rows whose value the model would refuse.

    Args:
        column: Of the model.
        values: From `plain`, one a row.

    Returns:
        The place of each such row and a sentence; nothing when all are fine, which is told fast.
    """
    if isinstance(values, np.ndarray):
        places = np.flatnonzero(np.isinf(values)).tolist()
    else:
        places = [] if _is_sound(column, values) else _suspects(column, values)
    told: dict[tuple[type, str], str] = {}  # most values that are wrong are so in many rows
    found = {}
    for place in places:
        value = values[place]
        key = (type(value), str(value))
        if key not in told:
            told[key] = _sentence(column, value)
        found[place] = told[key]
    return found


def _is_sound(column: Column, values: list[Any]) -> bool:
    if column.wrong(values) is not None:
        return False
    try:
        column.array(values)
    except RequestError:
        return False
    return True


def _suspects(column: Column, values: list[Any]) -> list[int]:
    """Find the wrong values of a list that holds some."""
    taken = TYPES[column.kind]
    odd = [at for at, value in enumerate(values) if type(value) not in taken]
    if column.kind == "number":
        return [*odd, *(at for at, value in enumerate(values) if isinstance(value, float) and np.isinf(value))]
    if column.kind == "moment":
        return [*odd, *_no_dates(values)]
    if column.categories is None:
        return odd
    known = column.categories
    return [*odd, *(at for at, value in enumerate(values) if isinstance(value, str) and value not in known)]


def _no_dates(values: list[Any]) -> list[int]:
    return [at for at, value in enumerate(values) if isinstance(value, str) and not is_date(value)]


def _sentence(column: Column, value: Any) -> str:
    if column.categories is not None and isinstance(value, str):
        known = sorted(column.categories)
        told = f"Column '{column.name}' has {_shown(value)}, which training did not see; it saw {brief(known, SHOWN)}."
        return told + nearest(value, known)
    beyond = isinstance(value, float) and np.isinf(value)
    told = "one beyond 1.8e308" if beyond else _shown(value)
    return f"Column '{column.name}' holds {WORDS[column.kind]}, but has {told}."


def _shown(value: Any) -> str:
    told = f"'{value}'" if isinstance(value, str) else json.dumps(value, default=str)
    return told if len(told) <= LONG else f"{told[: LONG - 3]}..."
