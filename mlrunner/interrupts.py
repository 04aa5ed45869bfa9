"""SIGTERM (a scheduler, `timeout`, `docker stop`) and a closed terminal end a command as Ctrl-C does: all is closed."""

from __future__ import annotations

import logging
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
PASSED_OVER: list[tuple[int, Timer]] = []  # signals that came where no exception is heeded, and what sends them again


def heed() -> None:
    """Raise KeyboardInterrupt for these signals too, but for one that is ignored (`nohup`)."""
    for number in ENDINGS:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _interrupt)
    sys.unraisablehook = _again


def interruption(error: BaseException) -> int | None:
    """Tell what a shell reports of a command that a signal has ended; None where none has.

    A signal may come where Python passes over what is raised, and leave something half done, which is the error then.

    Returns:
        130 for Ctrl-C, 143 for SIGTERM, 129 for a closed terminal.
    """
    for _, timer in PASSED_OVER:
        timer.cancel()
    if isinstance(error, KeyboardInterrupt):
        return 128 + _number(error)
    return 128 + PASSED_OVER[-1][0] if PASSED_OVER else None


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
    if os.environ.get("MLRUNNER_VERBOSE") != "1":
        logging.getLogger("zenml").setLevel(logging.CRITICAL)  # which calls it a step that failed
    raise KeyboardInterrupt(number)


def _number(error: KeyboardInterrupt) -> int:
    return int(error.args[0]) if error.args else signal.SIGINT


def _again(told: Any) -> None:
    """Send a signal once more that came where Python passes exceptions over, as in the callback of a weak reference."""
    if isinstance(told.exc_value, KeyboardInterrupt):
        number = _number(told.exc_value)
        PASSED_OVER.append((number, Timer(SOON, os.kill, (os.getpid(), number))))
        PASSED_OVER[-1][1].start()
    else:
        sys.__unraisablehook__(told)
