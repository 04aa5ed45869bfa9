"""Signals as exceptions; one that a library drops is sent again.

SIGTERM (sent by a scheduler, `timeout` or `docker stop`) and SIGHUP (sent when a terminal closes) end a command as
Ctrl-C does: by KeyboardInterrupt, so that runs and stores are closed.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from threading import Timer
from types import FrameType
from typing import Any

from mlrunner.core import environment
from mlrunner.core.exit_signals import ENDING_SIGNALS, exit_at_once

DEFAULTS = (signal.SIG_DFL, signal.default_int_handler, exit_at_once)
RESEND_SECONDS = 0.05


class SignalRecord:
    """What became of the signals of this process; as the hook for ignored exceptions it prints no interruption.

    Attributes:
        last: The last signal that arrived; None when none did.
        is_handled: Whether the command ends because of it.
    """

    def __init__(self) -> None:
        self.last: int | None = None
        self.is_handled = False

    def __call__(self, unraisable: Any) -> None:
        """Handle an exception that Python ignores, as in the callback of a weak reference."""
        if not isinstance(unraisable.exc_value, Interruption):
            sys.__unraisablehook__(unraisable)

    def resend(self) -> None:
        """Send the last signal again, unless it is handled by now."""
        if self.last is not None and not self.is_handled:
            os.kill(os.getpid(), self.last)


class Interruption(KeyboardInterrupt):
    """A signal as an exception: when it is freed and nothing has handled it, the signal is sent again.

    Libraries drop exceptions: by a bare `except`, or in C, as `hasattr` does.
    """

    def __init__(self, number: int, record: SignalRecord) -> None:
        super().__init__(number)
        self._record = record

    def __del__(self) -> None:
        """Send the signal a moment later: at once, the same place might drop it once more."""
        if not self._record.is_handled:
            timer = Timer(RESEND_SECONDS, self._record.resend)
            timer.daemon = True
            timer.start()


def install_signal_handlers() -> None:
    """Raise KeyboardInterrupt for the ending signals; a signal that is ignored, as by `nohup`, stays ignored."""
    sys.unraisablehook = SignalRecord()
    for number in ENDING_SIGNALS:
        if signal.getsignal(number) in DEFAULTS:
            signal.signal(number, interrupt)


def interrupt(number: int, frame: FrameType | None) -> None:
    """Raise a signal as an exception.

    Raises:
        KeyboardInterrupt: Always.
    """
    del frame
    if not environment.is_verbose():
        logging.getLogger("zenml").setLevel(logging.CRITICAL)  # ZenML reports the interrupted step as failed
    record = _record()
    if record is None:  # the signals of a notebook are its own
        raise KeyboardInterrupt(number)
    record.last, record.is_handled = number, False
    raise Interruption(number, record)


def mark_handled() -> None:
    """Send no signal again: the command ends because of it."""
    record = _record()
    if record is not None:
        record.is_handled = True


def interruption_code(error: BaseException) -> int | None:
    """Return the exit code of a command that a signal has ended, and mark the signal as handled.

    Args:
        error: Error that ended the command. It need not be KeyboardInterrupt: a signal may arrive where Python ignores
            exceptions, or where a library replaces them, as pydantic does while it builds a class.

    Returns:
        130 for SIGINT, 143 for SIGTERM, 129 for SIGHUP; None when no signal has ended it.
    """
    mark_handled()
    record = _record()
    number = record.last if record is not None else None
    if isinstance(error, KeyboardInterrupt):
        number = int(error.args[0]) if error.args else signal.SIGINT
    return None if number is None else 128 + number


def _record() -> SignalRecord | None:
    hook = sys.unraisablehook
    return hook if isinstance(hook, SignalRecord) else None
