"""A fixed-size pool of warm processes that run trials; dead and stopped workers are replaced."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import connection, get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from threadpoolctl import threadpool_limits

from mlrunner.core import environment
from mlrunner.core.process import detach, exit_with_parent, signals_ignored
from mlrunner.search.executor import Event, Step
from mlrunner.search.stopped_watch import StoppedWatch
from mlrunner.search.trial import TrialResult, TrialTask
from mlrunner.search.worker_exit import count_oom_kills, judge_exit

PRELOAD = ("mlrunner.search.trial.running", "sklearn.pipeline", "pandas", "pyarrow")
CONTEXT = get_context("forkserver")  # a fork of a process with threads may hang; the server has none


@dataclass
class Worker:
    """A worker process.

    Args:
        process: Process.
        pipe: This end of the pipe to the process.
        number: Number of the trial that the worker runs; None when the worker is free.
        oom_kills: Processes that the kernel had killed for lack of memory when the trial began.
    """

    process: BaseProcess
    pipe: Connection
    number: int | None = None
    oom_kills: int | None = None


class WorkerPool:
    """Runs trials in a fixed number of worker processes.

    Args:
        size: Number of workers.
        threads: Number of threads of each worker.
        grace: Seconds that `close` waits before it kills busy workers.
    """

    def __init__(self, size: int, threads: int, grace: float = 2.0) -> None:
        self._threads, self._grace, self._watch = threads, grace, StoppedWatch()
        self._workers = [self._start() for _ in range(size)]

    def _start(self) -> Worker:
        ours, theirs = CONTEXT.Pipe()
        process = CONTEXT.Process(target=run_worker, args=(theirs, self._threads), daemon=True)
        process.start()
        theirs.close()
        return Worker(process, ours)

    @property
    def room(self) -> int:
        """Number of free workers."""
        return sum(worker.number is None for worker in self._workers)

    @property
    def pids(self) -> list[int]:
        """Process ids of the workers."""
        return [worker.process.pid or 0 for worker in self._workers]

    def submit(self, task: TrialTask) -> None:
        """Start a trial in a free worker."""
        worker = next(worker for worker in self._workers if worker.number is None)
        worker.number, worker.oom_kills = task.number, count_oom_kills()
        with suppress(OSError):  # the worker is dead, as `wait` finds
            worker.pipe.send(task)

    def wait(self, seconds: float) -> list[Event]:
        """Wait at most `seconds` for events; the trial of a worker that died has failed, or is lost."""
        hung = self._watch.find_hung(self.pids)
        for worker in self._workers:
            if worker.process.pid in hung:
                worker.process.kill()
        ready = connection.wait([worker.pipe for worker in self._workers], seconds)
        return [event for worker in list(self._workers) if worker.pipe in ready for event in self._receive(worker)]

    def _receive(self, worker: Worker) -> list[Event]:
        try:
            event: Event = worker.pipe.recv()
        except (EOFError, OSError):
            return self._replace(worker)
        if isinstance(event, TrialResult):
            worker.number = None
        return [event]

    def _replace(self, worker: Worker) -> list[Event]:
        worker.process.join(5)
        self._workers[self._workers.index(worker)] = self._start()
        if worker.number is None:
            return []
        before, now = worker.oom_kills, count_oom_kills()
        oom_kills = 0 if before is None or now is None else now - before
        return [judge_exit(worker.number, worker.process.exitcode, oom_kills)]

    def answer(self, number: int, prune: bool) -> None:
        """Answer the step of a trial: continue, or prune."""
        for worker in self._workers:
            if worker.number == number:
                with suppress(OSError):  # the worker is dead, as `wait` finds
                    worker.pipe.send(prune)

    def kill(self) -> None:
        """Kill all workers."""
        for worker in self._workers:
            worker.process.kill()

    def release(self) -> None:
        """Do nothing: idle processes cost less than to wait for their end."""

    def close(self) -> None:
        """End all workers; those that are still busy after the grace period are killed."""
        for worker in self._workers:
            worker.pipe.close()
        deadline = time.monotonic() + self._grace
        for worker in self._workers:
            worker.process.join(max(0.0, deadline - time.monotonic()))
            if worker.process.is_alive():
                worker.process.kill()


def preload(modules: list[str]) -> None:
    """Start the imports of the workers in their fork server, in parallel with the imports of this process.

    Args:
        modules: Modules that the models need besides scikit-learn.
    """
    from multiprocessing import forkserver

    environment.set_defaults({"OMP_WAIT_POLICY": "passive"})
    CONTEXT.set_forkserver_preload([*PRELOAD, *modules])
    # PYTHONSAFEPATH: a `random.py` of the current folder must not replace Python's
    # ignored signals: Ctrl-C is for the search, which stops its workers itself
    with environment.temporary_variables(PYTHONSAFEPATH="1"), signals_ignored():
        forkserver.ensure_running()


def run_worker(pipe: Connection, threads: int) -> None:
    """Run trials until the pipe closes: the main function of a worker.

    Args:
        pipe: Pipe to receive tasks from and to send steps and results to.
        threads: Number of threads of the numerical libraries.
    """
    detach()
    exit_with_parent()
    from mlrunner.search.trial.running import TrialRunner

    runner = TrialRunner()
    with threadpool_limits(threads):
        while True:
            try:
                task: TrialTask = pipe.recv()
                with _job_environment(task):
                    result = runner.run(task, _report_through(pipe, task))
                pipe.send(result)
            except (EOFError, OSError):
                return


@contextmanager
def _job_environment(task: TrialTask) -> Iterator[None]:
    """Set the variables and the working folder of a trial, as Hydra does for a job."""
    folder = Path.cwd() if task.working_folder is None else Path(task.working_folder)
    folder.mkdir(parents=True, exist_ok=True)
    with environment.temporary_variables(**task.env), chdir(folder):
        yield


def _report_through(pipe: Connection, task: TrialTask) -> Callable[[int, float], bool]:
    def report(step: int, value: float) -> bool:
        pipe.send(Step(task.number, step, value))
        return bool(pipe.recv())

    return report
