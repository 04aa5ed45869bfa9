"""Algorithms of the config group `split`: assign units to parts by their shares of the rows.

A unit is a set of rows that stays in one part: a single row, the rows of a group or the rows of a moment.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Codes = NDArray[np.int64]
GOLDEN_RATIO = (5**0.5 - 1) / 2  # its multiples modulo 1 are spread evenly


def number_units(table: pd.DataFrame, group: str | None) -> Codes:
    """Number the unit of each row, from 0.

    Args:
        table: Any table.
        group: Column whose rows with equal values form a unit; None: each row is a unit.

    Returns:
        Unit of each row; a row without a group is a unit of its own.
    """
    if group is None:
        return np.arange(len(table))
    codes: Codes = pd.factorize(table[group])[0].astype(np.int64)
    alone = codes < 0
    codes[alone] = codes.max(initial=-1) + 1 + np.arange(alone.sum())
    return codes


def split_randomly(units: Codes, shares: Sequence[float], rng: np.random.Generator) -> Codes:
    """Assign units to parts at random.

    Args:
        units: Unit of each row.
        shares: Share of the rows of each part; they sum to 1.
        rng: Random generator.

    Returns:
        Part of each row, from 0. Every part has a unit if there are enough units.
    """
    sizes = np.bincount(units)
    order = rng.permutation(len(sizes))
    return _assign_to_rows(units, order, cut_units(sizes[order], shares))


def split_in_order(moments: Codes, shares: Sequence[float]) -> Codes:
    """Assign moments to parts in order, the oldest to the first part.

    Args:
        moments: Rank of each row's moment.
        shares: Share of the rows of each part; they sum to 1.

    Returns:
        Part of each row, from 0.
    """
    sizes = np.bincount(moments)
    return _assign_to_rows(moments, np.arange(len(sizes)), cut_units(sizes, shares))


def split_by_strata(
    units: Codes, strata: Codes, shares: Sequence[float], rng: np.random.Generator, everywhere: bool
) -> Codes:
    """Assign units to parts at random, each stratum by the same shares.

    Args:
        units: Unit of each row.
        strata: Stratum of each unit.
        shares: Share of the rows of each part; they sum to 1.
        rng: Random generator.
        everywhere: Whether every part gets units of every stratum, even against the shares of a small one.

    Returns:
        Part of each row, from 0.
    """
    sizes = np.bincount(units)
    start = rng.random()
    order = rng.permutation(len(sizes))
    order = order[np.argsort(strata[order], kind="stable")]
    parts = np.empty(len(sizes), dtype=np.int64)  # of the ordered units
    for number, members in enumerate(_stratum_slices(strata[order])):
        # A small stratum cannot be divided exactly; the shift makes the rounding of the strata cancel out.
        shift = (start + number * GOLDEN_RATIO) % 1 - 0.5
        parts[members] = cut_units(sizes[order[members]], shares, shift=shift, everywhere=everywhere)
    if not everywhere and len(np.unique(parts)) < len(shares):
        return split_randomly(units, shares, rng)  # too few rows for strata left a part empty
    return _assign_to_rows(units, order, parts)


def cut_units(sizes: Codes, shares: Sequence[float], shift: float = 0.0, everywhere: bool = True) -> Codes:
    """Cut a sequence of units where the cumulative number of rows is nearest to the shares.

    Args:
        sizes: Number of rows of each unit, in order.
        shares: Share of the rows of each part; they sum to 1.
        shift: Offset of every cut, in units from -0.5 to 0.5.
        everywhere: Whether every part gets a unit if there are enough units.

    Returns:
        Part of each unit, from 0 and non-decreasing.
    """
    count, last = len(sizes), len(shares)
    ends = np.concatenate([[0], np.cumsum(sizes)])
    middles = (ends[1:] + ends[:-1]) / 2
    positions = np.cumsum(shares)[:-1] * ends[-1] + shift * (ends[-1] / max(count, 1))
    cuts = np.searchsorted(middles, positions)
    if everywhere and count >= last:
        for part in range(last - 1):
            least = cuts[part - 1] + 1 if part else 1
            cuts[part] = min(max(cuts[part], least), count - last + part + 1)
    return np.searchsorted(cuts, np.arange(count), side="right")


def class_strata(units: Codes, target: pd.Series) -> Codes:
    """Return the stratum of each unit: the most frequent class of its rows, numbered from 0."""
    classes = pd.factorize(target, use_na_sentinel=False)[0].astype(np.int64)
    if len(units) == units.max(initial=-1) + 1:
        return _restore_order(units, classes)
    width = classes.max(initial=0) + 1
    pairs, counts = np.unique(units * width + classes, return_counts=True)
    by_count = np.lexsort((-pairs, counts))  # of equal counts, the class that came first wins
    strata = np.empty(units.max() + 1, dtype=np.int64)
    strata[pairs[by_count] // width] = pairs[by_count] % width  # the last assignment of a unit wins
    return strata


def quantile_strata(units: Codes, target: pd.Series, bins: int) -> Codes:
    """Return the stratum of each unit: the quantile bin of the mean target of its rows.

    Args:
        units: Unit of each row.
        target: Numeric target of each row.
        bins: Number of bins; equal means share a bin.
    """
    sizes = np.bincount(units)
    means = np.bincount(units, weights=target.to_numpy(dtype="float64")) / np.maximum(sizes, 1)
    ranks = pd.Series(means).rank(method="average").to_numpy() - 0.5
    strata: Codes = np.floor(ranks * (bins / max(len(means), 1))).astype(np.int64)
    return strata


def _stratum_slices(ordered: Codes) -> Iterator[slice]:
    bounds = [0, *(np.flatnonzero(np.diff(ordered)) + 1).tolist(), len(ordered)]
    return (slice(start, end) for start, end in pairwise(bounds) if end > start)


def _assign_to_rows(units: Codes, order: Codes, parts: Codes) -> Codes:
    """Return the part of each row, given the parts of the ordered units."""
    return _restore_order(order, parts)[units]


def _restore_order(order: Codes, values: Codes) -> Codes:
    restored = np.empty(len(order), dtype=np.int64)
    restored[order] = values
    return restored
