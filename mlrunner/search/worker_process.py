"""A worker process of a search: how it starts, and what it does."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from threadpoolctl import threadpool_limits

from mlrunner.core import environment
from mlrunner.core.process import detach, exit_with_parent, freeze_gc, signals_ignored
from mlrunner.search.executor import Step
from mlrunner.search.trial import TrialTask

PRELOAD = ("mlrunner.search.trial.running", "sklearn.pipeline", "pandas", "pyarrow")
FORK, SERVER = get_context("fork"), get_context("forkserver")  # the server never has threads, which a fork lacks


def preload(modules: list[str]) -> None:
    """Start the imports of the workers in their fork server, in parallel with the imports of this process.

    Args:
        modules: Modules that the models need besides scikit-learn.
    """
    environment.set_defaults({"OMP_WAIT_POLICY": "passive"})
    SERVER.set_forkserver_preload([*PRELOAD, *modules])
    if not has_preloaded():
        start_server()


def has_preloaded() -> bool:
    """Check whether this process has imported what workers need, as a fork of the warm process has."""
    return all(name in sys.modules for name in PRELOAD)


def start_server() -> None:
    """Start the fork server, unless it runs."""
    from multiprocessing import forkserver

    # PYTHONSAFEPATH: a `random.py` of the current folder must not replace Python's
    # ignored signals: Ctrl-C is for the search, which stops its workers itself
    with environment.temporary_variables(PYTHONSAFEPATH="1"), signals_ignored():
        forkserver.ensure_running()


def start_worker(threads: int, by_fork: bool) -> tuple[BaseProcess, Connection]:
    """Start a worker.

    Args:
        threads: Number of threads of the numerical libraries.
        by_fork: Whether it is a fork of this process, and not of the fork server; see `core.forking.can_fork`.

    Returns:
        The process, and this end of the pipe to it.
    """
    context = FORK if by_fork else SERVER
    if not by_fork:
        start_server()
    ours, theirs = context.Pipe()
    process: BaseProcess = context.Process(target=run_worker, args=(theirs, threads), daemon=True)
    process.start()
    theirs.close()
    return process, ours


def run_worker(pipe: Connection, threads: int) -> None:
    """Run trials until the pipe closes: the main function of a worker.

    Args:
        pipe: Pipe to receive tasks from and to send steps and results to.
        threads: Number of threads of the numerical libraries.
    """
    detach()
    exit_with_parent()
    freeze_gc()
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
