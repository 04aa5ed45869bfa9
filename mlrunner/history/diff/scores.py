"""Compare scores: by how much, which way is better, and whether the difference is more than noise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mlrunner.core.metric_names import greater_is_better
from mlrunner.evaluation import uncertainty as noise
from mlrunner.history.diff.sides import Side

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
        differences: From the first side to each other one; None where one is absent, or is of another target.
        noise: How far each difference is from 0 by chance; None where nothing tells it.
        verdicts: Of each difference, with a question mark where nothing tells the noise; None where one is absent, and
            of training rows, which a model may know by heart.
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
    if not _have_same_data(first, other):
        is_told = name in COSTS or _have_same_target(first, other)
        return difference if is_told else None, None, "other data"
    if math.isnan(difference):
        return None, None, None
    if name.startswith("train/"):
        return difference, None, None
    told = max(LITTLE, UNSTEADY * max(one, two)) if name in COSTS else _noise(name, first, other)
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


def _noise(name: str, first: Side, other: Side) -> float | None:
    """Find what chance makes of a difference, by groups or folds of rows, else by the deviation over folds."""
    part, _, metric = name.rpartition("/")
    one, two = first.replicates.get(part), other.replicates.get(part)
    if one is not None and two is not None:
        found = noise.margin(one, two, metric)
    else:
        found = math.hypot(_of_folds(name, first), _of_folds(name, other))
    return None if math.isnan(found) else found


def _have_same_data(first: Side, other: Side) -> bool:
    """Tell whether the scores are of one target of the same rows: others are neither better nor worse."""
    if first.record is None or other.record is None:
        return True
    same_data = first.record.tags.get("mlrunner.data_hash") == other.record.tags.get("mlrunner.data_hash")
    rows = {side.surroundings.data.get("rows") for side in (first, other) if side.surroundings is not None}
    return same_data and _have_same_target(first, other) and len(rows - {None}) < 2


def _have_same_target(first: Side, other: Side) -> bool:
    targets = {side.record.params.get("dataset.target") for side in (first, other) if side.record is not None}
    return len(targets) < 2


def _of_folds(name: str, side: Side) -> float:
    """Find what chance makes of a mean over folds; of a search's trial the deviation among them is all that is left."""
    deviation = side.metrics.get(f"{name}_std")
    folds = (side.frozen.config.get("split") or {}).get("folds")
    if deviation is None or not isinstance(folds, int) or folds < 2:
        return math.nan
    return noise.sure(folds) * noise.of_folds(deviation**2 * folds / (folds - 1), folds, 1 / (folds - 1))
