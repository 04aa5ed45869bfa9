"""Read the results of an earlier sweep that `hydra.sweeper.warm_start` names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from mlrunner.composition.stores import open_store
from mlrunner.core.errors import ConfigError
from mlrunner.search.results import RESULTS_FILE
from mlrunner.tracking.records import lookup
from mlrunner.tracking.records.record import INVALID_TAG
from mlrunner.tracking.studies import SWEEPER_KEY

WARM_START_KEY = f"{SWEEPER_KEY}.warm_start"


def refuse_unlike(name: str, home: Path, dataset: Mapping[str, Any]) -> None:
    """Refuse an earlier sweep with another target or task: what is best for one is not for the other.

    Raises:
        ConfigError: If the sweep predicted something else, or does not exist.
    """
    results, store = read_results(name, home), open_store(home)
    winner = (results.get("winner") or {}).get("run_id")
    runs = [run for run in store.read_runs([str(results.get("best_mlflow_run_id")), str(winner)]) if run is not None]
    invalid = next((run for run in runs if INVALID_TAG in run.tags), None)
    if invalid is not None:
        raise ConfigError(
            f"{WARM_START_KEY}={name}: its best run {invalid.short} is invalid ({invalid.tags[INVALID_TAG]}); rank the "
            f"others with mlrunner resume {name}, name another sweep, or give compositions such as "
            "['model=rf,model.estimator.max_depth=8']."
        )
    if not runs:  # they were removed
        return
    run = runs[0]
    for key in ("target", "task"):
        theirs, ours = run.params.get(f"dataset.{key}"), str(dataset[key])
        if theirs not in (None, ours):
            raise ConfigError(
                f"{WARM_START_KEY}={name} has dataset.{key}={theirs}, not {ours}; name a sweep with {ours}, or give "
                "compositions such as ['model=rf,model.estimator.max_depth=8']."
            )


def read_results(name: str, home: Path) -> dict[str, Any]:
    """Read the results of an earlier sweep.

    Raises:
        ConfigError: If there is no such sweep, or it has not finished.
    """
    folders = lookup.list_sweep_folders(name, home)
    file = next((folder / RESULTS_FILE for folder in folders if (folder / RESULTS_FILE).exists()), None)
    if file is None:
        raise ConfigError(
            f"{WARM_START_KEY}={name} is not a finished sweep; give its folder, or compositions such as "
            "['model=rf,model.estimator.max_depth=8']."
        )
    return dict(yaml.safe_load(file.read_text()))
