"""A home with a few real runs, made once for all test processes that only read it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import compress
from pathlib import Path
from typing import Any

import mlflow
import pytest
from filelock import FileLock
from mlflow import MlflowClient
from mlflow.entities import Run

from tests.support.front_door import UNSAVED, front_door

READY = "recorded.json"
ROWS = "dataset.rows=2000"  # of 20,000


@dataclass(frozen=True)
class Recorded:
    """A home, and the output of each run with `output=json`.

    Args:
        home: Folder that is only read: a further run would change the results of other tests.
        single: Outcome of `model=ridge` on some of the bundled orders, with model and plots.
        folds: Outcome of a random forest with three folds on the same data.
        classes: Outcome of `dataset=wine model=logistic_regression`.
        grid: Outcomes of `dataset=diabetes model=ridge,dummy`, best first.
        search: Summary of a search on diabetes with ridge and rf, six trials and a winner.
    """

    home: Path
    single: dict[str, Any]
    folds: dict[str, Any]
    classes: dict[str, Any]
    grid: list[dict[str, Any]]
    search: dict[str, Any]

    def list_runs(self, where: str = "") -> list[Run]:
        """Find all runs but the parents of sweeps, newest first, by MLflow's own client."""
        before = mlflow.get_tracking_uri()
        client = MlflowClient(f"sqlite:///{self.home}/.mlrunner/mlflow.db")
        runs = client.search_runs([item.experiment_id for item in client.search_experiments()], where)
        mlflow.set_tracking_uri(before)
        tags = [run.data.tags for run in runs]
        is_run = ["mlrunner.sweep_id" not in each or "mlrunner.trial_number" in each for each in tags]
        return list(compress(runs, is_run))


COMMANDS = {
    "single": ["model=ridge", ROWS],
    "folds": ["model=rf", "model.estimator.n_estimators=10", "split=kfold", "split.folds=3", ROWS, *UNSAVED],
    "classes": ["dataset=wine", "model=logistic_regression"],
    "grid": ["--multirun", "dataset=diabetes", "model=ridge,dummy", *UNSAVED],
    "search": [
        "--multirun",
        "sweep=optuna",
        "dataset=diabetes",
        "model=ridge,rf",
        "model.estimator.n_estimators=range(5,20,5)",
        "hydra.sweeper.n_trials=6",
    ],
}


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """Make the home, unless another process of this session has made it."""
    base = tmp_path_factory.getbasetemp()
    home = (base.parent if base.name.startswith("popen-") else base) / "recorded"
    home.mkdir(exist_ok=True)
    with FileLock(home / "lock"):
        file = home / READY
        if not file.exists():
            file.write_text(json.dumps({name: _run(home, command) for name, command in COMMANDS.items()}))
        return Recorded(home, **json.loads(file.read_text()))


def _run(home: Path, command: list[str]) -> Any:
    done = front_door(home, *command, "output=json")
    assert done.code == 0, done.err
    return done.json
