"""Optuna's private names, read in Optuna 5.0."""

from __future__ import annotations

from typing import Any

import optuna
from optuna.storages import BaseStorage


def reset_trial_cache(study: optuna.Study, storage: BaseStorage) -> optuna.Study:
    """Make the samplers of a study see the trials of all processes, as `Study.ask` does before each trial.

    Args:
        study: Study; `_thread_local.cached_all_trials` holds the trials that its samplers last read.
        storage: Storage of the study.

    Returns:
        The study; a newly loaded one where this version of Optuna has no such cache.
    """
    cache: Any = getattr(study, "_thread_local", None)
    if not hasattr(cache, "cached_all_trials"):
        return optuna.load_study(study_name=study.study_name, storage=storage, pruner=study.pruner)
    cache.cached_all_trials = None
    return study
