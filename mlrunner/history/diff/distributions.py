"""Find the columns whose values are distributed otherwise, by what `dataset.profile` noted of them.

A profile knows a distribution in part: between two quantiles a share may be anything from one to the other, and that of
a value which is not among the commonest anything up to theirs. So only the gap that is certain counts, and only where
chance would not make so wide a one:

- of numbers, by the test of Kolmogorov and Smirnov, which ties make more careful still (W. J. Conover, Practical
  Nonparametric Statistics, 1999, section 6.3);
- of other values and of what is missing, by the test of two proportions, with Bonferroni's correction for the number of
  values.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import NormalDist
from typing import Any

from mlrunner.history.diff.sides import Side

MOVED = 0.02  # the least distance between two distributions that is worth a line
# A column in a hundred may be named by chance, which has two tests: of its values, and of the missing ones.
RISK = 0.01 / 2
KNOWN_ROWS = 5000  # that a profile looked at, where it does not say so
DATES = ("datetime", "timestamp")  # as pandas and Arrow begin the names of their types


@dataclass(frozen=True)
class Moved:
    """A column whose values are distributed otherwise.

    Args:
        column: Its name.
        told: What has moved, in words.
        distance: At least so much, between 0 and 1: the largest gap between distributions of numbers, or two shares.
    """

    column: str
    told: str
    distance: float


def moved(first: Side, other: Side) -> list[Moved]:
    """Find the columns of both whose distributions differ by more than chance, the most first."""
    one, two = (side.surroundings.data if side.surroundings is not None else {} for side in (first, other))
    if not one or not two or (one.get("fingerprint") == two.get("fingerprint") and one["rows"] == two["rows"]):
        return []
    rows = [side.get("looked_at", min(side["rows"], KNOWN_ROWS)) for side in (one, two)]
    shared = [name for name in one["columns"] if name in two["columns"]]
    found = [list(_moves(name, one["columns"][name], two["columns"][name], rows)) for name in shared]
    most = [max(ways, key=lambda each: each.distance) for ways in found if ways]
    return sorted(most, key=lambda each: -each.distance)


def _moves(name: str, one: dict[str, Any], two: dict[str, Any], rows: Sequence[float]) -> Iterator[Moved]:
    missing = one["missing"], two["missing"]
    if _differ(*missing, rows):
        yield Moved(name, f"missing {missing[0]:.1%} → {missing[1]:.1%}", abs(missing[1] - missing[0]))
    known = [count * (1 - share) for count, share in zip(rows, missing, strict=True)]
    if min(known) < 1:
        return
    if one.get("quantiles") and two.get("quantiles"):
        apart = kolmogorov(one, two)
        if apart > max(MOVED, math.sqrt(-math.log(RISK / 2) / 2 * sum(1 / count for count in known))):
            yield Moved(name, _numbers(one, two), apart)
    elif "top" in one and "top" in two:
        yield from _values(name, one, two, known)


def _differ(one: float, two: float, counts: Sequence[float], tests: int = 1) -> bool:
    """Tell whether two shares differ by more than chance, where so many pairs of them are looked at."""
    both = (one * counts[0] + two * counts[1]) / max(1, sum(counts))
    error = math.sqrt(both * (1 - both) * sum(1 / max(1, count) for count in counts))
    return abs(two - one) > max(MOVED, NormalDist().inv_cdf(1 - RISK / 2 / tests) * error)


def kolmogorov(one: dict[str, Any], two: dict[str, Any]) -> float:
    """Find the largest gap that is certainly between two distributions of numbers."""
    points = {point for side in (one, two) for point in _points(side)}
    pairs = [pair for point in points for pair in zip(_reached(one, point), _reached(two, point), strict=True)]
    return max(0.0, *(max(low - top, bottom - high) for (low, high), (bottom, top) in pairs))


def _points(told: dict[str, Any]) -> list[float]:
    return [value for value, _ in told["shares"]] if "shares" in told else told["quantiles"]


def _reached(told: dict[str, Any], point: float) -> list[tuple[float, float]]:
    """Find the least and the most that the share below a point can be, and the same of the share up to it."""
    if "shares" in told:
        upto = math.fsum(share for value, share in told["shares"] if value <= point)
        below = math.fsum(share for value, share in told["shares"] if value < point)
        return [(below, below), (upto, upto)]
    marks = told["quantiles"]
    last = len(marks) - 1
    places = bisect.bisect_left(marks, point), bisect.bisect_right(marks, point)
    return [(max(0, place - 1) / last, min(place, last) / last) for place in places]


def _numbers(one: dict[str, Any], two: dict[str, Any]) -> str:
    """Tell how numbers moved: by their median, or by the value whose share did most where it stays."""
    middles = [_written(side["quantiles"][len(side["quantiles"]) // 2], side["dtype"]) for side in (one, two)]
    if middles[0] != middles[1] or "shares" not in one or "shares" not in two:
        return f"median {middles[0]} → {middles[1]}"
    shares = [dict(map(tuple, side["shares"])) for side in (one, two)]
    pairs = {value: tuple(side.get(value, 0.0) for side in shares) for value in (*shares[0], *shares[1])}
    value, (before, after) = max(pairs.items(), key=lambda item: (round(abs(item[1][1] - item[1][0]), 9), item[0]))
    return f"{_written(value, one['dtype'])}: {before:.1%} → {after:.1%}"


def _written(value: float, dtype: str) -> str:
    return f"{datetime.fromtimestamp(value, UTC):%Y-%m-%d}" if dtype.startswith(DATES) else f"{value:.4g}"


def _values(name: str, one: dict[str, Any], two: dict[str, Any], known: Sequence[float]) -> Iterator[Moved]:
    """Find the values whose shares differ."""
    tests = max(1, one["distinct"], two["distinct"])
    for value in dict.fromkeys((*one["top"], *two["top"])):
        before, after = _share(value, one, two), _share(value, two, one)
        if _differ(before, after, known, tests):
            texts = [_share_text(value, side, share) for side, share in ((one, before), (two, after))]
            yield Moved(name, f"'{value}' {' → '.join(texts)}", abs(after - before))


def _share(value: str, told: dict[str, Any], other: dict[str, Any]) -> float:
    """Find a value's share; what is not among the commonest may be as common as the last of them."""
    if value in told["top"]:
        return float(told["top"][value])
    is_whole = len(told["top"]) >= told["distinct"]
    return 0.0 if is_whole else float(min(other["top"][value], *told["top"].values()))


def _share_text(value: str, told: dict[str, Any], share: float) -> str:
    return f"at most {share:.1%}" if share and value not in told["top"] else f"{share:.1%}"
