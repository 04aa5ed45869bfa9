"""A column in a few numbers, and how its values are distributed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_datetime64_any_dtype, is_numeric_dtype

from mlrunner.core.terminal import number
from mlrunner.groups.dataset import profile
from mlrunner.groups.dataset.profile import Array

BINS, WIDE_BINS = 16, 30
TOP, LENGTH = 3, 24  # values that are named, and how many letters of each
CLASSES = 20  # of a target


@dataclass(frozen=True)
class Described:
    """What is told of a column.

    Args:
        name: Its own.
        role: target, group, time or ignored; empty for a feature.
        dtype: As pandas has it.
        missing: The share of rows without a value.
        distinct: How many values there are.
        low, middle, high: The least, the median and the greatest; empty for what has no order.
        top: The most frequent values, each with its share of the rows that have one.
        heights: Of a small histogram, from 0 to 1.
    """

    name: str
    role: str
    dtype: str
    missing: float
    distinct: int
    low: str = ""
    middle: str = ""
    high: str = ""
    top: tuple[tuple[str, str], ...] = ()
    heights: tuple[float, ...] = ()

    @property
    def missing_text(self) -> str:
        """The share in words of a table."""
        return _share(self.missing) if self.missing else "0"


@dataclass(frozen=True)
class Bar:
    """A bar of a distribution: what it stands for, how many rows that are, and how long it is from 0 to 1."""

    label: str
    count: int
    share: float
    is_class: bool = False


def described(column: pd.Series[Any], role: str) -> Described:
    """Describe a column by its values."""
    missing = float(column.isna().mean()) if len(column) else 0.0
    told: dict[str, Any] = {"name": str(column.name), "role": role, "dtype": str(column.dtype), "missing": missing}
    known = column.dropna()
    if profile.is_counted(known):
        counts = profile.counts(known)
        shares = {str(value): count / max(1, len(known)) for value, count in counts.head(TOP).items()}
        return Described(**told, distinct=len(counts), top=_top(shares))
    values, distinct = profile.values(known), int(known.nunique())
    if not len(values):
        return Described(**told, distinct=distinct)
    ends = np.quantile(values, (0, 0.5, 1))
    is_date = is_datetime64_any_dtype(column.dtype)
    low, middle, high = (_written(float(value), is_date) for value in ends)
    return Described(**told, distinct=distinct, low=low, middle=middle, high=high, heights=_heights(values))


def remembered(name: str, told: Mapping[str, Any], role: str) -> Described:
    """Describe a column by what `dataset.profile` noted of it."""
    known = {"name": name, "role": role, "dtype": told["dtype"], "missing": told["missing"]}
    known["distinct"] = told["distinct"]
    marks = told.get("quantiles", [])
    if not marks:
        return Described(**known, top=_top(dict(list(told.get("top", {}).items())[:TOP])))
    is_date = str(told["dtype"]).startswith(profile.DATES)
    low, middle, high = (_written(float(marks[k]), is_date) for k in (0, len(marks) // 2, -1))
    return Described(**known, low=low, middle=middle, high=high)


def distribution(target: pd.Series[Any], task: str) -> Iterator[Bar]:
    """Tell how the target is distributed: a bar a class, or a histogram."""
    known = target.dropna()
    if task == "classification" or profile.is_counted(known):
        yield from _classes(profile.counts(known))
        return
    values = profile.values(known)
    if not len(values):
        return
    counts, edges = np.histogram(values, _edges(values, WIDE_BINS))
    is_date = is_datetime64_any_dtype(known.dtype)
    is_whole = edges[0] % 1 == 0.5 and len(edges) <= WIDE_BINS
    for k, count in enumerate(counts):
        low, high = (_written(float(edges[k + side]), is_date) for side in (0, 1))
        label = f"{edges[k] + 0.5:.0f}" if is_whole else f"{low} to {high}"
        yield Bar(label, int(count), float(count / counts.max()))


def _classes(counts: pd.Series[int]) -> Iterator[Bar]:
    most = max(counts.max(), counts.iloc[CLASSES:].sum()) if len(counts) else 1
    shown = counts.head(CLASSES)
    if is_numeric_dtype(shown.index):  # scores from one to five stand in their order
        shown = shown.sort_index()
    for value, count in shown.items():
        yield Bar(str(value), int(count), float(count / most), is_class=True)
    rest = int(counts.iloc[CLASSES:].sum())
    if rest:
        yield Bar(f"{len(counts) - CLASSES:,} other classes", rest, rest / most, is_class=True)


def _edges(values: Array, most: int) -> int | Array:
    """Choose the bins: of few whole numbers, one each."""
    distinct = np.unique(values) if len(values) else values
    if len(distinct) <= most and np.all(distinct % 1 == 0) and distinct[-1] - distinct[0] < most:
        return np.arange(distinct[0] - 0.5, distinct[-1] + 1)
    return most


def _heights(values: Array) -> tuple[float, ...]:
    counts, _ = np.histogram(values, _edges(values, BINS))
    return tuple(float(count / counts.max()) for count in counts)


def _written(value: float, is_date: bool) -> str:
    if not is_date:
        return number(value)
    return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d")


def _top(shares: Mapping[str, float]) -> tuple[tuple[str, str], ...]:
    return tuple((text if len(text) <= LENGTH else f"{text[: LENGTH - 1]}…", _share(s)) for text, s in shares.items())


def _share(share: float) -> str:
    return f"{share:.0%}" if share >= 0.01 else "<1%"
