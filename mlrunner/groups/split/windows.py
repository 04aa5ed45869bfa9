"""Divide rows by time: parts in order, and the rows that train before those that are held out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
import pandas as pd
import pydantic
from numpy.typing import NDArray

from mlrunner.core.errors import DataError
from mlrunner.core.folds import BETWEEN, FIT, STOP
from mlrunner.groups.split.algorithms import Codes, split_in_order

POSSIBLE = "should be a number of rows, like 100, or a time span, like 7D or 12h"
STOP_SHARE = 0.2  # of the training rows: the newest decide when boosting stops


def _refuse_other_types(value: object, validate: pydantic.ValidatorFunctionWrapHandler) -> Any:
    try:
        return validate(value)
    except pydantic.ValidationError as error:
        raise ValueError(POSSIBLE) from error


Length = Annotated[int | str, pydantic.WrapValidator(_refuse_other_types)]  # number of rows, or a span such as "7D"


def length_problems(key: str, length: Length | None, least: int) -> list[str]:
    """Return a sentence when a length is no time span, and no number of rows from `least` on."""
    try:
        is_possible = length is None or (length if isinstance(length, int) else _read_span(length).astype(int)) >= least
    except ValueError:
        is_possible = False
    if is_possible:
        return []
    return [f"{key} is {length}, but {POSSIBLE}."]


def cut_at_moments(times: NDArray[Any], shares: Sequence[float], name: str) -> Codes:
    """Assign rows to parts in order of time, the oldest to the first part and the rows of a moment together.

    Args:
        times: Moments of the rows.
        shares: Share of the rows of each part; they sum to 1.
        name: Name of the column, for the message.

    Raises:
        DataError: When there are fewer moments than parts.
    """
    unique, moments = np.unique(times, return_inverse=True)
    if len(unique) < len(shares):
        raise DataError(
            f"split.time is '{name}', which has {len(unique)} different moments, but {len(shares)} parts "
            "need one each; name a finer column in dataset.time, or choose split=80_20."
        )
    return split_in_order(moments, shares)


def select_window(times: NDArray[Any], start: int, gap: Length, length: Length | None) -> slice:
    """Select the rows that train before a held-out row; the rows of a moment stay together.

    Args:
        times: Moments of the rows, in order.
        start: Position of the first held-out row, the first of its moment.
        gap: Least number of rows, or time span, between the training rows and the held-out ones.
        length: Largest number of training rows, the newest, or their time span; None: all.

    Returns:
        Positions of the training rows; empty when the gap leaves none.
    """
    if isinstance(gap, int) and gap > start:
        return slice(0, 0)
    end_time = times[start - gap] if isinstance(gap, int) else times[start] - _read_span(gap)
    end = int(np.searchsorted(times, end_time))
    if isinstance(length, str):
        first = int(np.searchsorted(times, end_time - _read_span(length)))
    else:
        before = 0 if length is None else max(end - length, 0)
        first = int(np.searchsorted(times, times[before - 1], side="right")) if before else 0
    return slice(min(first, end), end)


def mark_stops(times: NDArray[Any], gap: Length) -> NDArray[np.int8]:
    """Mark the training rows of a fold: the newest stop boosting, which fits those before them and a gap.

    Args:
        times: Moments of the training rows, in order.
        gap: See `select_window`.
    """
    marks = np.full(len(times), BETWEEN, dtype=np.int8)
    stop = int(np.searchsorted(times, times[int((1 - STOP_SHARE) * len(times))]))
    marks[select_window(times, stop, gap, None)] = FIT
    marks[stop:] = STOP
    return marks


def _read_span(text: str) -> np.timedelta64:
    """Read a time span.

    Raises:
        ValueError: When the text is no span of time, or has no unit.
    """
    span = pd.Timedelta(text)
    if pd.isna(span) or not re.search("[A-Za-z]", text):
        raise ValueError(text)
    return span.as_unit("us").to_timedelta64()
