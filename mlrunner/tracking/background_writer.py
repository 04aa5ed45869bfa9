"""Write behind the runs' backs what takes longest: models, pictures, texts."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from typing import Any, Literal, ParamSpec, TypeVar

from mlrunner.core.errors import StoreError
from mlrunner.core.process import end_with_parent, stand_apart

P = ParamSpec("P")
R = TypeVar("R")


class Recorder:
    """A queue with one worker, so that what belongs to a run is written in order.

    A thread for a single run. For a sweep in this process, a process of its own: drawing and saving are
    Python's own work, and a thread would take turns with the next composition instead of running beside it.
    """

    def __init__(self) -> None:
        self._pool: Executor | None = None
        self._pending: list[Future[Any]] = []

    def start_process(self, warm: Callable[[], None], method: Literal["spawn", "forkserver"] = "spawn") -> None:
        """Work in another process from now on.

        Args:
            warm: What the process does first: its imports, while this one is busy with its own.
            method: How the process begins: `forkserver` where that runs already, and has half of the imports.
        """
        told = dict(os.environ)  # by now names the stores, which the fork server was not told
        self._pool = ProcessPoolExecutor(1, get_context(method), initializer=_begin, initargs=(told,))
        self._pending.append(self._pool.submit(warm))

    def later(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Queue a call; another process needs to be able to import the function.

        Returns:
            What will hold its result.
        """
        if self._pool is None:
            self._pool = ThreadPoolExecutor(1, "recorder")
        future = self._pool.submit(function, *args, **kwargs)
        self._pending = [one for one in self._pending if not one.done() or one.exception() is not None]
        self._pending.append(future)
        return future

    def flush(self) -> None:
        """Wait for all that was queued, and let the worker go.

        Raises:
            StoreError: When something could not be written; the rest was.
        """
        pending, pool = self._pending, self._pool
        self._pending, self._pool = [], None
        errors = [error for future in pending if (error := future.exception()) is not None]
        if pool is not None:
            pool.shutdown()
        if errors:
            told = f"{type(errors[0]).__name__}: {errors[0]}"
            raise StoreError(f"A run was not recorded whole: {told} (-v shows where).") from errors[0]


def _begin(environment: dict[str, str]) -> None:
    """Write to the stores of the process that was started first, leave Ctrl-C to it, and end with it."""
    stand_apart()
    os.environ.update(environment)
    end_with_parent()


def warm() -> None:
    """Import what saving and drawing need; the store is left to whoever makes it."""
    for module in ("matplotlib.figure", "mlflow.sklearn", "skops.io", "mlrunner.search.recording"):
        importlib.import_module(module)


RECORDER = Recorder()
