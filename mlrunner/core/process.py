"""SIGTERM (a scheduler, `timeout`, `docker stop`) and a closed terminal end a command as Ctrl-C does: all is closed."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import parent_process
from threading import Thread, Timer
from types import FrameType
from typing import Any, TextIO

ENDINGS = (signal.SIGTERM, signal.SIGHUP)
SOON = 0.05  # seconds
PASSED_OVER: list[tuple[int, Timer]] = []  # signals that came where no exception is heeded, and what sends them again


def install_signal_handlers() -> None:
    """Raise KeyboardInterrupt for these signals too, but for one that is ignored (`nohup`)."""
    for number in ENDINGS:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _interrupt)
    sys.unraisablehook = _again


def interruption_code(error: BaseException) -> int | None:
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
def signals_ignored() -> Iterator[None]:
    """Have the processes that are started meanwhile ignore all of them: they end with the one that starts them."""
    before = [(number, signal.signal(number, signal.SIG_IGN)) for number in (signal.SIGINT, *ENDINGS)]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def detach() -> None:
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


class Patient:
    """A stream that goes silent, instead of raising, once its reader has gone."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, or drop what nobody reads."""
        try:
            return self._stream.write(text)
        except BrokenPipeError:
            self._silence()
            return len(text)

    def flush(self) -> None:
        """Flush, or drop what nobody reads."""
        try:
            self._stream.flush()
        except BrokenPipeError:
            self._silence()

    def _silence(self) -> None:
        """Point the descriptor at nothing, for the interpreter flushes it once more on its way out."""
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, self._stream.fileno())
        os.close(nothing)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def ignore_broken_pipe() -> None:
    """Make the process's own output such a stream."""
    if sys.stdout is not None and not isinstance(sys.stdout, Patient):  # None: it is closed
        sys.stdout = Patient(sys.stdout)


def exit_with_parent() -> None:
    """End this process as soon as its parent has gone, whatever it is doing: nobody waits for it any more."""
    Thread(target=_watch, daemon=True).start()


def _watch() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def freeze_gc() -> None:
    """Exempt what was imported from garbage collection, which `main` left off while importing."""
    gc.collect(0)
    gc.freeze()
    gc.enable()
