"""Ours beside the peers: the same search by mlrunner, in stores that are made before the clock starts."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).absolute().parents[2]
SPACES = {
    "xgb": [
        "model=xgboost",
        "model.features.impute=median",  # as the peers do: XGBoost is slower where there are gaps
        "model.estimator.n_estimators=100",
        "model.estimator.colsample_bytree=1.0",
        "model.estimator.max_depth=int(interval(3,8))",
        "model.estimator.learning_rate=tag(log,interval(0.03,0.3))",
        "model.estimator.subsample=interval(0.5,1.0)",
    ],
    "ridge": ["model=ridge", "model.estimator.alpha=tag(log,interval(0.001,1000))"],
}
SHARED = [
    "~model.search", "dataset=csv", "dataset.target=target", "dataset.task=regression", "cleaning=none",
    "split=80_20", "split.validation=0.2", "split.test=0.01",
    "objective.metric=rmse", "tracking.plots=false", "output=json",
]  # fmt: skip


@dataclass(frozen=True)
class Ours:
    """Our side.

    Args:
        folder: For the stores; they are put back to their first state before each search, data not in the cache.
        table: What is learned from.
        variables: The environment of all processes.
    """

    folder: Path
    table: Path
    variables: dict[str, str]

    @property
    def home(self) -> Path:
        """Where mlrunner keeps everything."""
        return self.folder / "home"

    def warm(self, other: Path) -> None:
        """Make the stores by a short search on another table, and keep a copy."""
        self.home.mkdir(parents=True)
        command = self.command("xgb", 2, 2, other)
        subprocess.run(command, check=True, capture_output=True, cwd=PROJECT, env=self.environment)
        shutil.copytree(self.home, self.folder / "warm")
        read_seconds(other)  # imports

    def restore(self) -> None:
        """Put the stores back; at the same path, which they remember."""
        shutil.rmtree(self.home)
        shutil.copytree(self.folder / "warm", self.home)

    @property
    def environment(self) -> dict[str, str]:
        """Tell mlrunner its home."""
        return {**self.variables, "MLRUNNER_HOME": str(self.home)}

    def command(self, model: str, trials: int, jobs: int, table: Path | None = None) -> list[str]:
        """Write the command line of a search."""
        sweeper = [f"hydra.sweeper.n_trials={trials}", f"hydra.sweeper.n_jobs={jobs}"]
        data = f"dataset.path={table or self.table}"
        overrides = ["sweep=optuna", *SPACES[model], *SHARED, data, *sweeper]
        return [sys.executable, "-m", "mlrunner", "-m", *overrides]


def read_seconds(table: Path) -> float:
    """Time the reading of the table, digest and all, as mlrunner does while it checks the composition.

    Its search begins after that, while the peers' clocks include their reading; so this is added to its search.
    """
    import yaml

    from mlrunner.core.build import build

    group = yaml.safe_load((PROJECT / "conf" / "dataset" / "csv.yaml").read_text())
    dataset: Any = build({**group, "path": str(table), "target": "target", "task": "regression"}, "dataset")
    began = time.perf_counter()
    dataset.fingerprint()
    dataset.load()
    return time.perf_counter() - began


def line(result: dict[str, Any], jobs: int, process_s: float, read_s: float) -> dict[str, Any]:
    """Describe a search in the words of a peer.

    Args:
        result: JSON document that mlrunner printed.
        jobs: Trials at once.
        process_s: Seconds of the process, for an mlrunner that tells no `timing`.
        read_s: Seconds of reading the table, which `timing` leaves out.
    """
    timing = result.get("timing")
    search, whole = (timing["search"] + read_s, timing["whole"] + read_s) if timing else (process_s, process_s)
    trials, fit = result["trials"], sum(one["fit_seconds"] + one["score_seconds"] for one in result["trials"])
    return {
        "peer": f"ours[jobs={jobs}]",
        "wall_s": search,
        "whole_s": whole,
        "read_s": read_s,
        "timing": timing,
        "clock": "search" if timing else "process",
        "trials": len(trials),
        "best": result["best_value"],
        "fit_s": fit,
        "parallel": jobs,
        "overhead_ms_per_trial": (search - fit / jobs) / len(trials) * 1000,
    }
