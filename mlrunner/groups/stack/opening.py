"""Open the stores of a sweep, and start the process that records its runs in the background."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mlrunner.core.forking import can_fork
from mlrunner.groups.stack import Stack
from mlrunner.tracking import outage
from mlrunner.tracking.background_writer import RECORDER, StartMethod


def open_stack(stack: Stack, home: Path, modules: Sequence[str], method: StartMethod) -> None:
    """Open the stores of a sweep while the background writer's process starts.

    Args:
        stack: Stack of the sweep.
        home: Folder that holds `.mlrunner/`.
        modules: Modules that the background writer needs; empty: nothing will be saved, so it is not started.
        method: Start method of its process where this one cannot fork; see `Recorder.start_process`.

    Raises:
        MlrunnerError: If a store does not open.
    """
    outage.wait_longer()
    if not modules:
        stack.activate(home)
    elif not stack.is_managed:  # ZenML must be open before its stack says where MLflow is
        stack.activate(home)
        RECORDER.start_process(modules, method)
    elif can_fork():  # with ZenML and MLflow imported, and before anything is open
        stack.activate(home, lambda: RECORDER.start_process(modules, "fork"))
    else:  # it imports both itself, at the same time
        stack.export_environment(home)
        RECORDER.start_process(modules, method)
        stack.activate(home)
