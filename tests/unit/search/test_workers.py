"""Worker processes: several trials at once, reports and answers, and workers that die."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from multiprocessing import forkserver
from pathlib import Path

import psutil
import pytest

from mlrunner.search import worker_process
from mlrunner.search.executor import Step
from mlrunner.search.stopped_watch import StoppedWatch
from mlrunner.search.trial import TrialResult, TrialTask
from mlrunner.search.workers import WorkerPool
from tests.support.executors import wait_for_events, wait_for_note, wait_for_results
from tests.support.front_door import PROJECT, environment
from tests.support.trials import TIMEOUT, Data, family_settings, preload, run_trial, scripted, sleeper

LONG = 30.0  # seconds of a trial that no test waits for
KILLED = "the worker was killed by SIGKILL"
StartPool = Callable[..., WorkerPool]


@pytest.fixture(scope="module", autouse=True)
def preloaded() -> None:
    preload()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    return Data(tmp_path_factory.mktemp("workers") / "files")


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    """Two workers for the tests that leave two free workers behind."""
    pool = WorkerPool(2, 1)
    yield pool
    pool.kill()
    pool.close()


@pytest.fixture
def start_pool() -> Iterator[StartPool]:
    """Start pools that are closed after the test."""
    pools: list[WorkerPool] = []

    def start(size: int = 1, threads: int = 1, grace: float = 2.0) -> WorkerPool:
        pools.append(WorkerPool(size, threads, grace))
        return pools[-1]

    yield start
    for pool in pools:
        pool.kill()
        pool.close()


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    return folder


def becomes_true(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + TIMEOUT
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def have_ended(pids: list[int]) -> bool:
    return becomes_true(lambda: not any(psutil.pid_exists(pid) for pid in pids))


def numbered(task: TrialTask, number: int) -> TrialTask:
    return replace(task, number=number)


# Trials


def test_a_worker_returns_what_this_process_computes(data: Data, pool: WorkerPool) -> None:
    for task in (data.task(family_settings("xgboost")), data.task(family_settings("ridge"), folds=True)):
        pool.submit(task)
        result, expected = wait_for_results(pool)[0], run_trial(task)
        assert (result.state, result.metrics, result.scores) == ("COMPLETE", expected.metrics, expected.scores)


def test_a_trial_has_the_variables_and_the_working_folder_of_its_job(
    data: Data, pool: WorkerPool, tmp_path: Path
) -> None:
    (tmp_path / "0").mkdir()  # that of trial 1 is made by the worker
    for number in (0, 1):
        task = data.task(sleeper(notes="."), working_folder=str(tmp_path / str(number)), env={"MINE": str(number)})
        pool.submit(numbered(task, number))
    assert [result.state for result in wait_for_results(pool, 2).values()] == ["COMPLETE", "COMPLETE"]
    assert sorted(note.parent.name for note in tmp_path.glob("*/*")) == ["0", "1"]
    here = Path.cwd()
    with worker_process._job_environment(task):
        assert (os.environ["MINE"], Path.cwd()) == ("1", tmp_path / "1")
    assert ("MINE" in os.environ, Path.cwd()) == (False, here)


def test_two_trials_run_at_once(data: Data, pool: WorkerPool, notes: Path) -> None:
    """Each waits until the other has started."""
    rooms = [pool.room]
    for number in (4, 9):
        pool.submit(numbered(data.task(sleeper(notes=str(notes), meets=2)), number))
        rooms.append(pool.room)
    results = wait_for_results(pool, 2)
    assert {number: result.state for number, result in results.items()} == {4: "COMPLETE", 9: "COMPLETE"}
    assert sorted(int(note.name) for note in notes.iterdir()) == sorted(pool.pids)
    assert [*rooms, pool.room] == [2, 1, 0, 2]


def test_waiting_for_idle_workers_times_out(pool: WorkerPool) -> None:
    started = time.monotonic()
    assert pool.wait(0.05) == []
    assert time.monotonic() - started >= 0.05


def test_a_worker_runs_many_trials_also_after_a_failure(data: Data, pool: WorkerPool, notes: Path) -> None:
    before = pool.pids
    pool.submit(data.task(scripted(raises="ValueError")))
    failure = wait_for_results(pool)[0]
    assert (failure.state, failure.error) == ("FAIL", "ValueError: no more")
    assert failure.trace is not None
    for number in range(3):
        pool.submit(numbered(data.task(sleeper(notes=str(notes))), number))
        wait_for_results(pool)
    assert [int(note.name) for note in notes.iterdir()] == before[:1]
    assert pool.pids == before


@pytest.mark.slow
def test_workers_are_busy_while_there_is_work(data: Data, pool: WorkerPool) -> None:
    """Trials of different length take at most 1.15 of their sum divided by the number of workers."""
    seconds = [0.9, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.9, 0.3, 0.2, 0.1, 0.6, 0.2, 0.1, 0.4, 0.3, 0.2, 0.1]
    for number in range(2):
        pool.submit(numbered(data.task(sleeper(seconds=0.2)), number))
    wait_for_results(pool, 2)  # both are warm
    left = list(enumerate(seconds))
    started, count = time.monotonic(), 0
    while count < len(seconds):
        while pool.room and left:
            number, length = left.pop(0)
            pool.submit(numbered(data.task(sleeper(seconds=length)), number))
        count += sum(isinstance(event, TrialResult) for event in pool.wait(0.2))
    assert time.monotonic() - started <= 1.15 * sum(seconds) / 2


# Reports


@pytest.mark.parametrize(("prune", "state", "scores"), [(False, "COMPLETE", 4), (True, "PRUNED", 1)])
def test_a_trial_waits_for_the_answer_to_its_report(
    prune: bool, state: str, scores: int, data: Data, pool: WorkerPool
) -> None:
    pool.submit(numbered(data.task(family_settings("ridge"), folds=True, prunes=True), 5))
    step = next(wait_for_events(pool))
    assert isinstance(step, Step)
    assert (step.number, step.step) == (5, 0)
    assert pool.wait(0.1) == []
    pool.answer(5, prune)
    result = wait_for_results(pool)[5]
    assert (result.state, len(result.scores)) == (state, scores)
    assert result.scores[0] == step.value


def test_an_answer_goes_to_the_trial_that_reported(data: Data, pool: WorkerPool) -> None:
    for number in (0, 1):
        pool.submit(numbered(data.task(family_settings("xgboost"), prunes=True), number))
    pool.answer(77, True)  # no such trial
    results = wait_for_results(pool, 2, prunes=(1,))
    assert {number: result.state for number, result in results.items()} == {0: "COMPLETE", 1: "PRUNED"}


# Dead workers


def test_the_trial_of_a_killed_worker_has_failed_and_the_other_survives(
    data: Data, pool: WorkerPool, tmp_path: Path
) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for number, folder in enumerate(folders):
        folder.mkdir()
        pool.submit(numbered(data.task(sleeper(seconds=(LONG, 0.3)[number], notes=str(folder))), number))
    other, pid = wait_for_note(folders[1]), wait_for_note(folders[0])
    os.kill(pid, signal.SIGSEGV)
    results = wait_for_results(pool, 2)
    assert results[0] == TrialResult(0, "FAIL", error="the worker was killed by SIGSEGV")
    assert results[1].state == "COMPLETE"
    assert (pool.room, pid in pool.pids, other in pool.pids) == (2, False, True)
    pool.submit(numbered(data.task(sleeper()), 4))
    assert wait_for_results(pool)[4].state == "COMPLETE"


def test_the_trial_of_a_worker_that_stays_stopped_is_lost(data: Data, pool: WorkerPool, notes: Path) -> None:
    pool._watch = StoppedWatch(patience=2, interval=0.05)
    pool.submit(data.task(sleeper(seconds=LONG, notes=str(notes))))
    pid = wait_for_note(notes)
    os.kill(pid, signal.SIGSTOP)
    assert wait_for_results(pool)[0] == TrialResult(0, "LOST", error="the worker was killed by SIGKILL")
    assert (pool.room, pid in pool.pids) == (2, False)


@pytest.mark.parametrize("how", ["exit", "at once"])
def test_the_trial_of_a_worker_that_exits_has_failed(how: str, data: Data, pool: WorkerPool) -> None:
    pool.submit(data.task(sleeper(ends=how)))
    assert wait_for_results(pool)[0] == TrialResult(0, "FAIL", error="the worker ended with code 3")
    assert pool.room == 2


def test_an_idle_worker_that_dies_is_replaced(data: Data, pool: WorkerPool) -> None:
    before = pool.pids
    os.kill(before[0], signal.SIGKILL)
    assert becomes_true(lambda: pool.wait(0.05) == [] and before[0] not in pool.pids)
    assert (pool.room, pool.pids[1]) == (2, before[1])
    pool.submit(data.task(sleeper()))
    assert wait_for_results(pool)[0].state == "COMPLETE"


def test_a_trial_submitted_to_a_dead_worker_is_lost(data: Data, pool: WorkerPool) -> None:
    os.kill(pool.pids[0], signal.SIGKILL)
    assert have_ended(pool.pids[:1])
    pool.submit(data.task(sleeper()))
    assert wait_for_results(pool)[0] == TrialResult(0, "LOST", error=KILLED)
    assert pool.room == 2


def test_a_worker_may_die_before_its_answer(data: Data, pool: WorkerPool) -> None:
    pool.submit(data.task(family_settings("ridge"), folds=True, prunes=True))
    assert isinstance(next(wait_for_events(pool)), Step)
    os.kill(pool.pids[0], signal.SIGKILL)
    assert have_ended(pool.pids[:1])
    pool.answer(0, False)
    assert wait_for_results(pool)[0] == TrialResult(0, "LOST", error=KILLED)


# Ctrl-C, and the end


def test_ctrl_c_does_not_reach_workers(data: Data, pool: WorkerPool, notes: Path) -> None:
    """A terminal sends it to every process of the group."""
    pool.submit(data.task(sleeper(seconds=0.3, notes=str(notes))))
    wait_for_note(notes)
    server, before = forkserver._forkserver._forkserver_pid, pool.pids
    for pid in (*before, server):
        os.kill(pid, signal.SIGINT)
    assert wait_for_results(pool)[0].state == "COMPLETE"
    pool.submit(data.task(sleeper()))
    assert wait_for_results(pool)[0].state == "COMPLETE"
    assert pool.pids == before
    assert psutil.pid_exists(server)


@pytest.mark.parametrize("end", ["close", "kill"])
def test_no_process_outlives_the_pool(end: str, data: Data, start_pool: StartPool, notes: Path) -> None:
    """One worker is busy, one is idle."""
    pool = start_pool(2, grace=0.2)
    pool.submit(data.task(sleeper(seconds=LONG, notes=str(notes))))
    wait_for_note(notes)
    pids = pool.pids
    assert all(map(psutil.pid_exists, pids))
    started = time.monotonic()
    getattr(pool, end)()
    assert have_ended(pids)
    assert time.monotonic() - started < LONG / 2


@pytest.mark.slow
def test_the_grace_period_is_that_of_the_whole_pool(data: Data, start_pool: StartPool, notes: Path) -> None:
    pool = start_pool(3, grace=0.5)
    for number in range(3):
        pool.submit(numbered(data.task(sleeper(seconds=LONG, notes=str(notes))), number))
    assert becomes_true(lambda: len(list(notes.iterdir())) == 3)
    started = time.monotonic()
    pool.close()
    assert time.monotonic() - started < 1.25


SEARCH = """
import os, sys
from mlrunner.search.workers import WorkerPool
from mlrunner.search.trial import TrialTask

if __name__ == "__main__":
    pool = WorkerPool(2, 1)
    pool.submit(TrialTask.from_json(sys.stdin.read()))
    print(*pool.pids, flush=True)
    while not os.listdir(sys.argv[1]):
        pool.wait(0.1)
    os.kill(os.getpid(), 9)
"""


@pytest.mark.slow
def test_workers_exit_when_their_parent_is_killed(data: Data, notes: Path) -> None:
    task = data.task(sleeper(seconds=0.3, notes=str(notes)))
    search = subprocess.run(
        [sys.executable, "-c", SEARCH, str(notes)],
        input=task.to_json(),
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        cwd=PROJECT,
        env=environment(notes.parent),
    )
    assert search.returncode == -signal.SIGKILL, search.stderr
    assert have_ended([int(pid) for pid in search.stdout.split()])


# Threads, and the imports


def test_libraries_get_their_share_of_threads(
    data: Data, pool: WorkerPool, start_pool: StartPool, tmp_path: Path
) -> None:
    for threads, started in ((1, pool), (2, start_pool(1, 2))):
        notes = tmp_path / str(threads)
        notes.mkdir()
        started.submit(data.task(sleeper(notes=str(notes))))
        wait_for_results(started)
        assert set(json.loads(next(notes.iterdir()).read_text())) == {threads}
