"""What one more trial costs on this pool, on Dask and on Ray, what a second worker brings, what one driver feeds.

All run the same searches in turn, each in a new process; compare the ratios, since machines are noisy.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
import psycopg

PROJECT = Path(__file__).parents[1]
sys.path.insert(0, str(PROJECT))
from tests.support.dask_cluster import DaskCluster  # noqa: E402
from tests.support.network import open_hosts  # noqa: E402
from tests.support.postgresql import postgresql_server  # noqa: E402

ROWS = 100_000  # of the table that workers fetch
SEARCH = ("sweep=optuna", "dataset=diabetes", "output=json", "tracking.plots=false", "tracking.log_model=false")
SLOPE = ("model=ridge", "hydra.sweeper.n_jobs=1")
BUSY = ("model=rf", "threads=1", "model.estimator.n_estimators=600", "model.estimator.max_depth=choice(8,9,10)")
SLEEPING = """
import time
from sklearn.linear_model import Ridge

class Sleeping(Ridge):
    def fit(self, X, y, sample_weight=None):
        time.sleep(SECONDS)
        return super().fit(X, y, sample_weight)
"""
SLEEP_SECONDS, SLEEPS = 5, 4  # of a trial; trials of a worker after its first one
SLEEPER = ("model=custom", "model.estimator._target_=sleeping.Sleeping", "+model.estimator.alpha=interval(0.01,10)")
EXECUTORS = ["local", "dask", *(["ray"] if find_spec("ray") else [])]


def time_search(home: Path, *overrides: str) -> float:
    """Run a search in a new process, and return its seconds."""
    command = [sys.executable, "-m", "mlrunner", *SEARCH, *overrides]
    started = time.perf_counter()
    subprocess.run(command, cwd=PROJECT, check=True, stdout=subprocess.DEVNULL, env=_environment(home))
    return time.perf_counter() - started


def _environment(home: Path) -> dict[str, str]:
    return {**os.environ, "MLRUNNER_HOME": str(home), "PYTHONPATH": f"{PROJECT}:{home}", "OMP_WAIT_POLICY": "passive"}


def measure_trial(home: Path, name: str) -> float:
    """Return the seconds of one more trial: 40 of them, without the start."""
    few, many = (time_search(home, *SLOPE, f"executor={name}", f"hydra.sweeper.n_trials={count}") for count in (5, 45))
    return (many - few) / 40


def measure_speed_up(home: Path, name: str) -> float:
    """Return how much faster 24 trials without the start are with two workers than with one."""
    seconds = []
    for workers in (1, 2):
        size = f"hydra.sweeper.n_jobs={workers}"
        few, many = (
            time_search(home, *BUSY, f"executor={name}", size, f"hydra.sweeper.n_trials={count}") for count in (4, 28)
        )
        seconds.append(many - few)
    return seconds[0] / seconds[1]


MEASURES = {"trial": measure_trial, "speed_up": measure_speed_up}


def measure_busy(home: Path, name: str, workers: int) -> dict[str, float]:
    """Return how busy workers are whose trials only sleep, after the first trial of each, and the trials a second."""
    (home / "sleeping.py").write_text(SLEEPING.replace("SECONDS", str(SLEEP_SECONDS)))
    sizes = (f"hydra.sweeper.n_jobs={workers}", f"hydra.sweeper.n_trials={(1 + SLEEPS) * workers}")
    time_search(home, *SLEEPER, f"executor={name}", "hydra/sweeper/sampler=random", *sizes)
    newest = max((home / "multirun").glob("*/*"), key=lambda folder: folder.name)
    ends = sorted(file.stat().st_mtime for file in newest.glob("*/trial_result.json"))
    seconds = ends[-1] - ends[workers - 1]
    return {"busy": SLEEPS * SLEEP_SECONDS / seconds, "trials_per_second": SLEEPS * workers / seconds}


def measure_fetched(folder: Path, workers: int) -> dict[str, int]:
    """Return the bytes that a node of Dask workers receives in a search of eight trials, and those of its tables.

    The node is a network namespace, which needs root, and does not see the folder of the driver.
    """
    home, node = folder / f"driver{workers}", folder / f"node{workers}"
    home.mkdir()
    node.mkdir()
    rows = np.random.default_rng(0).normal(size=(ROWS, 10))
    pd.DataFrame(rows, columns=[f"x{number}" for number in range(10)]).assign(y=rows[:, 0]).to_csv(home / "t.csv")
    words = ("dataset=csv", f"dataset.path={home}/t.csv", "dataset.target=y", f"hydra.sweeper.n_jobs={workers}")
    with open_hosts(1) as (host,), closing(DaskCluster(node)) as cluster:
        for _ in range(workers):
            cluster.add_worker(hides=(home,), host=host)
        address = (f"executor.address={cluster.address}", "hydra.sweeper.n_trials=8", "hydra.sweeper.refit=false")
        time_search(home, "model=ridge", *words, "executor=dask", *address)
        received = Path(f"/sys/class/net/{host.prefix[-1]}/statistics/tx_bytes").read_text()
    return {"received": int(received), "tables": sum(file.stat().st_size for file in node.rglob("*.arrow"))}


def measure_connections(home: Path, workers: int) -> int:
    """Return the largest number of connections to PostgreSQL of a search, each of whose workers sleeps twice."""
    (home / "sleeping.py").write_text(SLEEPING.replace("SECONDS", str(SLEEP_SECONDS)))
    with postgresql_server() as server, psycopg.connect(server.address.replace("+psycopg", "")) as watching:
        watching.autocommit = True
        watching.execute("CREATE DATABASE studies")
        storage = f"hydra.sweeper.storage={server.address.removesuffix('postgres')}studies"
        sizes = (f"hydra.sweeper.n_jobs={workers}", f"hydra.sweeper.n_trials={2 * workers}")
        command = [sys.executable, "-m", "mlrunner", *SEARCH, *SLEEPER, *sizes, storage, "hydra.sweeper.refit=false"]
        search = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.DEVNULL, env=_environment(home))
        most = 0
        while search.poll() is None:
            (count,) = watching.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = 'studies'").fetchone()
            most = max(most, count)
            time.sleep(0.1)
    if search.returncode:
        raise RuntimeError(f"the search with {workers} workers has failed")
    return most


def measure(rounds: int, measures: list[str]) -> dict[str, dict[str, list[float]]]:
    """Return the values of all rounds, by measure and executor; the executors take turns."""
    values: dict[str, dict[str, list[float]]] = {measure: {name: [] for name in EXECUTORS} for measure in measures}
    with tempfile.TemporaryDirectory() as folder:
        time_search(Path(folder), *SLOPE, "hydra.sweeper.n_trials=2")  # makes the stores
        for _ in range(rounds):
            for measure in measures:
                for name in EXECUTORS:
                    values[measure][name].append(MEASURES[measure](Path(folder), name))
    return values


def main() -> None:
    """Print all values and their medians as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--measures", nargs="*", choices=MEASURES, default=list(MEASURES))
    parser.add_argument("--workers", type=int, nargs="*", default=[], help="numbers of workers whose trials only sleep")
    parser.add_argument("--fetched", type=int, nargs="*", default=[], help="numbers of workers of a node")
    parser.add_argument("--connections", type=int, nargs="*", default=[], help="numbers of workers of a shared study")
    arguments = parser.parse_args()
    values = measure(arguments.rounds, arguments.measures)
    medians = {name: {key: median(each) for key, each in row.items()} for name, row in values.items()}
    with tempfile.TemporaryDirectory() as folder:
        sleeping = {
            name: {workers: measure_busy(Path(folder), name, workers) for workers in arguments.workers}
            for name in EXECUTORS
        }
        fetched = {workers: measure_fetched(Path(folder), workers) for workers in arguments.fetched}
        connections = {workers: measure_connections(Path(folder), workers) for workers in arguments.connections}
    facts = {"load": os.getloadavg()[0], "medians": medians, "values": values, "sleeping": sleeping}
    print(json.dumps({**facts, "fetched": fetched, "connections": connections}, indent=2))


if __name__ == "__main__":
    main()
