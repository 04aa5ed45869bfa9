"""Compare what runs stood on: the data, the code, the environment."""

from __future__ import annotations

import bisect
import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mlrunner.comparison.sides import Side
from mlrunner.comparison.structure import ABSENT, Change, changes
from mlrunner.records.frozen import Surroundings

MOVED = 0.02  # the least distance between two distributions that is worth a line
SURE = 1.63  # of Kolmogorov and Smirnov: one test in a hundred is wrong
KNOWN_ROWS = 5000  # a profile looks at no more


@dataclass(frozen=True)
class Moved:
    """A column whose values are distributed otherwise.

    Args:
        column: Its name.
        told: What has moved, in words.
        distance: Between 0 and 1: the largest gap between the distributions, or between the shares of missing values.
    """

    column: str
    told: str
    distance: float


def data(sides: Sequence[Side]) -> list[Change]:
    """Compare fingerprints, numbers of rows, columns and their types."""
    found = [_data_facts(side) for side in sides]
    return list(changes(found, "data")) if all(found) else []


def _data_facts(side: Side) -> dict[str, Any]:
    if side.record is None or side.surroundings is None:
        return {}
    known = side.surroundings.data
    told: dict[str, Any] = {"fingerprint": side.record.tags.get("mlrunner.data_hash", "")[:12]}
    if known:
        told |= {"rows": known["rows"], "columns": {name: one["dtype"] for name, one in known["columns"].items()}}
    return told


def moved(first: Side, other: Side) -> list[Moved]:
    """Find the columns of both whose distributions differ by more than chance, the most first."""
    one, two = (side.surroundings.data if side.surroundings is not None else {} for side in (first, other))
    if not one or not two or (one.get("fingerprint") == two.get("fingerprint") and one["rows"] == two["rows"]):
        return []
    counts = [min(side["rows"], KNOWN_ROWS) for side in (one, two)]
    least = max(MOVED, SURE * math.sqrt(sum(counts) / max(1, math.prod(counts))))
    shared = [name for name in one["columns"] if name in two["columns"]]
    found = [_moved(name, one["columns"][name], two["columns"][name]) for name in shared]
    return sorted((each for each in found if each.distance > least), key=lambda each: -each.distance)


def _moved(name: str, one: dict[str, Any], two: dict[str, Any]) -> Moved:
    gap = abs(two["missing"] - one["missing"])
    told, distance = f"missing {one['missing']:.1%} → {two['missing']:.1%}", gap
    if one.get("quantiles") and two.get("quantiles"):
        apart = kolmogorov(one["quantiles"], two["quantiles"])
        middle = [side["quantiles"][len(side["quantiles"]) // 2] for side in (one, two)]
        if apart > distance:
            told, distance = f"median {middle[0]:.4g} → {middle[1]:.4g}", apart
    elif "top" in one and "top" in two:
        apart, value = _shares_apart(one["top"], two["top"])
        if apart > distance:
            told = f"'{value}' {one['top'].get(value, 0):.1%} → {two['top'].get(value, 0):.1%}"
            distance = apart
    return Moved(name, told, distance)


def kolmogorov(one: Sequence[float], two: Sequence[float]) -> float:
    """Find the largest gap between two distributions that are known by evenly spaced quantiles."""
    points = sorted({*one, *two})
    pairs = [zip(_shares(one, point), _shares(two, point), strict=True) for point in points]
    return max(abs(first - second) for pair in pairs for first, second in pair)


def _shares(quantiles: Sequence[float], point: float) -> tuple[float, float]:
    """Find the shares below a point, and up to it; between quantiles they are the same, by interpolation."""
    low, high = bisect.bisect_left(quantiles, point), bisect.bisect_right(quantiles, point)
    last = len(quantiles) - 1
    if low != high:
        return low / last, (high - 1) / last
    if low == 0 or low > last:
        return (0.0, 0.0) if low == 0 else (1.0, 1.0)
    left, right = quantiles[low - 1], quantiles[low]
    share = (low - 1 + (point - left) / (right - left)) / last
    return share, share


def _shares_apart(one: dict[str, float], two: dict[str, float]) -> tuple[float, str]:
    """Find the total variation distance of the commonest values, and the value that moved most."""
    names = [*dict.fromkeys([*one, *two])]
    gaps = {name: abs(one.get(name, 0.0) - two.get(name, 0.0)) for name in names}
    return sum(gaps.values()) / 2, max(gaps, key=lambda name: gaps[name], default="")


def code(sides: Sequence[Side]) -> list[Change]:
    """Compare commit, what differed from it, and the digest of each source file."""
    known = [side.surroundings for side in sides if side.surroundings is not None]
    if len(known) < len(sides):
        return []
    facts = [_code_facts(one) for one in known]
    return list(changes(facts, "code"))


def _code_facts(one: Surroundings) -> dict[str, Any]:
    return {
        "commit": (one.commit or "")[:10],
        "branch": one.branch,
        "dirty": _lines_of(one.dirty),
        "untracked": list(one.untracked),
        "files": dict(one.sources),
    }


def _lines_of(diff: str) -> dict[str, str]:
    """Tell what a dirty diff says of each file: its added and removed lines, and a digest of them."""
    found = {}
    for part in diff.split("diff --git ")[1:]:
        name = part.partition("\n")[0].rpartition(" b/")[2]
        lines = [line for line in part.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
        added = sum(line.startswith("+") for line in lines)
        mark = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:6]
        found[name] = f"+{added} -{len(lines) - added} ({mark})"
    return found


def environment(sides: Sequence[Side]) -> list[Change]:
    """Compare the versions of Python and of the packages."""
    known = [side.surroundings for side in sides if side.surroundings is not None and side.surroundings.packages]
    if len(known) < len(sides):
        return []
    found = changes([{"python": one.python, **one.packages} for one in known])
    return [Change(one.key, tuple("not installed" if v is ABSENT else v for v in one.values)) for one in found]
