"""Every combination of a grid once, in order, whoever works at it; also where each model has keys of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from optuna.samplers import BaseSampler

from mlrunner.search.trial_queue import grid_place

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial


class GridOrder(BaseSampler):
    """Gives the n-th trial the n-th combination.

    Optuna's own sampler wants every parameter in every trial, and may draw a combination twice when two processes ask.

    Args:
        combinations: The parameters of each.
    """

    def __init__(self, combinations: list[dict[str, Any]]) -> None:
        self._combinations = combinations

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Nothing is drawn together."""
        del study, trial
        return {}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Nothing is drawn together."""
        del study, trial, search_space
        return {}

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Look the value up."""
        del param_distribution
        place = grid_place(study.get_trials(deepcopy=False), trial.number)
        return self._combinations[place % len(self._combinations)][param_name]
