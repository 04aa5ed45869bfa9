"""Open the stores of a sweep, and beside that the process that draws and saves."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from mlrunner.groups.stack import Stack
from mlrunner.tracking.background_writer import RECORDER, warm


def open_stack(stack: Stack, home: Path, saves: bool, method: Literal["spawn", "forkserver"]) -> None:
    """Open both stores; what draws and saves imports in the meantime, which takes as long.

    Args:
        stack: Of the sweep.
        home: The folder that holds `.mlrunner/`.
        saves: Whether models or pictures will be saved.
        method: How the process that does so begins; see `Recorder.start_process`.

    Raises:
        MlrunnerError: When a store does not open.
    """
    if saves and stack.is_ours:
        stack.announce(home)
        RECORDER.start_process(warm, method)
    stack.activate(home)
    if saves and not stack.is_ours:  # what its own tracker says is known only once ZenML is there
        RECORDER.start_process(warm, method)
