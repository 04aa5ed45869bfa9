"""SIGTERM (a scheduler, `timeout`, `docker stop`) and a closed terminal end a command as Ctrl-C does: all is closed."""

from __future__ import annotations

import signal
from types import FrameType

ENDINGS = (signal.SIGTERM, signal.SIGHUP)


def heed() -> None:
    """Raise KeyboardInterrupt for these signals too, but for one that is ignored (`nohup`)."""
    for number in ENDINGS:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _interrupt)


def exit_code(error: KeyboardInterrupt) -> int:
    """Tell what a shell reports for the signal: 130 for Ctrl-C, 143 for SIGTERM, 129 for a closed terminal."""
    return 128 + (error.args[0] if error.args else signal.SIGINT)


def _interrupt(number: int, frame: FrameType | None) -> None:
    del frame
    raise KeyboardInterrupt(number)
