"""Open the stores of a sweep, and start the process that saves models and plots in the background."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from mlrunner.groups.stack import Stack
from mlrunner.tracking import outage
from mlrunner.tracking.background_writer import RECORDER


def open_stack(stack: Stack, home: Path, modules: Sequence[str], method: Literal["spawn", "forkserver"]) -> None:
    """Open the stores of a sweep while the background writer's process starts, which takes as long.

    Args:
        stack: Stack of the sweep.
        home: Folder that holds `.mlrunner/`.
        modules: Modules that the background writer needs; empty: nothing will be saved, so it is not started.
        method: Start method of its process; see `Recorder.start_process`.

    Raises:
        MlrunnerError: If a store does not open.
    """
    outage.wait_longer()
    if modules and stack.is_managed:
        stack.export_environment(home)
        RECORDER.start_process(modules, method)
    stack.activate(home)
    if modules and not stack.is_managed:  # ZenML must be open before its stack says where MLflow is
        RECORDER.start_process(modules, method)
