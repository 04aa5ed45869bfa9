"""Print a line for each step of a run while it runs."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar

from rich.text import Text

from mlrunner.core.terminal import console

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
        self.show(name, time.perf_counter() - start)

    @property
    def waiting(self) -> tuple[str, ...]:
        """Names of the steps without a line, in their order."""
        return tuple(self._waiting)

    def show(self, name: str, seconds: float | None) -> None:
        """Print the line of a step that has ended; `seconds` is None for a cached one."""
        if name not in self._waiting:
            return
        self._skip_to(name)
        self._waiting.remove(name)
        if seconds is None:
            self._print(name, "cached  ", "dim")
        else:
            self._print(name, f"{seconds:6.2f} s")

    def _skip_to(self, name: str) -> None:
        """Print the steps before this one, which never started because they are cached."""
        while self._waiting and self._waiting[0] != name:
            self.show(self._waiting[0], None)

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


@contextmanager
def show_step(name: str) -> Iterator[None]:
    """Print the line of a step where the run prints its steps."""
    progress = ACTIVE.get()
    with nullcontext() if progress is None else progress.step(name):
        yield


def show_finished(steps: Mapping[str, float | None]) -> None:
    """Print the lines of steps that ran elsewhere, where the run prints its steps.

    Args:
        steps: Duration in seconds by name; None: the step is cached.
    """
    progress = ACTIVE.get()
    if progress is not None:
        for name in progress.waiting:
            progress.show(name, steps.get(name))
