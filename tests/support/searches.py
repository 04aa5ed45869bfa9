"""Read the study of a search that runs or has run, from its journal."""

from __future__ import annotations

import contextlib
from pathlib import Path

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend


def list_trials(home: Path, name: str) -> list[optuna.trial.FrozenTrial]:
    """List the trials of a study; empty before it is there."""
    journal = home / ".mlrunner" / "studies" / f"{name}.journal"
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with contextlib.suppress(KeyError):
        if journal.exists():
            storage = JournalStorage(JournalFileBackend(str(journal)))
            return optuna.load_study(study_name=name, storage=storage).get_trials()
    return []


def list_scores(home: Path, name: str) -> list[tuple[str, float | None]]:
    """Return parameters and score of each trial that counts."""
    trials = [trial for trial in list_trials(home, name) if "void" not in trial.user_attrs]
    return sorted((repr(trial.params), trial.value) for trial in trials)


def has_finished(home: Path, name: str) -> bool:
    """Check whether a search has finished a trial."""
    return any(trial.state.is_finished() for trial in list_trials(home, name))
