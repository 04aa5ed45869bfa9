"""The same cases for the pool of this machine, and for a Dask and a Ray cluster of real processes."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from mlrunner.groups.executor.dask_engine import DaskEngine
from mlrunner.groups.executor.ray_engine import RayEngine
from mlrunner.search.executor import Executor
from mlrunner.search.remote import remote_trial
from mlrunner.search.remote.remote_trial import RemoteResult, describe_refusal, read_result, run_in_child
from mlrunner.search.trial import TrialResult
from mlrunner.search.workers import WorkerPool
from tests.support.dask_cluster import DaskCluster
from tests.support.executors import wait_for_end, wait_for_note, wait_for_results, wait_for_room
from tests.support.ray_cluster import NEEDS_RAY, RayCluster
from tests.support.trials import TIMEOUT, Data, family_settings, run_trial, scripted, sleeper

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:::distributed")]
Build = Callable[[], Executor]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    return Data(tmp_path_factory.mktemp("tables") / "files")


@contextmanager
def open_dask(folder: Path) -> Iterator[Build]:
    from mlrunner.search.remote.dask_executor import DaskExecutor

    with closing(DaskCluster(folder)) as cluster:
        for _ in range(2):
            cluster.add_worker()
        yield lambda: DaskExecutor(DaskEngine(address=cluster.address), 2, print)


@contextmanager
def open_ray(folder: Path) -> Iterator[Build]:
    from mlrunner.search.remote.ray_executor import RayExecutor

    with closing(RayCluster(folder)) as cluster:
        yield lambda: RayExecutor(RayEngine(address=cluster.address), 2, print)


@contextmanager
def open_pool(folder: Path) -> Iterator[Build]:
    del folder
    yield lambda: WorkerPool(2, 1)


@pytest.fixture(
    scope="module",
    params=[open_pool, open_dask, pytest.param(open_ray, marks=NEEDS_RAY)],
    ids=["pool", "dask", "ray"],
)
def build(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Build]:
    """A function that builds an executor of each kind."""
    with request.param(tmp_path_factory.mktemp("cluster")) as build:
        yield build


@pytest.fixture
def executor(build: Build) -> Iterator[Executor]:
    """An executor with two workers."""
    executor = build()
    wait_for_room(executor, 2)
    yield executor
    executor.kill()
    executor.close()


def test_a_worker_returns_what_this_process_computes(data: Data, executor: Executor) -> None:
    task = data.task(family_settings("xgboost"), prunes=True)
    expected = run_trial(replace(task, prunes=False))
    for number in (0, 1):
        executor.submit(replace(task, number=number))
    assert executor.room == 0
    results = wait_for_results(executor, 2, prunes=(1,))
    assert (results[0].state, results[0].metrics, results[0].scores) == ("COMPLETE", expected.metrics, expected.scores)
    assert (results[1].state, executor.room) == ("PRUNED", 2)
    assert results[0].worker != expected.worker


def test_failures_of_a_trial_are_told_apart_from_a_lost_process(data: Data, executor: Executor, tmp_path: Path) -> None:
    executor.submit(replace(data.task(scripted(raises="ValueError")), number=3))
    executor.submit(replace(data.task(sleeper(ends="at once")), number=4))
    results = wait_for_results(executor, 2)
    assert (results[3].state, results[3].error) == ("FAIL", "ValueError: no more")
    assert (results[4].state, results[4].error) == ("FAIL", "the worker ended with code 3")
    executor.submit(replace(data.task(sleeper(seconds=30, notes=str(tmp_path))), number=5))
    os.kill(wait_for_note(tmp_path), signal.SIGKILL)
    lost = wait_for_results(executor, 1)[5]
    assert (lost.state, lost.error) == ("LOST", "the worker was killed by SIGKILL")


def test_cancelled_trials_end(data: Data, executor: Executor, tmp_path: Path) -> None:
    executor.submit(data.task(sleeper(seconds=TIMEOUT, notes=str(tmp_path))))
    pid = wait_for_note(tmp_path)
    executor.kill()
    wait_for_end(pid)


def test_the_trial_of_a_killed_worker_is_lost_and_its_process_ends(
    data: Data, executor: Executor, tmp_path: Path
) -> None:
    """The worker of a cluster is the parent of the process that fits; a pool has no other."""
    folders = [tmp_path / "one", tmp_path / "two"]
    for trial, folder in enumerate(folders):
        folder.mkdir()
        executor.submit(replace(data.task(sleeper(seconds=(TIMEOUT, 0.3)[trial], notes=str(folder))), number=trial))
    child = wait_for_note(folders[0])
    os.kill(child if isinstance(executor, WorkerPool) else psutil.Process(child).ppid(), signal.SIGKILL)
    results = wait_for_results(executor, 2)
    assert (results[0].state, results[1].state) == ("LOST", "COMPLETE")
    wait_for_end(child)
    executor.submit(replace(data.task(family_settings("ridge")), number=2))
    assert wait_for_results(executor, 1)[2].state == "COMPLETE"


def test_a_worker_asks_for_the_tables_that_it_lacks(tmp_path: Path) -> None:
    data = Data(tmp_path / "files")
    task = data.task(family_settings("ridge"))
    Path(data.files["validation"]).unlink()
    assert run_in_child(task, b"", {}, lambda _: False, lambda: False) == RemoteResult(
        missing=(data.files["validation"],)
    )


def test_a_model_is_written_where_the_worker_can(tmp_path: Path) -> None:
    data = Data(tmp_path / "files")
    seen, unseen = str(tmp_path / "3" / "model.joblib"), "/nowhere/sweep/3/model.joblib"
    tasks = [data.task(family_settings("ridge"), model_file=file) for file in (seen, unseen, None)]
    places = [remote_trial._relocate_model(task, tmp_path) for task in tasks]
    assert places == [seen, str(tmp_path / "model.joblib"), None]


def test_the_driver_writes_the_model_and_names_the_worker(tmp_path: Path) -> None:
    data = Data(tmp_path / "files")
    task = data.task(family_settings("ridge"), model_file=str(tmp_path / "3" / "model.joblib"))
    returned = RemoteResult(TrialResult(3, "COMPLETE", worker="host:7"), b"model")
    assert read_result(task, "tcp://host:1", returned).worker == "tcp://host:1 host:7"
    assert (tmp_path / "3" / "model.joblib").read_bytes() == b"model"
    assert read_result(task, "a", None) == TrialResult(task.number, "LOST", error="the worker a is gone")
    refused = describe_refusal(3, "a", OSError("no\nspace"))
    assert refused == TrialResult(3, "FAIL", error="worker a: OSError('no\\nspace')")
