"""A sampler that tries every combination of a grid once, in order, with any number of processes."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial

if TYPE_CHECKING:
    from mlrunner.search.space import Space


def list_combinations(space: Space, seed: int | None) -> list[dict[str, Any]]:
    """List the combinations of a grid: in order, or shuffled by `hydra.sweeper.sampler.seed`."""
    combinations = space.grid()
    return combinations if seed is None else random.Random(seed).sample(combinations, len(combinations))


class GridOrder(BaseSampler):
    """Sampler that gives the n-th trial of the sequence the n-th combination.

    `optuna.samplers.GridSampler` requires every parameter in every trial, although each model has its own, and may draw
    a combination twice when two processes ask at the same time.
    """

    def __init__(self, combinations: list[dict[str, Any]]) -> None:
        self._combinations = combinations

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Return no parameters, since none are sampled jointly."""
        del study, trial
        return {}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Return no values, since no parameters are sampled jointly."""
        del study, trial, search_space
        return {}

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Return the value of a parameter in the combination of the trial."""
        del study, param_distribution
        return self._combinations[trial.number % len(self._combinations)][param_name]
