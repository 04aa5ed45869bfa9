"""The samplers of a study see the trials of other processes."""

from __future__ import annotations

import optuna
import pytest
from optuna.storages import InMemoryStorage

from mlrunner.search.optuna_private import reset_trial_cache


class CountingSampler(optuna.samplers.RandomSampler):
    """Counts the trials that a sampler reads."""

    def __init__(self) -> None:
        super().__init__(seed=0)
        self.counts: list[int] = []

    def infer_relative_search_space(self, study: optuna.Study, trial: optuna.trial.FrozenTrial) -> dict[str, object]:
        del trial
        self.counts.append(len(study._get_trials(deepcopy=False, use_cache=True)))
        return {}


def read_counts(study: optuna.Study, storage: InMemoryStorage) -> list[int]:
    """Count the trials that a sampler reads before and after another process adds one."""
    sampler = CountingSampler()
    for _ in range(2):
        study = reset_trial_cache(study, storage)
        study.sampler = sampler
        trial_id = storage.create_new_trial(storage.get_study_id_from_name(study.study_name))
        optuna.trial.Trial(study, trial_id).suggest_float("x", 0, 1)
        optuna.load_study(study_name=study.study_name, storage=storage).ask()
    return sampler.counts


@pytest.fixture
def storage() -> InMemoryStorage:
    return InMemoryStorage()


def test_a_reset_cache_reads_all_trials(storage: InMemoryStorage) -> None:
    study = optuna.create_study(storage=storage)
    assert reset_trial_cache(study, storage) is study
    assert read_counts(study, storage) == [1, 3]


def test_a_version_without_the_cache_loads_the_study_anew(
    storage: InMemoryStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = optuna.create_study(storage=storage, pruner=optuna.pruners.NopPruner())
    monkeypatch.delattr(study, "_thread_local")
    loaded = reset_trial_cache(study, storage)
    assert (loaded.study_name, loaded.pruner) == (study.study_name, study.pruner)
    monkeypatch.undo()
    assert read_counts(loaded, storage) == [1, 3]


def test_ask_sees_the_same_trials(storage: InMemoryStorage) -> None:
    """The public behaviour that the private name stands for."""
    sampler = CountingSampler()
    study = optuna.create_study(storage=storage, sampler=sampler)
    for _ in range(2):
        study.ask().suggest_float("x", 0, 1)
        optuna.load_study(study_name=study.study_name, storage=storage).ask()
    assert sampler.counts == [1, 3]
