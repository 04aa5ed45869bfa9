"""A study reads each finished trial of a database once, through whichever storage it is loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.storages import InMemoryStorage, RDBStorage

from mlrunner.tracking.optuna_private import cache_trials


class CountingStorage(RDBStorage):
    """Counts how often all trials of a study are read."""

    reads = 0

    def get_all_trials(self, study_id: int, deepcopy: bool = True, states: Any = None) -> Any:
        self.reads += 1
        return super().get_all_trials(study_id, deepcopy, states)


def test_finished_trials_of_a_database_are_read_once(tmp_path: Path) -> None:
    storage = CountingStorage(f"sqlite:///{tmp_path}/s.db")
    optuna.create_study(storage=storage, study_name="a").optimize(lambda trial: trial.suggest_float("x", 0, 1), 3)
    cached = cache_trials(storage)
    for _ in range(2):
        trials = cached.get_all_trials(storage.get_study_id_from_name("a"), deepcopy=False)
        assert [trial.number for trial in trials] == [0, 1, 2]
    assert storage.reads == 0
    storage.engine.dispose()


def test_other_storages_and_versions_without_a_cache_stay_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    storage = InMemoryStorage()
    assert cache_trials(storage) is storage
    monkeypatch.delattr(optuna.storages, "get_storage")
    assert cache_trials(storage) is storage
