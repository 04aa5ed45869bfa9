"""Find the invalid values of a column row by row; `mlrunner.serving.schema` reports only the first of a request."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlrunner.core.errors import brief, nearest
from mlrunner.serving.columns import KIND_TYPES, MAX_NAMES, RawColumn, describe_value
from mlrunner.serving.errors import RequestError
from mlrunner.steps.prediction.column_values import Values


def find_row_errors(column: RawColumn, values: Values) -> dict[int, str]:
    """Find the rows whose value the model rejects.

    Args:
        column: Column of the model.
        values: Result of `extract_values`, one value a row.

    Returns:
        Message by position of the row; empty if all values are valid.
    """
    if isinstance(values, np.ndarray):
        positions = [*np.flatnonzero(np.isinf(values)).tolist(), *column.find_wrong_dates(values)]
    else:
        positions = [] if _are_valid(column, values) else _find_invalid(column, values)
    messages: dict[tuple[type, str], str] = {}  # the same invalid value often occurs in many rows
    errors = {}
    for position in positions:
        value = values[position]
        key = (type(value), str(value))
        if key not in messages:
            messages[key] = _explain(column, value)
        errors[position] = messages[key]
    return errors


def _are_valid(column: RawColumn, values: list[Any]) -> bool:
    if column.find_error(values) is not None:
        return False
    try:
        column.to_array(values)
    except RequestError:
        return False
    return True


def _find_invalid(column: RawColumn, values: list[Any]) -> list[int]:
    types = KIND_TYPES[column.kind]
    wrong_type = [position for position, value in enumerate(values) if type(value) not in types]
    wrong_dates = column.find_wrong_dates([value if type(value) in types else None for value in values])
    return [
        *wrong_type,
        *wrong_dates,
        *(position for position, value in enumerate(values) if _is_out_of_range(column, value)),
    ]


def _is_out_of_range(column: RawColumn, value: Any) -> bool:
    if column.kind == "number":
        return isinstance(value, float) and bool(np.isinf(value))
    if not isinstance(value, str):
        return False
    return column.categories is not None and value not in column.categories


def _explain(column: RawColumn, value: Any) -> str:
    text = describe_value(value)
    if column.categories is not None and isinstance(value, str):
        categories = sorted(column.categories)
        examples = brief(categories, MAX_NAMES)
        hint = nearest(value, categories)
        return f"Column '{column.name}' has {text}, which training did not see; it saw {examples}.{hint}"
    if isinstance(value, float) and np.isinf(value):
        text = "one beyond 1.8e308"
    return f"Column '{column.name}' holds {column.contents}, but has {text}."
