"""Signals, output, garbage collection and parent of this process.

SIGTERM (sent by a scheduler, `timeout` or `docker stop`) and SIGHUP (sent when a terminal closes) end a command as
Ctrl-C does: by KeyboardInterrupt, so that runs and stores are closed.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread, Timer
from types import FrameType
from typing import Any, TextIO

from mlrunner.core import environment

ENDING_SIGNALS = (signal.SIGTERM, signal.SIGHUP)
DEFAULTS = (signal.SIG_DFL, signal.default_int_handler)
RESEND_SECONDS = 0.05
_ABANDONED = Event()


def install_signal_handlers() -> None:
    """Raise KeyboardInterrupt for the ending signals too; a signal that is ignored, as by `nohup`, stays ignored."""
    sys.unraisablehook = LostSignals()
    for number in (signal.SIGINT, *ENDING_SIGNALS):
        if signal.getsignal(number) in DEFAULTS:
            signal.signal(number, _interrupt)


def interruption_code(error: BaseException) -> int | None:
    """Return the exit code of a command that a signal has ended; None when no signal has.

    Args:
        error: Error that ended the command. It need not be KeyboardInterrupt: a signal may arrive where Python ignores
            exceptions, or where a library replaces them, as pydantic does while it builds a class.

    Returns:
        130 for SIGINT, 143 for SIGTERM, 129 for SIGHUP.
    """
    hook = sys.unraisablehook
    last = hook.cancel() if isinstance(hook, LostSignals) else None
    number = _signal_number(error) if isinstance(error, KeyboardInterrupt) else last
    return None if number is None else 128 + number


@contextmanager
def signals_ignored() -> Iterator[None]:
    """Ignore SIGINT and the ending signals in the processes that are started within a block.

    Such a process ends with the one that starts it; see `exit_with_parent`.
    """
    before = [(number, signal.signal(number, signal.SIG_IGN)) for number in (signal.SIGINT, *ENDING_SIGNALS)]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def detach() -> None:
    """Move this process to a session of its own, which Ctrl-C and signals to its parent's group do not reach."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.setsid()


def exit_with_parent() -> None:
    """Exit this process when its parent dies."""
    Thread(target=_wait_for_parent, daemon=True).start()


def ignore_broken_pipe() -> None:
    """Drop what is printed after the reader of a pipe, such as `head`, has ended."""
    if sys.stdout is not None and not isinstance(sys.stdout, PipeTolerantStream):  # None: stdout is closed
        sys.stdout = PipeTolerantStream(sys.stdout)


def abandon_threads() -> None:
    """Let `exit_without_threads` end the process: a thread waits for a server that is gone."""
    _ABANDONED.set()


def exit_without_threads(code: int) -> None:
    """End the process at once if its threads are abandoned; Python would wait for them.

    Args:
        code: Exit code.
    """
    if _ABANDONED.is_set():
        for stream in filter(None, (sys.stdout, sys.stderr)):
            stream.flush()
        os._exit(code)


def freeze_gc() -> None:
    """Freeze imported objects, and enable garbage collection, which `main` disables while modules are imported."""
    gc.collect(0)
    gc.freeze()
    gc.enable()


def _interrupt(number: int, frame: FrameType | None) -> None:
    del frame
    if isinstance(sys.unraisablehook, LostSignals):
        sys.unraisablehook.last = number
    if not environment.is_verbose():
        logging.getLogger("zenml").setLevel(logging.CRITICAL)  # ZenML reports the interrupted step as failed
    raise KeyboardInterrupt(number)


def _signal_number(error: KeyboardInterrupt) -> int:
    return int(error.args[0]) if error.args else signal.SIGINT


def _wait_for_parent() -> None:
    from multiprocessing import parent_process  # takes time that only worker processes need

    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


class LostSignals:
    """Hook for exceptions that Python ignores, as in the callback of a weak reference: it sends the signal again.

    Attributes:
        last: The last signal that arrived; None when none did.
    """

    def __init__(self) -> None:
        self.last: int | None = None
        self._timers: list[Timer] = []

    def __call__(self, unraisable: Any) -> None:
        """Handle an exception; one that no signal has caused is handled by Python."""
        if not isinstance(unraisable.exc_value, KeyboardInterrupt):
            sys.__unraisablehook__(unraisable)
            return
        self.last = _signal_number(unraisable.exc_value)
        self._timers.append(Timer(RESEND_SECONDS, os.kill, (os.getpid(), self.last)))
        self._timers[-1].start()

    def cancel(self) -> int | None:
        """Stop sending, and return the last signal that arrived; None when none did."""
        for timer in self._timers:
            timer.cancel()
        return self.last


class PipeTolerantStream:
    """Text stream that drops its output once the reader of its pipe has ended."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, or drop the text."""
        try:
            return self._stream.write(text)
        except BrokenPipeError:
            self._discard()
            return len(text)

    def flush(self) -> None:
        """Flush, or drop the buffer."""
        try:
            self._stream.flush()
        except BrokenPipeError:
            self._discard()

    def _discard(self) -> None:
        """Redirect the descriptor to /dev/null: the interpreter flushes the stream once more on exit."""
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, self._stream.fileno())
        os.close(null)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
