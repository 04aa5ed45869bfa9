"""Sharing rows out by shares, without tearing apart what belongs together; serves the config group `split`.

A unit is what may not be torn apart: a row, the rows of a group, the rows of one moment.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Codes = NDArray[np.int64]
GOLDEN = (5**0.5 - 1) / 2  # its multiples spread evenly over the unit interval


def units_of(table: pd.DataFrame, group: str | None) -> Codes:
    """Number the unit of each row, from 0 in order of appearance; a row without a group is one by itself."""
    if group is None:
        return np.arange(len(table))
    codes: Codes = pd.factorize(table[group])[0].astype(np.int64)
    alone = codes < 0
    codes[alone] = codes.max(initial=-1) + 1 + np.arange(alone.sum())
    return codes


def shuffled(units: Codes, shares: Sequence[float], rng: np.random.Generator) -> Codes:
    """Share units out at random.

    Args:
        units: The unit of each row.
        shares: Of the rows, part by part; they sum to 1.
        rng: Decides which unit goes where.

    Returns:
        The part of each row. Every part has a unit, if there are enough of them.
    """
    sizes = np.bincount(units)
    order = rng.permutation(len(sizes))
    return _spread(units, order, cut(sizes[order], shares))


def in_order(moments: Codes, shares: Sequence[float]) -> Codes:
    """Share rows out by time, the oldest to the first part; `moments` numbers each row's moment in order."""
    sizes = np.bincount(moments)
    return _spread(moments, np.arange(len(sizes)), cut(sizes, shares))


def stratified(
    units: Codes, strata: Codes, shares: Sequence[float], rng: np.random.Generator, everywhere: bool
) -> Codes:
    """Share units out at random, each stratum alike.

    Args:
        units: The unit of each row.
        strata: The stratum of each unit.
        shares: Of the rows, part by part; they sum to 1.
        rng: Decides which unit goes where.
        everywhere: Whether every stratum must be in every part, against the shares if it is small.

    Returns:
        The part of each row.
    """
    sizes = np.bincount(units)
    start = rng.random()
    order = rng.permutation(len(sizes))
    order = order[np.argsort(strata[order], kind="stable")]
    parts = np.empty(len(sizes), dtype=np.int64)  # of the ordered units
    for number, members in enumerate(_slices(strata[order])):
        # A small stratum cannot have its exact shares: what is rounded up in one is rounded down in another.
        shift = (start + number * GOLDEN) % 1 - 0.5
        parts[members] = cut(sizes[order[members]], shares, shift=shift, everywhere=everywhere)
    if not everywhere and len(np.unique(parts)) < len(shares):
        return shuffled(units, shares, rng)  # too few rows for strata: a part with none is worse
    return _spread(units, order, parts)


def cut(sizes: Codes, shares: Sequence[float], shift: float = 0.0, everywhere: bool = True) -> Codes:
    """Cut a sequence of units where the running number of rows comes nearest to the shares.

    Args:
        sizes: Rows of each unit, in order.
        shares: Of the rows, part by part; they sum to 1.
        shift: Moves every cut, in units; between -0.5 and 0.5.
        everywhere: Whether every part gets a unit, if there are enough of them.

    Returns:
        The part of each unit, never falling.
    """
    count, last = len(sizes), len(shares)
    ends = np.concatenate([[0], np.cumsum(sizes)])
    middles = (ends[1:] + ends[:-1]) / 2
    wanted = np.cumsum(shares)[:-1] * ends[-1] + shift * (ends[-1] / max(count, 1))
    cuts = np.searchsorted(middles, wanted)
    if everywhere and count >= last:
        for part in range(last - 1):
            least = cuts[part - 1] + 1 if part else 1
            cuts[part] = min(max(cuts[part], least), count - last + part + 1)
    return np.searchsorted(cuts, np.arange(count), side="right")


def strata_of_classes(units: Codes, target: pd.Series) -> Codes:
    """Give each unit the class that most of its rows have, numbered from 0."""
    classes = pd.factorize(target, use_na_sentinel=False)[0].astype(np.int64)
    if len(units) == units.max(initial=-1) + 1:
        return _spread_back(units, classes)
    width = classes.max(initial=0) + 1
    pairs, counts = np.unique(units * width + classes, return_counts=True)
    by_count = np.lexsort((-pairs, counts))  # of equal counts, the class that came first wins
    chosen = np.empty(units.max() + 1, dtype=np.int64)
    chosen[pairs[by_count] // width] = pairs[by_count] % width  # the last to be assigned stays
    return chosen


def strata_of_numbers(units: Codes, target: pd.Series, bins: int) -> Codes:
    """Give each unit the quantile range of its rows' mean; equal means share a range."""
    sizes = np.bincount(units)
    means = np.bincount(units, weights=target.to_numpy(dtype="float64")) / np.maximum(sizes, 1)
    ranks = pd.Series(means).rank(method="average").to_numpy() - 0.5
    strata: Codes = np.floor(ranks * (bins / max(len(means), 1))).astype(np.int64)
    return strata


def _slices(ordered: Codes) -> Iterator[slice]:
    bounds = [0, *(np.flatnonzero(np.diff(ordered)) + 1).tolist(), len(ordered)]
    return (slice(start, end) for start, end in pairwise(bounds) if end > start)


def _spread(units: Codes, order: Codes, parts: Codes) -> Codes:
    """Bring the parts of ordered units back to the rows."""
    return _spread_back(order, parts)[units]


def _spread_back(order: Codes, values: Codes) -> Codes:
    back = np.empty(len(order), dtype=np.int64)
    back[order] = values
    return back
