"""Compare scores: by how much, which way is better, and whether the difference is more than noise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mlrunner import noise
from mlrunner.comparison.sides import Side
from mlrunner.directions import greater_is_better
from mlrunner.noise import SURE

PARTS = ("validation", "cv", "test", "train")
COSTS = ("fit_seconds", "score_seconds")
UNSTEADY = 0.25  # the share by which the same work takes more or less time
LITTLE = 0.1  # seconds that nobody notices
Verdict = Literal["better", "worse", "better?", "worse?", "same", "within noise", "other data"]


@dataclass(frozen=True)
class Score:
    """A metric on all sides.

    Args:
        name: Part and metric, like `test/r2`.
        values: One a side; None where there is none.
        differences: From the first side to each other one; None where one of them is absent.
        noise: Two standard errors of each difference; None where nothing tells it.
        verdicts: Of each difference, with a question mark where nothing tells the noise; None where one is absent.
    """

    name: str
    values: tuple[float | None, ...]
    differences: tuple[float | None, ...]
    noise: tuple[float | None, ...]
    verdicts: tuple[Verdict | None, ...]


def scores(sides: Sequence[Side]) -> list[Score]:
    """Compare every metric that a side has, the objective's first."""
    known = list(dict.fromkeys(name for side in sides for name in side.metrics if _is_shown(name)))
    chosen = next((side.metric for side in sides if side.metric is not None), None)
    return [_score(name, sides) for name in sorted(known, key=lambda name: _place(name, chosen, known))]


def _is_shown(name: str) -> bool:
    return ("/" in name and not name.endswith("_std")) or name in COSTS


def _place(name: str, chosen: str | None, known: list[str]) -> tuple[bool, bool, int, int]:
    part, _, metric = name.rpartition("/")
    return name in COSTS, metric != chosen, PARTS.index(part) if part in PARTS else len(PARTS), known.index(name)


def _score(name: str, sides: Sequence[Side]) -> Score:
    first, *others = sides
    found = [_against(name, first, other) for other in others]
    values = tuple(side.metrics.get(name) for side in sides)
    differences, errors, verdicts = zip(*found, strict=True)
    return Score(name, values, differences, errors, verdicts)


def _against(name: str, first: Side, other: Side) -> tuple[float | None, float | None, Verdict | None]:
    one, two = first.metrics.get(name), other.metrics.get(name)
    if one is None or two is None:
        return None, None, None
    difference = two - one
    if name in COSTS:
        is_noticed = abs(difference) > max(LITTLE, UNSTEADY * max(one, two))
        return difference, None, ("better" if difference < 0 else "worse") if is_noticed else "within noise"
    if not _have_same_data(first, other):
        return difference, None, "other data"
    error = _error(name, first, other)
    told = None if math.isnan(error) else SURE * error
    return difference, told, _verdict(name, difference, told)


def _verdict(name: str, difference: float, told: float | None) -> Verdict:
    if difference == 0:
        return "same"
    if told is not None and abs(difference) <= told:
        return "within noise"
    is_better = (difference > 0) == greater_is_better(name)
    if told is None:
        return "better?" if is_better else "worse?"
    return "better" if is_better else "worse"


def _error(name: str, first: Side, other: Side) -> float:
    """Find the standard error of a difference, by groups or folds of rows, else by the deviation over folds."""
    part, _, metric = name.rpartition("/")
    one, two = first.replicates.get(part), other.replicates.get(part)
    if one is not None and two is not None:
        return noise.of_difference(one, two, metric)
    return math.hypot(_of_folds(name, first), _of_folds(name, other))


def _have_same_data(first: Side, other: Side) -> bool:
    """Tell whether the scores are of one target of one table: others are neither better nor worse."""
    if first.record is None or other.record is None:
        return True
    same_data = first.record.tags.get("mlrunner.data_hash") == other.record.tags.get("mlrunner.data_hash")
    return same_data and first.record.params.get("dataset.target") == other.record.params.get("dataset.target")


def _of_folds(name: str, side: Side) -> float:
    """Find the standard error of a mean over folds."""
    deviation = side.metrics.get(f"{name}_std")
    folds = (side.frozen.config.get("split") or {}).get("folds")
    if deviation is None or not isinstance(folds, int) or folds < 2:
        return math.nan
    return deviation / math.sqrt(folds - 1)
