"""Warm workers, as real processes: several trials at once, reports and answers, and death in the middle."""

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
from typing import Any

import numpy as np
import psutil
import pytest
from sklearn.base import BaseEstimator
from threadpoolctl import threadpool_info

from mlrunner.search import workers
from mlrunner.search.trial import Found, TrialTask, running
from mlrunner.search.workers import Event, Pool, Step, epitaph
from tests.support.front_door import PROJECT, environment
from tests.unit.search.trial.test_trial import LINEAR, Data, Listener, model, named

PATIENCE = 60  # seconds, on a busy machine
LONG = 30.0  # seconds of a trial that nobody waits for
KILLED = "the worker was killed by SIGKILL; the machine may be out of memory"
Pools = Callable[..., Pool]


class Sleeper(BaseEstimator):
    """A user's own estimator that takes its time, and leaves a note of where it runs."""

    def __init__(self, seconds: float = 0.0, notes: str | None = None, meets: int = 0, ends: str | None = None) -> None:
        self.seconds, self.notes, self.meets, self.ends = seconds, notes, meets, ends

    def fit(self, x: Any, y: Any) -> Sleeper:
        del x
        if self.notes is not None:
            threads = [one["num_threads"] for one in threadpool_info()]
            (Path(self.notes) / str(os.getpid())).write_text(json.dumps(threads))
        until = time.monotonic() + PATIENCE
        while self.meets and len(list(Path(str(self.notes)).iterdir())) < self.meets and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(self.seconds)
        if self.ends is not None:
            {"exit": sys.exit, "at once": os._exit}[self.ends](3)
        self.mean_ = float(np.mean(y))
        return self

    def predict(self, x: Any) -> Any:
        return np.full(len(x), self.mean_)


def sleeper(**arguments: Any) -> dict[str, Any]:
    return model("tests.unit.search.test_workers.Sleeper", LINEAR, **arguments)


def preloaded() -> None:
    """Have the process that all others are forked from import what the tests need."""
    workers.preload(
        ["tests.unit.search.test_workers", "mlrunner.search.trial_queue", "mlrunner.search.grid_order", "xgboost"]
    )


@pytest.fixture(scope="module", autouse=True)
def forked() -> None:
    preloaded()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    return Data(tmp_path_factory.mktemp("worked") / "files")


@pytest.fixture
def pools() -> Iterator[Pools]:
    """Pools that are closed after the test."""
    made: list[Pool] = []

    def new(size: int = 1, threads: int = 1) -> Pool:
        made.append(Pool(size, threads))
        return made[-1]

    yield new
    for pool in made:
        pool.kill()
        pool.close()


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    return folder


def events(pool: Pool) -> Iterator[Event]:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        yield from pool.wait(0.1)
    raise TimeoutError


def ended(pool: Pool, count: int = 1, prune: bool = False) -> dict[int, Found]:
    """Wait for so many trials to end."""
    found: dict[int, Found] = {}
    for event in events(pool):
        if isinstance(event, Step):
            pool.answer(event.number, prune)
        else:
            found[event.number] = event
        if len(found) == count:
            return found
    return found


def eventually(holds: Callable[[], bool]) -> bool:
    until = time.monotonic() + PATIENCE
    while not holds() and time.monotonic() < until:
        time.sleep(0.02)
    return holds()


def pid_in(notes: Path) -> int:
    """Wait for the note of a trial that began."""
    assert eventually(lambda: any(notes.iterdir()))
    return int(next(notes.iterdir()).name)


def pids(pool: Pool) -> list[int]:
    return [worker.process.pid or 0 for worker in pool._workers]


def gone(numbers: list[int]) -> bool:
    return eventually(lambda: not any(psutil.pid_exists(one) for one in numbers))


def numbered(task: TrialTask, number: int) -> TrialTask:
    return replace(task, number=number)


# Trials


@pytest.mark.parametrize("name", ["xgboost", "ridge"])
def test_a_worker_finds_what_this_process_would(name: str, data: Data, pools: Pools) -> None:
    pool = pools()
    for task in (data.task(named(name)), data.task(named(name), folds=True)):
        pool.submit(task)
        found, here = ended(pool)[0], running.run(task, Listener())
        assert (found.state, found.metrics, found.scores) == ("COMPLETE", here.metrics, here.scores)


def test_two_trials_run_at_once(data: Data, pools: Pools, notes: Path) -> None:
    """Each waits for the other to have begun."""
    pool = pools(2)
    for number in (4, 9):
        pool.submit(numbered(data.task(sleeper(notes=str(notes), meets=2)), number))
    found = ended(pool, 2)
    assert {number: one.state for number, one in found.items()} == {4: "COMPLETE", 9: "COMPLETE"}
    assert sorted(int(note.name) for note in notes.iterdir()) == sorted(pids(pool))


def test_room_is_what_is_free(data: Data, pools: Pools) -> None:
    pool = pools(2)
    rooms = [pool.room]
    for number in range(2):
        pool.submit(numbered(data.task(sleeper()), number))
        rooms.append(pool.room)
    ended(pool, 2)
    assert [*rooms, pool.room] == [2, 1, 0, 2]


def test_nothing_happens_while_nothing_runs(pools: Pools) -> None:
    pool = pools(2)
    began = time.monotonic()
    assert pool.wait(0.2) == []
    assert time.monotonic() - began >= 0.2


def test_a_worker_stays_for_many_trials(data: Data, pools: Pools, notes: Path) -> None:
    pool = pools()
    for number in range(5):
        pool.submit(numbered(data.task(sleeper(notes=str(notes))), number))
        ended(pool)
    assert [int(note.name) for note in notes.iterdir()] == pids(pool)


def test_a_trial_that_fails_leaves_its_worker(data: Data, pools: Pools) -> None:
    pool = pools()
    before = pids(pool)
    pool.submit(data.task(model("tests.unit.search.trial.test_trial.Scripted", LINEAR, raises="ValueError")))
    found = ended(pool)[0]
    assert (found.state, found.error) == ("FAIL", "ValueError: no more")
    assert found.trace is not None
    assert pids(pool) == before


def test_workers_are_never_idle_while_there_is_work(data: Data, pools: Pools) -> None:
    """Trials of unlike length take at most 1.15 of their sum over the workers."""
    seconds = [0.9, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.9, 0.3, 0.2, 0.1, 0.6, 0.2, 0.1, 0.4, 0.3, 0.2, 0.1]
    pool = pools(2)
    for number in range(2):
        pool.submit(numbered(data.task(sleeper(seconds=0.2)), number))
    ended(pool, 2)  # both are warm
    left = list(enumerate(seconds))
    began, count = time.monotonic(), 0
    while count < len(seconds):
        while pool.room and left:
            number, length = left.pop(0)
            pool.submit(numbered(data.task(sleeper(seconds=length)), number))
        count += sum(isinstance(event, Found) for event in pool.wait(0.2))
    assert time.monotonic() - began <= 1.15 * sum(seconds) / 2


# Reports


@pytest.mark.parametrize(("prune", "state", "scores"), [(False, "COMPLETE", 4), (True, "PRUNED", 1)])
def test_a_trial_waits_for_the_answer_to_its_report(
    prune: bool, state: str, scores: int, data: Data, pools: Pools
) -> None:
    pool = pools()
    pool.submit(numbered(data.task(named("ridge"), folds=True, prunes=True), 5))
    step = next(events(pool))
    assert isinstance(step, Step)
    assert (step.number, step.step) == (5, 0)
    assert pool.wait(0.3) == []
    pool.answer(5, prune)
    found = ended(pool)[5]
    assert (found.state, len(found.scores)) == (state, scores)
    assert found.scores[0] == step.value


def test_answers_go_to_the_trial_that_asked(data: Data, pools: Pools) -> None:
    pool = pools(2)
    for number in (0, 1):
        pool.submit(numbered(data.task(named("xgboost"), prunes=True), number))
    states: dict[int, str] = {}
    for event in events(pool):
        if isinstance(event, Step):
            pool.answer(event.number, prune=event.number == 1)
        else:
            states[event.number] = event.state
        if len(states) == 2:
            break
    assert states == {0: "COMPLETE", 1: "PRUNED"}


def test_an_answer_to_nobody_is_passed_over(data: Data, pools: Pools) -> None:
    pool = pools()
    pool.submit(data.task(sleeper(seconds=0.1)))
    pool.answer(77, True)
    assert ended(pool)[0].state == "COMPLETE"


# Death


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("SIGKILL", KILLED),
        ("SIGTERM", "the worker was killed by SIGTERM"),
        ("SIGSEGV", "the worker was killed by SIGSEGV"),
    ],
)
def test_a_worker_that_is_killed_has_a_failed_trial(
    name: str, error: str, data: Data, pools: Pools, notes: Path
) -> None:
    pool = pools()
    pool.submit(numbered(data.task(sleeper(seconds=LONG, notes=str(notes))), 3))
    dead = pid_in(notes)
    os.kill(dead, signal.Signals[name])
    assert ended(pool) == {3: Found(3, "FAIL", error=error)}
    assert pool.room == 1
    assert dead not in pids(pool)
    pool.submit(numbered(data.task(sleeper()), 4))
    assert ended(pool)[4].state == "COMPLETE"


@pytest.mark.parametrize("how", ["exit", "at once"])
def test_a_worker_that_ends_by_itself_has_a_failed_trial(how: str, data: Data, pools: Pools) -> None:
    pool = pools()
    pool.submit(data.task(sleeper(ends=how)))
    assert ended(pool)[0] == Found(0, "FAIL", error="the worker ended with code 3")
    assert pool.room == 1


def test_the_death_of_one_is_nothing_to_the_other(data: Data, pools: Pools, tmp_path: Path) -> None:
    pool = pools(2)
    folders = [tmp_path / "one", tmp_path / "two"]
    for number, folder in enumerate(folders):
        folder.mkdir()
        pool.submit(numbered(data.task(sleeper(seconds=(LONG, 0.6)[number], notes=str(folder))), number))
    other = pid_in(folders[1])
    os.kill(pid_in(folders[0]), signal.SIGKILL)
    found = ended(pool, 2)
    assert (found[0].error, found[1].state) == (KILLED, "COMPLETE")
    assert other in pids(pool)


def test_an_idle_worker_that_dies_is_replaced_in_silence(data: Data, pools: Pools) -> None:
    pool = pools(2)
    before = pids(pool)
    os.kill(before[0], signal.SIGKILL)
    assert eventually(lambda: pool.wait(0.05) == [] and before[0] not in pids(pool))
    assert (pool.room, pids(pool)[1]) == (2, before[1])
    pool.submit(data.task(sleeper()))
    assert ended(pool)[0].state == "COMPLETE"


def test_a_trial_for_a_worker_that_died_unseen_is_a_failed_one(data: Data, pools: Pools) -> None:
    pool = pools()
    os.kill(pids(pool)[0], signal.SIGKILL)
    assert gone(pids(pool))
    pool.submit(data.task(sleeper()))
    assert ended(pool)[0] == Found(0, "FAIL", error=KILLED)
    assert pool.room == 1


def test_a_worker_may_die_before_its_answer(data: Data, pools: Pools) -> None:
    pool = pools()
    pool.submit(data.task(named("ridge"), folds=True, prunes=True))
    assert isinstance(next(events(pool)), Step)
    os.kill(pids(pool)[0], signal.SIGKILL)
    assert gone(pids(pool))
    pool.answer(0, False)
    assert ended(pool)[0] == Found(0, "FAIL", error=KILLED)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (-9, KILLED),
        (-15, "the worker was killed by SIGTERM"),
        (-11, "the worker was killed by SIGSEGV"),
        (-6, "the worker was killed by SIGABRT"),
        (1, "the worker ended with code 1"),
        (0, "the worker ended with code 0"),
        (None, "the worker ended with code None"),
    ],
)
def test_epitaph(code: int | None, told: str) -> None:
    assert epitaph(code) == told


# Ctrl-C, and the end


def test_ctrl_c_does_not_reach_workers(data: Data, pools: Pools, notes: Path) -> None:
    """A terminal sends it to every process of the group."""
    pool = pools(2)
    pool.submit(data.task(sleeper(seconds=0.5, notes=str(notes))))
    pid_in(notes)
    server = forkserver._forkserver._forkserver_pid
    for pid in (*pids(pool), server):
        os.kill(pid, signal.SIGINT)
    before = pids(pool)
    assert ended(pool)[0].state == "COMPLETE"
    assert pids(pool) == before
    pool.submit(data.task(sleeper()))
    assert ended(pool)[0].state == "COMPLETE"
    assert psutil.pid_exists(server)


@pytest.mark.parametrize("end", ["close", "kill"])
@pytest.mark.parametrize("busy", [False, True], ids=["idle", "busy"])
def test_in_the_end_no_process_is_left(busy: bool, end: str, data: Data, pools: Pools, notes: Path) -> None:
    pool = pools(2)
    if busy:
        pool.submit(data.task(sleeper(seconds=LONG, notes=str(notes))))
        pid_in(notes)
    numbers = pids(pool)
    assert all(map(psutil.pid_exists, numbers))
    began = time.monotonic()
    getattr(pool, end)()
    assert gone(numbers)
    assert time.monotonic() - began < LONG / 2


def test_many_busy_workers_end_as_fast_as_one(data: Data, pools: Pools, notes: Path) -> None:
    pool = pools(3)
    for number in range(3):
        pool.submit(numbered(data.task(sleeper(seconds=LONG, notes=str(notes))), number))
    assert eventually(lambda: len(list(notes.iterdir())) == 3)
    began = time.monotonic()
    pool.close()
    assert time.monotonic() - began < 4


SWEEP = """
import os, sys
from mlrunner.search.workers import Pool
from mlrunner.search.trial import TrialTask

if __name__ == "__main__":
    pool = Pool(2, 1)
    pool.submit(TrialTask.read(sys.stdin.read()))
    print(*[one.process.pid for one in pool._workers], flush=True)
    while not os.listdir(sys.argv[1]):
        pool.wait(0.1)
    os.kill(os.getpid(), 9)
"""


def test_when_the_sweep_is_killed_its_workers_end(data: Data, notes: Path) -> None:
    task = data.task(sleeper(seconds=0.3, notes=str(notes)))
    done = subprocess.run(
        [sys.executable, "-c", SWEEP, str(notes)],
        input=task.json(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        cwd=PROJECT,
        env=environment(notes.parent),
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert gone([int(pid) for pid in done.stdout.split()])


# Threads, and the imports


@pytest.mark.parametrize("threads", [1, 2])
def test_libraries_get_their_share_of_threads(threads: int, data: Data, pools: Pools, notes: Path) -> None:
    pool = pools(1, threads)
    pool.submit(data.task(sleeper(notes=str(notes))))
    ended(pool)
    told = json.loads(next(notes.iterdir()).read_text())
    assert set(told) == {threads}


def test_preloading_leaves_ctrl_c_to_this_process() -> None:
    before = signal.getsignal(signal.SIGINT)
    workers.preload(["xgboost"])
    assert signal.getsignal(signal.SIGINT) is before
    assert os.environ["OMP_WAIT_POLICY"] == "passive"
