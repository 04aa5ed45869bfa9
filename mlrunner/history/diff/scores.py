"""Compare scores: the difference, which side is better, and whether the difference exceeds the uncertainty."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mlrunner.core.metric_names import THRESHOLD, greater_is_better
from mlrunner.evaluation import uncertainty
from mlrunner.history.diff.sides import Side
from mlrunner.tracking.records.record import DATA_TAG, HELD_OUT_TAG

PARTS = ("validation", "cv", "test", "train")
COSTS = ("fit_seconds", "score_seconds")
COST_TOLERANCE = 0.25  # relative difference of the durations of equal work
LEAST_SECONDS = 0.1  # absolute difference of durations that does not matter
Verdict = Literal["better", "worse", "better?", "worse?", "same", "within noise", "other data"]


@dataclass(frozen=True)
class Score:
    """A metric on all sides.

    Args:
        name: Part and metric, like `test/r2`.
        values: Value of each side; None if it has none.
        differences: Difference of each other side to the first; None if a value is missing or the targets differ.
        uncertainty: Margin of each difference, at 95 %; None if it is unknown.
        verdicts: Verdict on each difference, with a question mark if the uncertainty is unknown; None if a value is
            missing, for training rows, which a model may memorize, and for thresholds.
    """

    name: str
    values: tuple[float | None, ...]
    differences: tuple[float | None, ...]
    uncertainty: tuple[float | None, ...]
    verdicts: tuple[Verdict | None, ...]


def compare_scores(sides: Sequence[Side]) -> list[Score]:
    """Compare all metrics, the objective's first."""
    names = list(dict.fromkeys(name for side in sides for name in side.metrics if _is_shown(name)))
    objective = next((side.metric for side in sides if side.metric is not None), None)
    return [_compare(name, sides) for name in sorted(names, key=lambda name: _sort_key(name, objective, names))]


def _is_shown(name: str) -> bool:
    return ("/" in name and not name.endswith("_std")) or name in (*COSTS, THRESHOLD)


def _sort_key(name: str, objective: str | None, names: list[str]) -> tuple[bool, bool, int, int]:
    part, _, metric = name.rpartition("/")
    return name in COSTS, metric != objective, PARTS.index(part) if part in PARTS else len(PARTS), names.index(name)


def _compare(name: str, sides: Sequence[Side]) -> Score:
    first, *others = sides
    comparisons = [_compare_with(name, first, other) for other in others]
    values = tuple(side.metrics.get(name) for side in sides)
    differences, errors, verdicts = zip(*comparisons, strict=True)
    return Score(name, values, differences, errors, verdicts)


def _compare_with(name: str, first: Side, other: Side) -> tuple[float | None, float | None, Verdict | None]:
    old, new = first.metrics.get(name), other.metrics.get(name)
    if old is None or new is None:
        return None, None, None
    difference = new - old
    if not _have_same_data(first, other):
        has_difference = name in COSTS or _have_same_target(first, other)
        return difference if has_difference else None, None, "other data"
    if math.isnan(difference):
        return None, None, None
    if name.startswith("train/") or name == THRESHOLD:  # neither is better when it is greater
        return difference, None, None
    margin = max(LEAST_SECONDS, COST_TOLERANCE * max(old, new)) if name in COSTS else _margin(name, first, other)
    return difference, margin, _verdict(difference, margin, _is_greater_better(name, other))


def _is_greater_better(name: str, side: Side) -> bool:
    own = (side.snapshot.config.get("metric") or {}).get(name.rpartition("/")[2])
    return greater_is_better(name) if own is None else bool(own["direction"] == "maximize")


def _verdict(difference: float, margin: float | None, maximizes: bool) -> Verdict:
    if difference == 0:
        return "same"
    if margin is not None and abs(difference) <= margin:
        return "within noise"
    is_better = (difference > 0) == maximizes
    if margin is None:
        return "better?" if is_better else "worse?"
    return "better" if is_better else "worse"


def _margin(name: str, first: Side, other: Side) -> float | None:
    """Compute the margin of a difference from replicates, or else from the standard deviation over folds."""
    part, _, metric = name.rpartition("/")
    old, new = first.replicates.get(part), other.replicates.get(part)
    if old is not None and new is not None:
        margin = uncertainty.margin_towards_zero(old, new, metric)
    else:
        margin = math.hypot(_fold_margin(name, first), _fold_margin(name, other))
    return None if math.isnan(margin) else margin


def _have_same_data(first: Side, other: Side) -> bool:
    """Check whether the scores are of the same rows and target; others cannot be compared."""
    if first.record is None or other.record is None:
        return True
    same_data = first.record.tags.get(DATA_TAG) == other.record.tags.get(DATA_TAG)
    rows = {side.provenance.data.get("rows") for side in (first, other) if side.provenance is not None}
    return same_data and _have_same_target(first, other) and len(rows - {None}) < 2


def _have_same_target(first: Side, other: Side) -> bool:
    """Check whether the runs predict the same column, as numbers or as classes."""
    records = [side.record for side in (first, other) if side.record is not None]
    return all(len({run.params.get(f"dataset.{key}") for run in records}) < 2 for key in ("target", "task"))


def _fold_margin(name: str, side: Side) -> float:
    """Compute the margin of a mean over folds from its standard deviation, the only record that a trial has."""
    deviation, folds = side.metrics.get(f"{name}_std"), (side.snapshot.config.get("split") or {}).get("folds")
    ratio = None if side.record is None else side.record.tags.get(HELD_OUT_TAG)
    if deviation is None or ratio is None or not isinstance(folds, int) or folds < 2:
        return math.nan
    return uncertainty.critical_value(folds) * uncertainty.standard_error_of_folds(
        deviation**2 * folds / (folds - 1), folds, float(ratio)
    )
