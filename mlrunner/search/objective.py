"""What a search is for, and how long it goes on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlrunner.composition.rules import SECONDS
from mlrunner.core.errors import ConfigError
from mlrunner.evaluation import metrics
from mlrunner.search.settings import Direction, SweepSettings
from mlrunner.tracking.studies import KEY

if TYPE_CHECKING:
    from mlrunner.composition import Objective
    from mlrunner.search.space import Space
    from mlrunner.search.trial import Found


@dataclass(frozen=True)
class Goal:
    """What the search is for.

    Args:
        metrics: Names, the first of which is reported and ranked.
        directions: minimize or maximize, one a metric.
    """

    metrics: tuple[str, ...]
    directions: tuple[Direction, ...]

    @property
    def measured(self) -> str:
        """The first metric that is measured, for the seconds are known only at the end."""
        return next((name for name in self.metrics if name not in SECONDS), self.metrics[0])

    def values(self, found: Found) -> list[float]:
        """Take the objectives from what a trial found; seconds are objectives too."""
        told = {"fit_seconds": found.fit_seconds, "score_seconds": found.score_seconds, **found.metrics}
        return [told.get(name, math.nan) for name in self.metrics]

    def better(self, one: float, other: float) -> bool:
        """Compare two values of the first objective."""
        return one > other if self.directions[0] == "maximize" else one < other


def goal_of(settings: SweepSettings, objective: Objective) -> Goal:
    """Decide the objectives and which way each improves: as the sweeper says, or as the metric does.

    Raises:
        ConfigError: When the numbers of metrics and directions differ, or they contradict each other.
    """
    names = objective.metrics
    said = [settings.direction] if isinstance(settings.direction, str) else settings.direction
    natural: list[Direction] = ["minimize" if name in SECONDS else metrics.direction(name) for name in names]
    if objective.direction is not None and len(names) == 1:
        natural = [objective.direction]
    if said is not None and len(said) != len(names):
        raise ConfigError(
            f"{KEY}.direction names {len(said)} directions, but objective.metric names {len(names)}: "
            f"{', '.join(names)}; give each metric one, as in 'objective.metric=[r2,fit_seconds]' "
            f"'{KEY}.direction=[maximize,minimize]'."
        )
    for name, way, told in zip(names, natural, said or natural, strict=True):
        if way != told:
            raise ConfigError(
                f"{KEY}.direction={told}, but {name} is to {way}; leave the direction out, or set "
                f"objective.direction={told} as well."
            )
    return Goal(tuple(names), tuple(said or natural))


def limit_of(settings: SweepSettings, space: Space) -> int:
    """Count the trials of a sweep: `n_trials`, and of a grid no more than it has.

    Raises:
        ConfigError: When nothing is searched, or nothing says how many trials there shall be.
    """
    if not space.dimensions:
        raise ConfigError(
            f"nothing to search: model={space.model} has no search: of its own and no range was given; add one, such "
            "as model.estimator.alpha=tag(log,interval(0.01,10)) or model=ridge,rf."
        )
    if settings.is_grid:
        size = len(space.grid())
        if size == 0:
            raise ConfigError(f"{KEY}.exclude leaves no combination of the grid; exclude less.")
        return size if settings.n_trials is None else min(size, settings.n_trials)
    if settings.n_trials is None:
        raise ConfigError(f"{KEY}.n_trials is null, which only a grid knows the end of; give a number.")
    return settings.n_trials
