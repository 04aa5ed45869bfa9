"""What only a Dask cluster has: workers without the disk of the driver, and frozen ones."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from mlrunner.groups.executor.dask_engine import DaskEngine
from mlrunner.search.remote.dask_executor import DaskExecutor
from tests.support.dask_cluster import DaskCluster
from tests.support.executors import (
    check_that_all_travels,
    wait_for_end,
    wait_for_note,
    wait_for_results,
    wait_for_room,
)
from tests.support.network import open_hosts
from tests.support.server_process import have_ended
from tests.support.trials import TIMEOUT, Data, family_settings, sleeper

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:::distributed")]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    return Data(tmp_path_factory.mktemp("tables") / "files")


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    cluster = DaskCluster(tmp_path_factory.mktemp("cluster"))
    yield cluster
    cluster.close()


@pytest.mark.skipif(os.getuid() != 0, reason="hiding a folder from a process needs root")
def test_tables_models_and_modules_travel_to_a_machine_without_the_disk(
    data: Data, cluster: DaskCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.add_worker(hides=(data.folder, tmp_path))
    with closing(DaskExecutor(DaskEngine(address=cluster.address), 1, print)) as executor:
        check_that_all_travels(executor, data, tmp_path, monkeypatch)


def test_the_trial_of_a_frozen_worker_is_lost_and_the_other_goes_on(
    data: Data, cluster: DaskCluster, tmp_path: Path
) -> None:
    """A trial that has ended makes room for another; the next worker takes the place of the frozen one."""
    for _ in range(2):
        cluster.add_worker()
    executor = DaskExecutor(DaskEngine(address=cluster.address), 2, print)
    wait_for_room(executor, 2)
    folders = [tmp_path / "one", tmp_path / "two"]
    for trial, folder in enumerate(folders):
        folder.mkdir()
        executor.submit(replace(data.task(sleeper(seconds=(TIMEOUT, 0.3)[trial], notes=str(folder))), number=trial))
    worker = psutil.Process(psutil.Process(wait_for_note(folders[0])).ppid())
    worker.send_signal(signal.SIGSTOP)
    results = wait_for_results(executor, 2)
    assert (results[0].state, results[1].state) == ("LOST", "COMPLETE")
    assert str(results[0].error).startswith("the worker tcp://127.0.0.1:")
    worker.kill()
    cluster.add_worker()
    wait_for_room(executor, 2)
    executor.close()


def test_trials_of_a_scheduler_that_was_restarted_are_lost_and_the_next_ones_run(
    data: Data, cluster: DaskCluster, tmp_path: Path
) -> None:
    """Also the steps of the next ones arrive: a client that connects again by itself has no topics."""
    cluster.add_worker()
    with closing(DaskExecutor(DaskEngine(address=cluster.address), 1, print)) as executor:
        wait_for_room(executor, 1)
        executor.submit(data.task(sleeper(seconds=TIMEOUT, notes=str(tmp_path))))
        child = wait_for_note(tmp_path)
        cluster.restart_scheduler()
        lost = wait_for_results(executor, 1)[0]
        assert (lost.state, str(lost.error).startswith("the worker tcp://127.0.0.1:")) == ("LOST", True)
        wait_for_end(child)
        cluster.add_worker()
        wait_for_room(executor, 1)
        executor.submit(replace(data.task(family_settings("xgboost"), prunes=True), number=1))
        assert wait_for_results(executor, 1, prunes=(1,))[1].state == "PRUNED"


@pytest.mark.services
def test_the_trial_of_a_worker_behind_a_cut_link_is_lost_and_its_result_is_not_taken_later(
    data: Data, cluster: DaskCluster, tmp_path: Path
) -> None:
    """The trial ends behind the cut; when the link is mended, the worker learns that it was given up, and ends."""
    with open_hosts(1) as (host,), closing(DaskExecutor(DaskEngine(address=cluster.address), 2, print)) as executor:
        cluster.add_worker(host=host)
        wait_for_room(executor, 1)
        folders = [tmp_path / "one", tmp_path / "two"]
        for folder in folders:
            folder.mkdir()
        task = data.task(sleeper(seconds=2, notes=str(folders[0])))
        executor.submit(task)
        child = psutil.Process(wait_for_note(folders[0]))
        host.cut()
        lost = wait_for_results(executor, 1)[0]
        assert (lost.state, f"tcp://{host.address[:-1]}" in str(lost.error)) == ("LOST", True)
        cluster.add_worker()
        wait_for_room(executor, 1)
        executor.submit(replace(task, number=1))
        host.heal()
        cluster.workers[0].wait(TIMEOUT)
        deadline = time.monotonic() + TIMEOUT
        while not have_ended({child}):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        results = wait_for_results(executor, 1)
        assert {number: result.state for number, result in results.items()} == {1: "COMPLETE"}
        assert executor.wait(1) == []
