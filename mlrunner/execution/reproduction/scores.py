"""Compare the metrics of a run with those of its reproduction."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mlrunner.core.errors import ConfigError
from mlrunner.core.outcome import Outcome
from mlrunner.tracking.records import TRIAL_TAG, WINNER_OF_TAG, Record
from mlrunner.tracking.records.record import ZENML_RUN_ID_TAG

COSTS = ("seconds", "_ms", "megabytes")  # durations and sizes differ between machines and runs
CHOOSING_PARTS = ("validation", "cv")  # their metrics are recorded under the bare name as well
REFIT_PARTS = ("train/", "test/")  # a trial of a search does not score these rows


@dataclass(frozen=True)
class MetricComparison:
    """A metric of the run and of its reproduction.

    Args:
        name: Name of the part and the metric, like `test/r2`.
        then: Value of the run.
        now: Value of the reproduction; None when it has none.
        is_same: Whether the difference is within the tolerance.
    """

    name: str
    then: float
    now: float | None
    is_same: bool


def check_scores(record: Record) -> None:
    """Check that a run has comparable metrics, before it is run again.

    Raises:
        ConfigError: When it has no metrics, or only those of an unfinished fit.
    """
    is_part = record.status == "KILLED" and TRIAL_TAG in record.tags
    if is_part or not any(compare_metrics(record, {}, 0.0)):
        reason = "was pruned or stopped before its last fit" if is_part else "has no scores"
        raise ConfigError(
            f"Run {record.short} ({record.status}) {reason}, so there is nothing to compare; name a finished run."
        )


def compare_metrics(record: Record, now: dict[str, float], tolerance: float) -> Iterator[MetricComparison]:
    """Compare the metrics of a run with those of its reproduction, without durations and sizes.

    Args:
        record: Record of the run.
        now: Metrics of the reproduction, by name.
        tolerance: Largest relative difference.
    """
    for name, then in record.metrics.items():
        is_duplicate = any(f"{part}/{name}" in record.metrics for part in CHOOSING_PARTS)
        if name.endswith(COSTS) or is_duplicate or not is_own_metric(name, record):
            continue
        value = now.get(name)
        yield MetricComparison(name, then, value, value is not None and is_close(then, value, tolerance))


def is_own_metric(name: str, record: Record) -> bool:
    """Check whether this run computed a metric: the winner of a search copies its validation scores from its trial."""
    if WINNER_OF_TAG in record.tags:
        return name.startswith(REFIT_PARTS)
    return TRIAL_TAG not in record.tags or ZENML_RUN_ID_TAG in record.tags or not name.startswith(REFIT_PARTS)


def is_close(then: float, now: float, tolerance: float) -> bool:
    """Check whether two values differ by at most `tolerance * abs(then)`; 0 compares to the last digit."""
    return then == now or abs(now - then) <= tolerance * abs(then)


def average_metrics(outcomes: Sequence[Outcome], folds: Sequence[dict[str, list[float]]]) -> dict[str, float]:
    """Average the metrics over the seeds of a repeated trial, as the trial does: over all fits at once.

    Args:
        outcomes: Outcome of each seed.
        folds: Scores of every fold by metric, for each seed; empty dictionaries without folds.
    """
    import numpy as np

    if len(outcomes) == 1:
        return outcomes[0].metrics
    part = "cv" if folds[0] else "validation"
    averages: dict[str, float] = {}
    for name in [name for name in outcomes[0].metrics if "/" not in name]:
        single = [[outcome.metrics.get(name, math.nan)] for outcome in outcomes]
        values = [value for seed, scores in enumerate(folds) for value in scores.get(name, single[seed])]
        mean = float(np.mean(values))
        averages |= {name: mean, f"{part}/{name}": mean, f"{part}/{name}_std": float(np.std(values))}
    return averages
