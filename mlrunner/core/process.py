"""Output, garbage collection, session and parent of this process."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any, TextIO

from mlrunner.core.exit_signals import ENDING_SIGNALS

_ABANDONED = Event()


@contextmanager
def signals_ignored() -> Iterator[None]:
    """Ignore SIGINT and the ending signals in the processes that are started within a block.

    Such a process ends with the one that starts it; see `exit_with_parent`.
    """
    before = [(number, signal.signal(number, signal.SIG_IGN)) for number in ENDING_SIGNALS]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def detach() -> None:
    """Move this process to a session of its own, which Ctrl-C and signals to its parent's group do not reach."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in set(ENDING_SIGNALS) - {signal.SIGINT}:
        signal.signal(number, signal.SIG_DFL)
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
    """End the process at once if its threads are abandoned; Python would wait for them."""
    if _ABANDONED.is_set():
        for stream in filter(None, (sys.stdout, sys.stderr)):
            stream.flush()
        os._exit(code)


def freeze_gc() -> None:
    """Freeze imported objects, and enable garbage collection, which `main` disables while modules are imported.

    Nothing is collected first: that takes a third of a second, and imports leave little garbage.
    """
    gc.freeze()
    gc.enable()


def _wait_for_parent() -> None:
    from multiprocessing import parent_process  # takes time that only worker processes need

    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


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
