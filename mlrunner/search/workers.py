"""Warm processes that run trials: each imports once, keeps what trials share, and may die by itself."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import connection, get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Protocol

from threadpoolctl import threadpool_limits

from mlrunner.core.process import end_with_parent, left_aside, stand_apart
from mlrunner.search.trial import Found, TrialTask

PATIENCE = 2.0  # seconds that workers have to end by themselves
PRELOAD = ("mlrunner.search.trial.running", "sklearn.pipeline", "pandas", "pyarrow")
SAFE = "PYTHONSAFEPATH"
CONTEXT = get_context("forkserver")  # a fork of a process with threads may hang; this one has imported and done nothing


@dataclass(frozen=True)
class Step:
    """What a trial reports while it runs; it waits for the answer.

    Args:
        number: Of the trial.
        step: Rounds, folds or repeats so far.
        value: Of the objective.
    """

    number: int
    step: int
    value: float


Event = Step | Found


class Executor(Protocol):
    """Whatever runs trials."""

    @property
    def room(self) -> int:
        """How many more trials it takes now."""

    def submit(self, task: TrialTask) -> None:
        """Begin a trial."""

    def wait(self, seconds: float) -> list[Event]:
        """Wait for something to happen, at most so long."""

    def answer(self, number: int, prune: bool) -> None:
        """Answer a step: go on, or end the trial."""

    def kill(self) -> None:
        """Stop now."""

    def close(self) -> None:
        """Let go of everything."""


@dataclass
class Worker:
    """A process and the trial that it runs; None when it is free."""

    process: BaseProcess
    pipe: Connection
    number: int | None = None


class Pool:
    """A number of workers that stays the same: who dies is replaced."""

    def __init__(self, size: int, threads: int) -> None:
        self._size, self._threads = size, threads
        self._workers = [self._new() for _ in range(size)]

    def _new(self) -> Worker:
        ours, theirs = CONTEXT.Pipe()
        process = CONTEXT.Process(target=work, args=(theirs, self._threads), daemon=True)
        process.start()
        theirs.close()
        return Worker(process, ours)

    @property
    def room(self) -> int:
        """See `Executor`."""
        return sum(worker.number is None for worker in self._workers)

    def submit(self, task: TrialTask) -> None:
        """See `Executor`."""
        worker = next(one for one in self._workers if one.number is None)
        worker.number = task.number
        with suppress(OSError):  # it died while nobody looked; `wait` says so
            worker.pipe.send(task)

    def wait(self, seconds: float) -> list[Event]:
        """See `Executor`; a worker that died has a failed trial."""
        ready = connection.wait([one.pipe for one in self._workers], seconds)
        return [event for one in list(self._workers) if one.pipe in ready for event in self._receive(one)]

    def _receive(self, worker: Worker) -> list[Event]:
        try:
            event: Event = worker.pipe.recv()
        except (EOFError, OSError):
            return self._replace(worker)
        if isinstance(event, Found):
            worker.number = None
        return [event]

    def _replace(self, worker: Worker) -> list[Event]:
        worker.process.join(5)
        self._workers[self._workers.index(worker)] = self._new()
        number = worker.number
        return [] if number is None else [Found(number, "FAIL", error=epitaph(worker.process.exitcode))]

    def answer(self, number: int, prune: bool) -> None:
        """See `Executor`."""
        for worker in self._workers:
            if worker.number == number:
                with suppress(OSError):  # it died after its report; `wait` says so
                    worker.pipe.send(prune)

    def kill(self) -> None:
        """See `Executor`."""
        for worker in self._workers:
            worker.process.kill()

    def close(self) -> None:
        """See `Executor`."""
        for worker in self._workers:
            worker.pipe.close()
        deadline = time.monotonic() + PATIENCE
        for worker in self._workers:
            worker.process.join(max(0.0, deadline - time.monotonic()))
            if worker.process.is_alive():
                worker.process.kill()


def epitaph(code: int | None) -> str:
    """Say how a worker died."""
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        hint = "; the machine may be out of memory" if -code == signal.SIGKILL else ""
        return f"the worker was killed by {name}{hint}"
    return f"the worker ended with code {code}"


def preload(modules: list[str]) -> None:
    """Begin to import, in the process that workers are forked from, while this one is busy with its own.

    Args:
        modules: What the models need beside scikit-learn.
    """
    from multiprocessing import forkserver

    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    CONTEXT.set_forkserver_preload([*PRELOAD, *modules])
    said = os.environ.get(SAFE)
    os.environ[SAFE] = "1"  # or a `random.py` of the current folder would be imported for Python's
    try:
        with left_aside():  # Ctrl-C is for the sweep, which tells its workers
            forkserver.ensure_running()
    finally:
        os.environ.pop(SAFE)
        if said is not None:
            os.environ[SAFE] = said


def work(pipe: Connection, threads: int) -> None:
    """Run trials until the pipe closes: the life of a worker."""
    stand_apart()
    end_with_parent()
    from mlrunner.search.trial import running

    with threadpool_limits(threads):
        while True:
            try:
                task: TrialTask = pipe.recv()
                pipe.send(running.run(task, _report(pipe, task)))
            except (EOFError, OSError):
                return


def _report(pipe: Connection, task: TrialTask) -> Callable[[int, float], bool]:
    def report(step: int, value: float) -> bool:
        pipe.send(Step(task.number, step, value))
        return bool(pipe.recv())

    return report
