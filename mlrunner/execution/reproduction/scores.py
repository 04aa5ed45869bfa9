"""Compare the metrics of a run with those of its reproduction."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlrunner.core.errors import ConfigError
from mlrunner.tracking.records import TRIAL_TAG, WINNER_OF_TAG
from mlrunner.tracking.records.record import ZENML_RUN_ID_TAG

if TYPE_CHECKING:
    from mlrunner.core.outcome import Outcome
    from mlrunner.tracking.records import Record

COSTS = ("seconds", "_ms", "megabytes")  # what a machine takes is never the same
CHOOSERS = ("validation", "cv")  # their metrics stand by their bare names too
TRIALS_OWN = ("train/", "test/")  # a trial reads no test rows, and scores no training rows


@dataclass(frozen=True)
class MetricComparison:
    """A metric then and now.

    Args:
        name: Part and metric.
        then: What the run recorded.
        now: What came of it this time; None when there is none.
        is_same: Whether it is within the tolerance.
    """

    name: str
    then: float
    now: float | None
    is_same: bool


def check_scores(record: Record) -> None:
    """Refuse a run with whose scores nothing can be compared, before it is run again.

    Raises:
        ConfigError: When it left none, or those of a part of it.
    """
    is_part = record.status == "KILLED" and TRIAL_TAG in record.tags
    if is_part or not any(compare_metrics(record, {}, 0.0)):
        left = "was pruned or stopped, and has the scores of a part of it only" if is_part else "left no scores"
        raise ConfigError(
            f"Run {record.short} ({record.status}) {left}, so there is nothing to compare; name a run that came to its "
            "end."
        )


def compare_metrics(record: Record, now: dict[str, float], tolerance: float) -> Iterator[MetricComparison]:
    """Compare every metric that the run recorded and the reproduction can have.

    Args:
        record: The run.
        now: The metrics of the reproduction.
        tolerance: The share of a value by which it may differ.
    """
    for name, then in record.metrics.items():
        is_told_twice = any(f"{part}/{name}" in record.metrics for part in CHOOSERS)
        if name.endswith(COSTS) or is_told_twice or not is_own_metric(name, record):
            continue
        value = now.get(name)
        yield MetricComparison(name, then, value, value is not None and is_close(then, value, tolerance))


def is_own_metric(name: str, record: Record) -> bool:
    """Tell whether a metric was found by this run: a search's winner has its validation scores from its trial."""
    if WINNER_OF_TAG in record.tags:
        return name.startswith(TRIALS_OWN)
    return TRIAL_TAG not in record.tags or ZENML_RUN_ID_TAG in record.tags or not name.startswith(TRIALS_OWN)


def is_close(then: float, now: float, tolerance: float) -> bool:
    """Tell whether a value is within a share of another one; with 0 to the last digit."""
    return then == now or abs(now - then) <= tolerance * abs(then)


def average_metrics(outcomes: Sequence[Outcome], folds: Sequence[dict[str, list[float]]]) -> dict[str, float]:
    """Average over the seeds that a trial was repeated with, as the trial itself does: over all fits at once.

    Args:
        outcomes: One a seed.
        folds: Of each, the scores of every fold by metric; empty where there are no folds.
    """
    import numpy as np

    if len(outcomes) == 1:
        return outcomes[0].metrics
    part = "cv" if folds[0] else "validation"
    found: dict[str, float] = {}
    for name in [name for name in outcomes[0].metrics if "/" not in name]:
        single = [[one.metrics.get(name, math.nan)] for one in outcomes]
        values = [value for at, one in enumerate(folds) for value in one.get(name, single[at])]
        mean = float(np.mean(values))
        found |= {name: mean, f"{part}/{name}": mean, f"{part}/{name}_std": float(np.std(values))}
    return found
