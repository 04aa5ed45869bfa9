"""A fixed-size pool of warm processes that run trials; dead and stopped workers are replaced."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import connection
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from mlrunner.core.forking import can_fork
from mlrunner.search.executor import Event
from mlrunner.search.stopped_watch import StoppedWatch
from mlrunner.search.trial import TrialResult, TrialTask
from mlrunner.search.worker_exit import count_oom_kills, judge_exit
from mlrunner.search.worker_process import has_preloaded, start_worker


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
    """Runs trials in a fixed number of worker processes: forks of this one, where it has imported what they need.

    Args:
        size: Number of workers.
        threads: Number of threads of each worker.
        grace: Seconds that `close` waits before it kills busy workers.
    """

    def __init__(self, size: int, threads: int, grace: float = 2.0) -> None:
        self._threads, self._grace, self._watch = threads, grace, StoppedWatch()
        self._workers = [self._start(by_fork=has_preloaded() and can_fork()) for _ in range(size)]

    def _start(self, by_fork: bool = False) -> Worker:
        return Worker(*start_worker(self._threads, by_fork))

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
