"""What one more trial costs on this machine's pool and on a Dask cluster, and what a second worker brings.

Both run the same searches in turn, each in a new process; compare the ratios, since machines are noisy.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

PROJECT = Path(__file__).parents[1]
SEARCH = ("sweep=optuna", "dataset=diabetes", "output=json", "tracking.plots=false", "tracking.log_model=false")
SLOPE = ("model=ridge", "hydra.sweeper.n_jobs=1")
BUSY = ("model=rf", "threads=1", "model.estimator.n_estimators=600", "model.estimator.max_depth=choice(8,9,10)")
EXECUTORS = ("local", "dask")


def time_search(home: Path, *overrides: str) -> float:
    """Run a search in a new process, and return its seconds."""
    command = [sys.executable, "-m", "mlrunner", *SEARCH, *overrides]
    started = time.perf_counter()
    subprocess.run(command, cwd=PROJECT, check=True, stdout=subprocess.DEVNULL, env=_environment(home))
    return time.perf_counter() - started


def _environment(home: Path) -> dict[str, str]:
    return {**os.environ, "MLRUNNER_HOME": str(home), "OMP_WAIT_POLICY": "passive"}


def measure(rounds: int) -> dict[str, dict[str, float]]:
    """Return the seconds of one more trial, and the speed-up of two workers, by executor."""
    results: dict[str, dict[str, list[float]]] = {name: {"trial": [], "speed_up": []} for name in EXECUTORS}
    with tempfile.TemporaryDirectory() as folder:
        time_search(Path(folder), *SLOPE, "hydra.sweeper.n_trials=2")  # makes the stores
        for _ in range(rounds):
            for name in EXECUTORS:
                few, many = (
                    time_search(Path(folder), *SLOPE, f"executor={name}", f"hydra.sweeper.n_trials={count}")
                    for count in (5, 45)
                )
                results[name]["trial"].append((many - few) / 40)
                results[name]["speed_up"].append(_measure_speed_up(Path(folder), name))
    return {name: {key: median(values) for key, values in each.items()} for name, each in results.items()}


def _measure_speed_up(home: Path, name: str) -> float:
    """Return how much faster 24 trials without the start are with two workers than with one."""
    seconds = []
    for workers in (1, 2):
        few, many = (
            time_search(
                home, *BUSY, f"executor={name}", f"hydra.sweeper.n_jobs={workers}", f"hydra.sweeper.n_trials={count}"
            )
            for count in (4, 28)
        )
        seconds.append(many - few)
    return seconds[0] / seconds[1]


def main() -> None:
    """Print the medians as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1)
    print(json.dumps(measure(parser.parse_args().rounds), indent=2))


if __name__ == "__main__":
    main()
