"""Names of Optuna that it calls internal, read in Optuna 5.0."""

from __future__ import annotations

import optuna
from optuna.storages import BaseStorage


def cache_trials(storage: BaseStorage) -> BaseStorage:
    """Return a storage that reads each finished trial of a database once, as that of `optuna.load_study`."""
    get_storage = getattr(optuna.storages, "get_storage", None)
    return storage if get_storage is None else get_storage(storage)
