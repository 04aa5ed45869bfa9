"""Print a line for each step of a run while it runs."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import ParamSpec, TypeVar

from rich.text import Text

from mlrunner.core.terminal import console

P = ParamSpec("P")
R = TypeVar("R")
TRAINING_STEPS = ("ingest", "clean", "divide", "train", "evaluate", "gate", "deploy")
DEPLOYMENT_STEPS = ("ingest", "clean", "divide", "load", "score", "gate", "deploy")


class Progress:
    """Prints a line for each step.

    Args:
        steps: Names of the steps in their order; other steps print nothing.
    """

    def __init__(self, steps: Sequence[str]) -> None:
        self._waiting, self._console = list(steps), console()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Show that a step runs, and print how long it took."""
        if name not in self._waiting:
            yield
            return
        self._skip_to(name)
        start = time.perf_counter()
        with self._console.status(f"  {name} …"):
            yield
        self._waiting.remove(name)
        self._print(name, f"{time.perf_counter() - start:6.2f} s")

    def _skip_to(self, name: str) -> None:
        """Print the steps before this one, which never started because they are cached."""
        while self._waiting and self._waiting[0] != name:
            self._print(self._waiting.pop(0), "cached  ", "dim")

    def _print(self, name: str, note: str, style: str = "") -> None:
        self._console.print(Text.assemble(("  ✓ ", "green"), f"{name:<10}", (f"{note:>10}", style)))


ACTIVE: ContextVar[Progress | None] = ContextVar("progress", default=None)  # ZenML calls steps without our objects


@contextmanager
def print_steps(steps: Sequence[str] | None) -> Iterator[None]:
    """Print the steps that run inside the block; None prints nothing."""
    token = ACTIVE.set(None if steps is None else Progress(steps))
    try:
        yield
    finally:
        ACTIVE.reset(token)


def show_progress(function: Callable[P, R]) -> Callable[P, R]:
    """Print a line for a step where the run prints its steps."""

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        progress = ACTIVE.get()
        if progress is None:
            return function(*args, **kwargs)
        with progress.step(function.__name__):
            return function(*args, **kwargs)

    return wrapper
