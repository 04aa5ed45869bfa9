"""A delegate does what its storage does."""

from __future__ import annotations

import optuna
from optuna.storages import BaseStorage, InMemoryStorage

from mlrunner.tracking.storage_delegate import METHODS, StorageDelegate


def test_every_method_of_a_storage_is_passed_on() -> None:
    assert BaseStorage.__abstractmethods__ <= METHODS.keys()
    storage = InMemoryStorage()
    study = optuna.create_study(study_name="a", storage=StorageDelegate(storage))
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), 3)
    study.set_user_attr("key", "value")
    direct = optuna.load_study(study_name="a", storage=storage)
    assert direct.trials == study.trials
    assert (direct.user_attrs, direct.best_trial) == ({"key": "value"}, study.best_trial)
