"""A study as samplers and pruners see it: the sequence of draws that a search without an interruption would have.

A trial that was interrupted or failed is repeated under another number. Optuna seeds by numbers, and learns from each
trial, so that a resumed search would draw other values. Here, each place of the sequence holds the last trial that
repeats it, numbered by its place. Invalid trials have failed: nothing is learned from them.
"""

from __future__ import annotations

import copy
from collections.abc import Container, Mapping
from typing import TYPE_CHECKING, Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.pruners import BasePruner
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, TrialState

from mlrunner.search.trial_attributes import INVALID_TRIALS, TrialCounter
from mlrunner.tracking.optuna_private import cache_trials
from mlrunner.tracking.storage_delegate import StorageDelegate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optuna import Study
    from optuna.storages import BaseStorage


class SequenceStorage(StorageDelegate):
    """Storage whose trials are those of the sequence; everything else is that of the storage."""

    def __init__(self, storage: BaseStorage, counter: TrialCounter) -> None:
        super().__init__(storage)
        self._counter = counter

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        """Return the trials of the sequence."""
        trials = self.storage.get_all_trials(study_id, deepcopy=False)
        invalid = self.storage.get_study_user_attrs(study_id).get(INVALID_TRIALS, {})
        places = self._counter.number_places(trials)
        sequence = [
            trial for trial in list_sequence(trials, places, invalid) if states is None or trial.state in states
        ]
        return copy.deepcopy(sequence) if deepcopy else sequence


def list_sequence(
    trials: list[FrozenTrial], places: Mapping[int, int], invalid: Container[str] = ()
) -> list[FrozenTrial]:
    """List the last trial of each place, numbered by its place; invalid ones have failed.

    Args:
        trials: All trials of a study.
        places: Place of each trial by number.
        invalid: Numbers of the trials that have failed.
    """
    sequence: dict[int, FrozenTrial] = {}
    for number, place in places.items():
        trial = _place(trials[number], place)
        if place in sequence:  # what a sampler noted when it drew these parameters, such as their generation
            trial.system_attrs = {**sequence[place].system_attrs, **trial.system_attrs}
        if str(number) in invalid:
            trial = trial if trial is not trials[number] else copy.copy(trial)
            trial.state, trial.values = TrialState.FAIL, None
        sequence[place] = trial
    return [sequence[place] for place in sorted(sequence)]


def _place(trial: FrozenTrial, place: int) -> FrozenTrial:
    """Return a trial with its place as its number: itself where they are equal, else a copy."""
    if trial.number == place:
        return trial
    placed = copy.copy(trial)
    placed.number = place
    return placed


class SequenceView:
    """Gives samplers and pruners the sequence of a study.

    Args:
        study: Study that other processes may work on too.
        storage: Storage of the study.
        counter: Counter of the trials of the study.
    """

    def __init__(self, study: Study, storage: BaseStorage, counter: TrialCounter) -> None:
        self._study, self._storage = study, SequenceStorage(cache_trials(storage), counter)
        self._counter = counter
        self._pruner = study.pruner.pruner if isinstance(study.pruner, SequencePruner) else study.pruner
        study.pruner = SequencePruner(self, self._pruner)

    def open(self) -> Study:
        """Load the sequence as a study, whose samplers read the trials once."""
        return optuna.load_study(study_name=self._study.study_name, storage=self._storage, pruner=self._pruner)

    def find_place(self, trial: FrozenTrial) -> FrozenTrial:
        """Return a trial, numbered by its place; itself where it has none."""
        places = self._counter.number_places(self._study.get_trials(deepcopy=False))
        return _place(trial, places.get(trial.number, trial.number))


class SequenceSampler(BaseSampler):
    """Sampler of one trial, which sees the sequence."""

    def __init__(self, sampler: BaseSampler, view: SequenceView, place: int) -> None:
        self._sampler, self._view, self._place, self._study = sampler, view, place, view.open()

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Return the parameters that are sampled jointly."""
        del study
        return self._sampler.infer_relative_search_space(self._study, _place(trial, self._place))

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Sample parameters jointly."""
        del study
        return self._sampler.sample_relative(self._study, _place(trial, self._place), search_space)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Sample one parameter."""
        del study
        placed = _place(trial, self._place)
        return self._sampler.sample_independent(self._study, placed, param_name, param_distribution)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Prepare the sampler for a trial."""
        del study
        self._sampler.before_trial(self._study, _place(trial, self._place))

    def after_trial(self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None) -> None:
        """Tell the sampler the result of a trial."""
        del study
        self._sampler.after_trial(self._view.open(), self._view.find_place(trial), state, values)


class SequencePruner(BasePruner):
    """Pruner that sees the sequence."""

    def __init__(self, view: SequenceView, pruner: BasePruner) -> None:
        self._view, self.pruner = view, pruner

    def prune(self, study: Study, trial: FrozenTrial) -> bool:
        """Judge whether a trial is pruned."""
        del study
        return self.pruner.prune(self._view.open(), self._view.find_place(trial))
