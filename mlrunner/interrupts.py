"""SIGTERM (a scheduler, `timeout`, `docker stop`) and a closed terminal end a command as Ctrl-C does: all is closed."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer
from types import FrameType
from typing import Any

ENDINGS = (signal.SIGTERM, signal.SIGHUP)
SOON = 0.05  # seconds


def heed() -> None:
    """Raise KeyboardInterrupt for these signals too, but for one that is ignored (`nohup`)."""
    for number in ENDINGS:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _interrupt)
    sys.unraisablehook = _again


def exit_code(error: KeyboardInterrupt) -> int:
    """Tell what a shell reports for the signal: 130 for Ctrl-C, 143 for SIGTERM, 129 for a closed terminal."""
    return 128 + _number(error)


@contextmanager
def left_aside() -> Iterator[None]:
    """Have the processes that are started meanwhile ignore all of them: they end with the one that starts them."""
    before = [(number, signal.signal(number, signal.SIG_IGN)) for number in (signal.SIGINT, *ENDINGS)]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def stand_apart() -> None:
    """Leave the signals of the terminal and of its group to the process that has started this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.setsid()


def _interrupt(number: int, frame: FrameType | None) -> None:
    del frame
    raise KeyboardInterrupt(number)


def _number(error: KeyboardInterrupt) -> int:
    return int(error.args[0]) if error.args else signal.SIGINT


def _again(told: Any) -> None:
    """Send a signal once more that came where Python passes exceptions over, as in the callback of a weak reference."""
    if isinstance(told.exc_value, KeyboardInterrupt):
        Timer(SOON, os.kill, (os.getpid(), _number(told.exc_value))).start()
    else:
        sys.__unraisablehook__(told)
