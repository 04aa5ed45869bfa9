"""Find the columns whose distributions differ, from the profiles of `dataset.profile`.

A profile is incomplete: between two quantiles, a share is only known to lie between theirs, and a value that is not
among the most frequent is at most as frequent as the last of them. Only the difference that is certain counts, and
only if it is significant:

- numbers: Kolmogorov-Smirnov test, which ties make conservative (W. J. Conover, Practical Nonparametric Statistics,
  1999, section 6.3);
- other values and missing values: test of two proportions, with Bonferroni's correction for the number of values.
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

LEAST_DISTANCE = 0.02  # between two distributions; smaller differences are not reported
# One column in a hundred is reported by chance; each has two tests, of its values and of missing ones.
RISK = 0.01 / 2
DEFAULT_ROWS = 5000  # of a profile that does not record its number of rows
DATES = ("datetime", "timestamp")  # prefixes of pandas' and Arrow's types


@dataclass(frozen=True)
class Shift:
    """A column whose distribution differs.

    Args:
        column: Name.
        change: Description of the change.
        distance: Lower bound, between 0 and 1, of the largest difference between the distributions or two shares.
    """

    column: str
    change: str
    distance: float


def find_shifts(first: Side, other: Side) -> list[Shift]:
    """Find the common columns whose distributions differ significantly, the largest difference first."""
    old, new = (side.provenance.data if side.provenance is not None else {} for side in (first, other))
    if not old or not new or (old.get("fingerprint") == new.get("fingerprint") and old["rows"] == new["rows"]):
        return []
    rows = [side.get("looked_at", min(side["rows"], DEFAULT_ROWS)) for side in (old, new)]
    shared = [name for name in old["columns"] if name in new["columns"]]
    by_column = [list(_column_shifts(name, old["columns"][name], new["columns"][name], rows)) for name in shared]
    largest = [max(shifts, key=lambda shift: shift.distance) for shifts in by_column if shifts]
    return sorted(largest, key=lambda shift: -shift.distance)


def _column_shifts(name: str, old: dict[str, Any], new: dict[str, Any], rows: Sequence[float]) -> Iterator[Shift]:
    missing = old["missing"], new["missing"]
    if _differ(*missing, rows):
        yield Shift(name, f"missing {missing[0]:.1%} → {missing[1]:.1%}", abs(missing[1] - missing[0]))
    counts = [count * (1 - share) for count, share in zip(rows, missing, strict=True)]
    if min(counts) < 1:
        return
    if old.get("quantiles") and new.get("quantiles"):
        distance = kolmogorov_distance(old, new)
        if distance > max(LEAST_DISTANCE, math.sqrt(-math.log(RISK / 2) / 2 * sum(1 / count for count in counts))):
            yield Shift(name, _describe_numbers(old, new), distance)
    elif "top" in old and "top" in new:
        yield from _value_shifts(name, old, new, counts)


def _differ(old: float, new: float, counts: Sequence[float], tests: int = 1) -> bool:
    """Check whether two shares differ significantly; `tests` is the number of pairs that are tested."""
    pooled = (old * counts[0] + new * counts[1]) / max(1, sum(counts))
    error = math.sqrt(pooled * (1 - pooled) * sum(1 / max(1, count) for count in counts))
    return abs(new - old) > max(LEAST_DISTANCE, NormalDist().inv_cdf(1 - RISK / 2 / tests) * error)


def kolmogorov_distance(old: dict[str, Any], new: dict[str, Any]) -> float:
    """Return the largest difference that two distributions of numbers certainly have."""
    points = {point for side in (old, new) for point in _points(side)}
    pairs = [pair for point in points for pair in zip(_bounds(old, point), _bounds(new, point), strict=True)]
    return max(0.0, *(max(low - top, bottom - high) for (low, high), (bottom, top) in pairs))


def _points(profile: dict[str, Any]) -> list[float]:
    return [value for value, _ in profile["shares"]] if "shares" in profile else profile["quantiles"]


def _bounds(profile: dict[str, Any], point: float) -> list[tuple[float, float]]:
    """Return lower and upper bounds of the share below a point, and of the share up to it."""
    if "shares" in profile:
        up_to = math.fsum(share for value, share in profile["shares"] if value <= point)
        below = math.fsum(share for value, share in profile["shares"] if value < point)
        return [(below, below), (up_to, up_to)]
    marks = profile["quantiles"]
    last = len(marks) - 1
    places = bisect.bisect_left(marks, point), bisect.bisect_right(marks, point)
    return [(max(0, place - 1) / last, min(place, last) / last) for place in places]


def _describe_numbers(old: dict[str, Any], new: dict[str, Any]) -> str:
    """Describe a change of numbers by their medians or, if these are equal, by the value whose share changed most."""
    middles = [_format(side["quantiles"][len(side["quantiles"]) // 2], side["dtype"]) for side in (old, new)]
    if middles[0] != middles[1] or "shares" not in old or "shares" not in new:
        return f"median {middles[0]} → {middles[1]}"
    shares = [dict(map(tuple, side["shares"])) for side in (old, new)]
    pairs = {value: tuple(side.get(value, 0.0) for side in shares) for value in (*shares[0], *shares[1])}
    value, (before, after) = max(pairs.items(), key=lambda item: (round(abs(item[1][1] - item[1][0]), 9), item[0]))
    return f"{_format(value, old['dtype'])}: {before:.1%} → {after:.1%}"


def _format(value: float, dtype: str) -> str:
    return f"{datetime.fromtimestamp(value, UTC):%Y-%m-%d}" if dtype.startswith(DATES) else f"{value:.4g}"


def _value_shifts(name: str, old: dict[str, Any], new: dict[str, Any], counts: Sequence[float]) -> Iterator[Shift]:
    """Find the values whose shares differ significantly."""
    tests = max(1, old["distinct"], new["distinct"])
    for value in dict.fromkeys((*old["top"], *new["top"])):
        before, after = _share(value, old, new), _share(value, new, old)
        if _differ(before, after, counts, tests):
            texts = [_share_text(value, side, share) for side, share in ((old, before), (new, after))]
            yield Shift(name, f"'{value}' {' → '.join(texts)}", abs(after - before))


def _share(value: str, profile: dict[str, Any], other: dict[str, Any]) -> float:
    """Return the share of a value; if it is not listed, the largest share that it may have."""
    if value in profile["top"]:
        return float(profile["top"][value])
    is_whole = len(profile["top"]) >= profile["distinct"]
    return 0.0 if is_whole else float(min(other["top"][value], *profile["top"].values()))


def _share_text(value: str, profile: dict[str, Any], share: float) -> str:
    return f"at most {share:.1%}" if share and value not in profile["top"] else f"{share:.1%}"
