"""The same cases for the pool of this machine and for a Dask cluster of real processes, and what only a cluster has."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mlrunner.groups.executor.dask_engine import DaskEngine
from mlrunner.search.executor import Event, Executor, Step
from mlrunner.search.remote.dask_executor import DaskExecutor
from mlrunner.search.trial import TrialResult
from mlrunner.search.workers import WorkerPool
from tests.support.dask_cluster import DaskCluster
from tests.support.trials import TIMEOUT, Data, family_settings, model_settings, run_trial, scripted, sleeper

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:::distributed")]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    return Data(tmp_path_factory.mktemp("tables") / "files")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    cluster = DaskCluster(tmp_path_factory.mktemp("cluster"))
    for _ in range(2):
        cluster.add_worker()
    yield cluster
    cluster.close()


@pytest.fixture
def executor(cluster: DaskCluster) -> Iterator[DaskExecutor]:
    executor = DaskExecutor(DaskEngine(address=cluster.address), 2, print)
    wait_for_room(executor, 2)
    yield executor
    executor.close()


@pytest.fixture(params=["pool", "dask"])
def either(request: pytest.FixtureRequest) -> Iterator[Executor]:
    """Two workers of each kind of executor."""
    if request.param == "dask":
        yield request.getfixturevalue("executor")
        return
    pool = WorkerPool(2, 1)
    yield pool
    pool.kill()
    pool.close()


def wait_for_room(executor: Executor, room: int) -> None:
    deadline = time.monotonic() + TIMEOUT
    while executor.room != room and time.monotonic() < deadline:
        assert executor.wait(0.1) == []
    assert executor.room == room


def wait_for_events(executor: Executor) -> Iterator[Event]:
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline:
        yield from executor.wait(0.1)
    raise TimeoutError


def wait_for_results(executor: Executor, count: int, prunes: tuple[int, ...] = ()) -> dict[int, TrialResult]:
    results: dict[int, TrialResult] = {}
    for event in wait_for_events(executor):
        if isinstance(event, Step):
            executor.answer(event.number, event.number in prunes)
        else:
            results[event.number] = event
        if len(results) == count:
            break
    return results


def wait_for_note(notes: Path) -> int:
    """Wait until a trial has started, and return its process id."""
    deadline = time.monotonic() + TIMEOUT
    while not any(notes.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return int(next(notes.iterdir()).name)


def test_a_worker_returns_what_this_process_computes(data: Data, either: Executor) -> None:
    task = data.task(family_settings("xgboost"), prunes=True)
    expected = run_trial(replace(task, prunes=False))
    for number in (0, 1):
        either.submit(replace(task, number=number))
    assert either.room == 0
    results = wait_for_results(either, 2, prunes=(1,))
    assert (results[0].state, results[0].metrics, results[0].scores) == ("COMPLETE", expected.metrics, expected.scores)
    assert (results[1].state, either.room) == ("PRUNED", 2)


def test_failures_of_a_trial_are_told_apart_from_a_lost_process(data: Data, either: Executor, tmp_path: Path) -> None:
    either.submit(replace(data.task(scripted(raises="ValueError")), number=3))
    either.submit(replace(data.task(sleeper(ends="at once")), number=4))
    results = wait_for_results(either, 2)
    assert (results[3].state, results[3].error) == ("FAIL", "ValueError: no more")
    assert results[4] == TrialResult(4, "FAIL", error="the worker ended with code 3")
    either.submit(replace(data.task(sleeper(seconds=30, notes=str(tmp_path))), number=5))
    os.kill(wait_for_note(tmp_path), signal.SIGKILL)
    assert wait_for_results(either, 1)[5] == TrialResult(5, "LOST", error="the worker was killed by SIGKILL")


MODULE = """
import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin


class Own(RegressorMixin, BaseEstimator):
    def fit(self, X, y):
        self.mean_ = float(np.mean(y))
        return self

    def predict(self, X):
        return np.full(len(X), self.mean_)
"""


@pytest.mark.skipif(os.getuid() != 0, reason="hiding a folder from a process needs root")
def test_tables_models_and_modules_travel_to_a_machine_without_the_disk(
    data: Data, cluster: DaskCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_estimators.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    task = data.task(model_settings("own_estimators.Own"), model_file=str(tmp_path / "sweep" / "7" / "model.joblib"))
    expected = run_trial(replace(task, model_file=None))  # imports the module
    alone = DaskCluster(cluster.make_folder("alone"))
    try:
        alone.add_worker(hides=(data.folder, tmp_path))
        executor = DaskExecutor(DaskEngine(address=alone.address), 1, print)
        wait_for_room(executor, 1)
        executor.submit(replace(task, number=7))
        result = wait_for_results(executor, 1)[7]
        executor.close()
    finally:
        alone.close()
    assert (result.state, result.metrics) == ("COMPLETE", expected.metrics)
    assert Path(str(task.model_file)).stat().st_size > 0


def test_cancelled_trials_end_in_their_workers(data: Data, executor: DaskExecutor, tmp_path: Path) -> None:
    executor.submit(data.task(sleeper(seconds=TIMEOUT, notes=str(tmp_path))))
    pid = wait_for_note(tmp_path)
    executor.kill()
    deadline = time.monotonic() + TIMEOUT
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "frozen"])
def test_the_trial_of_a_lost_worker_is_lost_and_the_other_goes_on(
    number: signal.Signals, data: Data, cluster: DaskCluster, executor: DaskExecutor, tmp_path: Path
) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for trial, folder in enumerate(folders):
        folder.mkdir()
        executor.submit(replace(data.task(sleeper(seconds=(TIMEOUT, 0.3)[trial], notes=str(folder))), number=trial))
    child = wait_for_note(folders[0])
    worker = next(each for each in cluster.workers if f"{each.pid}" in Path(f"/proc/{child}/stat").read_text().split())
    worker.send_signal(number)
    results = wait_for_results(executor, 2)
    assert (results[0].state, results[1].state) == ("LOST", "COMPLETE")
    assert str(results[0].error).startswith("the worker tcp://127.0.0.1:")
    worker.kill()
    worker.wait()
    cluster.workers.remove(worker)
    cluster.add_worker()
    wait_for_room(executor, 2)
