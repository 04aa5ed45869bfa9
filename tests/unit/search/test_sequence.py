"""Samplers and pruners see the trials that a search without an interruption would have, and none that is invalid."""

from __future__ import annotations

from typing import Any

import optuna
from optuna.distributions import FloatDistribution
from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial, TrialState, create_trial

from mlrunner.search.sequence import SequencePruner, SequenceSampler, SequenceStorage, SequenceView, list_sequence
from mlrunner.search.trial_attributes import INVALID_TRIALS, RETRY_OF, VOID, TrialCounter

X = {"x": FloatDistribution(0, 1)}


def make_study(storage: InMemoryStorage) -> optuna.Study:
    """Make a study: trial 1 was interrupted and repeated as 3, trial 2 was one too many, trial 4 is invalid."""
    study = optuna.create_study(storage=storage, study_name="a", direction="maximize")
    attributes: list[dict[str, Any]] = [{}, {VOID: "interrupted"}, {VOID: "surplus"}, {RETRY_OF: 1}, {}]
    for number, attrs in enumerate(attributes):
        values = None if VOID in attrs else number / 10
        state = TrialState.FAIL if VOID in attrs else TrialState.COMPLETE
        study.add_trial(create_trial(state=state, value=values, params={"x": 0.5}, distributions=X, user_attrs=attrs))
    study.set_user_attr(INVALID_TRIALS, {"4": "it leaks"})
    return study


def describe(trials: list[FrozenTrial]) -> list[tuple[int, str, float | None]]:
    return [(trial.number, trial.state.name, trial.value) for trial in trials]


SEQUENCE = [(0, "COMPLETE", 0.0), (1, "COMPLETE", 0.3), (2, "FAIL", None)]


def test_each_place_holds_the_last_trial_that_repeats_it() -> None:
    storage = InMemoryStorage()
    study = make_study(storage)
    trials = study.get_trials(deepcopy=False)
    assert describe(list_sequence(trials, TrialCounter().number_places(trials), {"4": ""})) == SEQUENCE
    assert describe(list_sequence(trials, TrialCounter().number_places(trials)))[2] == (2, "COMPLETE", 0.4)
    assert [trial.number for trial in study.get_trials()] == [0, 1, 2, 3, 4]  # the study itself is as it was


def test_a_study_of_the_sequence_finds_its_best_trial_among_valid_ones() -> None:
    storage = InMemoryStorage()
    make_study(storage)
    study = optuna.load_study(study_name="a", storage=SequenceStorage(storage, TrialCounter()))
    assert describe(study.get_trials()) == SEQUENCE
    assert describe(study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))) == SEQUENCE[:2]


class Witness(optuna.samplers.RandomSampler, optuna.pruners.NopPruner):
    """Notes which trial it is asked about, and which trials it sees."""

    def __init__(self) -> None:
        super().__init__(seed=0)
        self.seen: list[tuple[int, list[int]]] = []

    def note(self, study: optuna.Study, trial: FrozenTrial) -> None:
        self.seen.append((trial.number, [each.number for each in study.get_trials()]))

    def sample_independent(self, study: optuna.Study, trial: FrozenTrial, *arguments: Any) -> Any:
        self.note(study, trial)
        return super().sample_independent(study, trial, *arguments)

    def after_trial(self, study: optuna.Study, trial: FrozenTrial, *arguments: Any) -> None:
        del arguments
        self.note(study, trial)

    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        self.note(study, trial)
        return False


def test_samplers_and_pruners_get_places_as_numbers() -> None:
    storage, witness = InMemoryStorage(), Witness()
    study = make_study(storage)
    study.pruner = witness
    view = SequenceView(study, storage, TrialCounter())
    SequenceView(study, storage, TrialCounter())  # a second session of this process
    assert isinstance(study.pruner, SequencePruner)
    assert study.pruner.pruner is witness
    study.sampler = SequenceSampler(witness, view, 3)
    trial = study.ask()
    trial.suggest_float("x", 0, 1)
    assert not trial.should_prune()
    study.tell(trial, 0.5)
    assert trial.number == 5
    assert witness.seen == [(3, [0, 1, 2, 3])] * 3
