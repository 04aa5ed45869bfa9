"""The lines of a run's steps, as they go."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from rich.console import Console
from rich.text import Text

from mlrunner.core.terminal import console

P = ParamSpec("P")
R = TypeVar("R")
TRAINING = ("ingest", "clean", "divide", "train", "evaluate", "gate", "deploy")
DEPLOYMENT = ("ingest", "clean", "divide", "load", "score", "gate", "deploy")


class Progress:
    """The lines of a run's steps; silent until `begin`."""

    def __init__(self) -> None:
        self._waiting: list[str] = []
        self._console: Console | None = None

    def begin(self, steps: tuple[str, ...] = TRAINING) -> None:
        """Show the steps of the run that starts now."""
        self._waiting, self._console = list(steps), console()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Show that a step runs, then how long it took."""
        if self._console is None or name not in self._waiting:
            yield
            return
        self._cached_until(name)
        began = time.perf_counter()
        with self._console.status(f"  {name} …"):
            yield
        self._waiting.remove(name)
        self._line(name, f"{time.perf_counter() - began:6.2f} s")

    def _cached_until(self, name: str) -> None:
        while self._waiting and self._waiting[0] != name:
            self._line(self._waiting.pop(0), "cached  ")

    def _line(self, name: str, told: str) -> None:
        if self._console is not None:
            style = "dim" if told.startswith("cached") else ""
            self._console.print(Text.assemble(("  ✓ ", "green"), f"{name:<10}", (f"{told:>10}", style)))

    def end(self) -> None:
        """Be silent again."""
        self._console = None


PROGRESS = Progress()


def shown(function: Callable[P, R]) -> Callable[P, R]:
    """Tell the terminal when a step begins and ends; a cached step never begins."""

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        with PROGRESS.step(function.__name__):
            return function(*args, **kwargs)

    return wrapper
