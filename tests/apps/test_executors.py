"""A search on a cluster of real processes finds what it finds on this machine, also when a worker is killed."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import optuna
import psutil
import pytest

from tests.support.dask_cluster import DaskCluster
from tests.support.front_door import UNSAVED, front_door, start_command
from tests.support.http_client import wait_until
from tests.support.ray_cluster import NEEDS_RAY, RayCluster
from tests.support.searches import has_finished, list_scores, list_trials

pytestmark = pytest.mark.slow
WAIT = 120  # seconds, on a busy machine
MODEL = """
import time
from sklearn.linear_model import Ridge


class Slow(Ridge):
    def fit(self, X, y):
        time.sleep(1)
        return super().fit(X, y)
"""
SEARCH = (
    "sweep=optuna", "dataset=diabetes", "model=custom", "model.estimator._target_=slow_models.Slow",
    "+model.estimator.alpha=interval(0.01,10)", "hydra.sweeper.n_trials=4", "hydra.sweeper.n_jobs=1", *UNSAVED,
)  # fmt: skip


def runs_after(home: Path, name: str, count: int) -> bool:
    """Check whether a trial runs, and at least a number of trials have a score."""
    trials = list_trials(home, name)
    has_running = any(trial.state is optuna.trial.TrialState.RUNNING for trial in trials)
    return has_running and sum(trial.value is not None for trial in trials) >= count


def kill_worker(folder: Path) -> None:
    """Kill the worker that runs a trial: the parent of the process that fits, which has the home of the cluster."""
    fitting = [process for process in psutil.process_iter() if is_fitting(process, folder)]
    psutil.Process(fitting[0].ppid()).kill()


def is_fitting(process: psutil.Process, folder: Path) -> bool:
    with contextlib.suppress(psutil.Error):
        is_child = any("mlrunner.search.remote.child" in word for word in process.cmdline())
        return is_child and process.environ().get("MLRUNNER_HOME") == str(folder)
    return False


@pytest.fixture(params=["dask", pytest.param("ray", marks=NEEDS_RAY)])
def cluster(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DaskCluster | RayCluster]:
    (tmp_path / "cluster").mkdir()
    cluster = {"dask": DaskCluster, "ray": RayCluster}[request.param](tmp_path / "cluster")
    yield cluster
    cluster.close()


def test_a_cluster_that_loses_a_worker_finds_the_same(
    session_home: Path, tmp_path: Path, cluster: DaskCluster | RayCluster
) -> None:
    """The estimator is in a folder that the workers do not import from. Ray starts the next worker itself."""
    (tmp_path / "slow_models.py").write_text(MODEL)
    name = "ray" if isinstance(cluster, RayCluster) else "dask"
    here = front_door(session_home, *SEARCH, f"hydra.sweeper.study_name=no-{name}", PYTHONPATH=str(tmp_path))
    assert here.code == 0, here.err
    add_worker(cluster)
    words = (*SEARCH, f"hydra.sweeper.study_name={name}", f"executor={name}", f"executor.address={cluster.address}")
    with start_command(session_home, *words, PYTHONPATH=str(tmp_path)) as process:
        while process.poll() is None and not has_finished(session_home, name):
            time.sleep(0.1)
        time.sleep(0.4)  # the next trial has begun
        kill_worker(tmp_path / "cluster")
        add_worker(cluster)
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert " is lost (the worker " in out
    assert list_scores(session_home, name) == list_scores(session_home, f"no-{name}")
    assert len(list_scores(session_home, name)) == 4
    assert [each.user_attrs.get("void") for each in list_trials(session_home, name)].count("lost") == 1


def add_worker(cluster: DaskCluster | RayCluster) -> None:
    if isinstance(cluster, DaskCluster):
        cluster.add_worker()


GRID_MODEL = """
from sklearn.linear_model import Ridge


class Odd(Ridge):
    def fit(self, X, y):
        if self.alpha == 2:
            raise ValueError("alpha is even")
        return super().fit(X, y)
"""
GRID = (
    "--multirun", "dataset=diabetes", "split=80_20,kfold", "model=custom", "model.estimator._target_=grid_models.Odd",
    "+model.estimator.alpha=range(1,4)", "output=json", *UNSAVED,
)  # fmt: skip


def list_jobs(outcomes: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Return number, name, status, score and overrides of each job of a grid, in their order."""
    fields = ("job", "name", "status", "objective")
    overrides = [(Path(each["folder"]) / ".hydra" / "overrides.yaml").read_text() for each in outcomes]
    rows = [(*(each[name] for name in fields), text) for each, text in zip(outcomes, overrides, strict=True)]
    return sorted(rows, key=lambda row: int(row[0]))


def test_a_grid_on_a_cluster_has_the_jobs_of_hydras_grid(
    session_home: Path, tmp_path: Path, cluster: DaskCluster | RayCluster
) -> None:
    """One value fails: the others run, and the exit code says so."""
    (tmp_path / "grid_models.py").write_text(GRID_MODEL)
    here = front_door(session_home, *GRID, PYTHONPATH=str(tmp_path))
    add_worker(cluster)
    name = "ray" if isinstance(cluster, RayCluster) else "dask"
    words = (*GRID, f"executor={name}", f"executor.address={cluster.address}")
    there = front_door(session_home, *words, PYTHONPATH=str(tmp_path))
    assert (here.code, there.code) == (1, 1), there.err
    jobs = list_jobs(there.json["trials"])
    expected = list_jobs(here.json)
    assert [row[:4] for row in jobs] == [row[:4] for row in expected]
    assert [row[2] for row in jobs] == ["FINISHED", "FAILED", "FINISHED"] * 2
    assert there.json["trials"][0]["job"] == here.json[0]["job"] == there.json["best_trial_number"]
    assert there.json["winner"]["run_id"] is not None


def test_a_search_outlives_its_scheduler_and_its_driver(
    session_home: Path, tmp_path: Path, cluster: DaskCluster | RayCluster
) -> None:
    """The scheduler, or Ray's head, is killed and started again, then the driver is killed and the search resumed."""
    (tmp_path / "slow_models.py").write_text(MODEL.replace("sleep(1)", "sleep(4)"))
    engine = "ray" if isinstance(cluster, RayCluster) else "dask"
    name, variables = f"restarted-{engine}", {"PYTHONPATH": str(tmp_path)}
    add_worker(cluster)
    place = (f"executor={engine}", f"executor.address={cluster.address}", f"hydra.sweeper.study_name={name}")
    with start_command(session_home, *SEARCH, *place, "hydra.sweeper.n_trials=6", **variables) as process:
        wait_until(lambda: runs_after(session_home, name, 1), WAIT)
        restart(cluster)
        wait_until(lambda: runs_after(session_home, name, 3), WAIT)
        process.kill()
        wait_until(lambda: process.poll() is not None, WAIT)
    resumed = front_door(session_home, "resume", name, **variables)
    assert resumed.code == 0, resumed.err
    scores = list_scores(session_home, name)
    assert (len(scores), len(set(scores)), None in [value for _, value in scores]) == (6, 6, False)
    reasons = [trial.user_attrs.get("void") for trial in list_trials(session_home, name)]
    assert (reasons.count("lost"), reasons.count("interrupted"), len(reasons)) == (1, 1, 8)


def restart(cluster: DaskCluster | RayCluster) -> None:
    """Kill the scheduler, or the head with its workers, and start all again at the same address."""
    if isinstance(cluster, RayCluster):
        cluster.restart_head()
    else:
        cluster.restart_scheduler()
        cluster.add_worker()
