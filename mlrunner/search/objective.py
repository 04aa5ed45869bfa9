"""The objectives of a search, and its number of trials."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mlrunner.composition.metric_rules import COST_METRICS
from mlrunner.core.errors import ConfigError
from mlrunner.evaluation import metrics
from mlrunner.search.settings import Direction, SweepSettings
from mlrunner.tracking.studies import SWEEPER_KEY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlrunner.composition.settings import Objective
    from mlrunner.core.score_settings import CustomMetric
    from mlrunner.search.space import Space
    from mlrunner.search.trial import TrialResult


@dataclass(frozen=True)
class Objectives:
    """The objectives of a search.

    Args:
        metrics: Metric names; the first one is reported during a trial, and ranks the trials.
        directions: Direction of each metric.
    """

    metrics: tuple[str, ...]
    directions: tuple[Direction, ...]

    @property
    def measured_metric(self) -> str:
        """The first metric that a trial can report while it runs; seconds are known only at its end."""
        return next((name for name in self.metrics if name not in COST_METRICS), self.metrics[0])

    def get_values(self, result: TrialResult) -> list[float]:
        """Return the values of a trial, one a metric; NaN where a metric is missing."""
        values = {"fit_seconds": result.fit_seconds, "score_seconds": result.score_seconds, **result.metrics}
        return [values.get(name, math.nan) for name in self.metrics]

    def check(self, result: TrialResult) -> TrialResult:
        """Fail a trial that lacks one of several objectives."""
        values = zip(self.metrics, self.get_values(result), strict=True)
        unusable = [(name, value) for name, value in values if not math.isfinite(value)]
        if result.state != "COMPLETE" or not unusable:
            return result
        return replace(result, state="FAIL", error="{} is {}".format(*unusable[0]))

    def is_better(self, value: float, other: float) -> bool:
        """Check whether a value of the first metric is better than another."""
        return value > other if self.directions[0] == "maximize" else value < other


def choose_objectives(
    settings: SweepSettings, objective: Objective, custom: Mapping[str, CustomMetric] | None = None
) -> Objectives:
    """Combine `objective.metric` with the directions: those of the sweeper, or else those of the metrics.

    Raises:
        ConfigError: When the numbers of metrics and directions differ, or a direction contradicts its metric.
    """
    names = objective.metrics
    directions = [settings.direction] if isinstance(settings.direction, str) else settings.direction
    natural: list[Direction] = [
        "minimize" if name in COST_METRICS else metrics.direction(name, custom=custom) for name in names
    ]
    if objective.direction is not None and len(names) == 1:
        natural = [objective.direction]
    if directions is not None and len(directions) != len(names):
        raise ConfigError(
            f"{SWEEPER_KEY}.direction needs one direction for each metric ({', '.join(names)}), got {len(directions)}; "
            f"write it like 'objective.metric=[r2,fit_seconds]' '{SWEEPER_KEY}.direction=[maximize,minimize]'."
        )
    for name, expected, direction in zip(names, natural, directions or natural, strict=True):
        if expected != direction:
            raise ConfigError(
                f"{SWEEPER_KEY}.direction={direction} contradicts {name}, whose direction is {expected}; leave the "
                f"direction out, or set objective.direction={direction} as well."
            )
    return Objectives(tuple(names), tuple(directions or natural))


def count_trials(settings: SweepSettings, space: Space) -> int:
    """Count the trials of a sweep: `n_trials`, and in a grid at most its combinations.

    Raises:
        ConfigError: When the space is empty, or nothing limits the number of trials.
    """
    if not space.dimensions:
        raise ConfigError(
            f"nothing to search: model={space.model} has no search: of its own and no range was given; add one, such "
            "as model.estimator.alpha=tag(log,interval(0.01,10)) or model=ridge,rf."
        )
    if settings.is_grid:
        size = len(space.grid())
        if size == 0:
            raise ConfigError(f"{SWEEPER_KEY}.exclude leaves no combination of the grid; exclude less.")
        return size if settings.n_trials is None else min(size, settings.n_trials)
    if settings.n_trials is None:
        raise ConfigError(f"{SWEEPER_KEY}.n_trials is null, which only a grid allows; set it to a number.")
    return settings.n_trials
