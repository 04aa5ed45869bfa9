"""Save models, plots and texts in the background while runs go on."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any, Generic, Literal, ParamSpec, TypeVar

from mlrunner.core import environment, process
from mlrunner.core.errors import StoreError
from mlrunner.core.process import detach, exit_with_parent, freeze_gc
from mlrunner.core.skops_format import import_skops
from mlrunner.tracking import outage

P = ParamSpec("P")
R = TypeVar("R")
StartMethod = Literal["spawn", "forkserver", "fork"]
PRELOADED = ("matplotlib.figure", "mlflow.sklearn")


class Recorder:
    """A queue with one worker, which keeps the writes of a run in order.

    The worker is a thread for a single run. For a sweep in this process it is a process: drawing and saving hold the
    GIL, so that a thread would delay the next run instead of working beside it.
    """

    def __init__(self) -> None:
        self._pool: Executor | None = None
        self._pending: list[Future[Any]] = []

    def start_process(self, modules: Sequence[str], method: StartMethod = "spawn") -> None:
        """Use a worker process from now on.

        Args:
            modules: Modules that the process imports at once, besides `PRELOADED` and skops, while this one
                opens its stores.
            method: Start method: `fork` where `core.forking.can_fork`, `forkserver` where the fork server runs
                already with half of the imports.
        """
        variables = environment.variables()  # with the addresses of the stores, set after the fork server started
        self._pool = ProcessPoolExecutor(1, get_context(method), initializer=_start_worker, initargs=(variables,))
        self._pending.append(self._pool.submit(_import_modules, (*PRELOADED, *modules)))

    def submit(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Queue a call; a worker process imports the function by its name.

        Returns:
            Future of the call's result.
        """
        if self._pool is None:
            self._pool = ThreadPoolExecutor(1, "recorder")
        future = self._pool.submit(_Call(function), *args, **kwargs)
        self._pending = [call for call in self._pending if not call.done() or call.exception() is not None]
        self._pending.append(future)
        return future

    def flush(self, hurry: bool = False) -> None:
        """Wait for all queued calls and stop the worker; the next call starts another.

        Args:
            hurry: Whether to wait for nothing when MLflow's server is gone, because the command ends in any case.

        Raises:
            StoreError: If a call failed; the others were still executed.
        """
        pending, pool = self._pending, self._pool
        self._pending, self._pool = [], None
        if hurry and outage.is_server_gone():
            if pool is not None:
                pool.shutdown(wait=False, cancel_futures=True)
            process.abandon_threads()
            raise StoreError(outage.explain())
        errors = [error for future in pending if (error := future.exception()) is not None]
        if pool is not None:
            pool.shutdown()
        if errors and outage.is_server_gone():
            raise StoreError(outage.explain()) from errors[0]
        if errors:
            reason = f"{type(errors[0]).__name__}: {errors[0]}"
            raise StoreError(f"A run was not recorded completely: {reason} (-v shows where).") from errors[0]


@dataclass(frozen=True)
class _Call(Generic[P, R]):
    """A call of the queue; once MLflow's server is gone, later calls try once and do not wait for it again."""

    function: Callable[P, R]

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return self.function(*args, **kwargs)
        except Exception:
            if outage.is_server_gone():
                environment.set_variables(outage.ONE_TRY)
            raise


def _start_worker(variables: dict[str, str]) -> None:
    """Take over the environment of the parent, leave Ctrl-C to it, and exit when it dies."""
    detach()
    environment.set_variables(variables)
    outage.announce_waiting()
    silence_database_log()
    exit_with_parent()


def silence_database_log() -> None:
    """Keep MLflow from logging an error of its database with a traceback, without `-v`: it raises the error as well."""
    if not environment.is_verbose():
        logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)


def _import_modules(names: Sequence[str]) -> None:
    for name in names:
        importlib.import_module(name)
    import_skops()
    freeze_gc()  # a fork has the disabled collection of its parent


RECORDER = Recorder()  # of this process: each of its runs writes through it
