"""What a signal does while a command has nothing to close: it ends the process at once, without Python's traceback.

A command imports this module first of all, so it imports little itself.
"""

from __future__ import annotations

import os
import signal
from types import FrameType

ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def exit_on_signals() -> None:
    """End the process at each of the ending signals; one that is ignored, as by `nohup`, stays ignored."""
    for number in ENDING_SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, exit_at_once)


def exit_at_once(number: int, frame: FrameType | None) -> None:
    """End the process with the exit code of a signal."""
    del frame
    os._exit(128 + number)
