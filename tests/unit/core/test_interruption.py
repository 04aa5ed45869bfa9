"""Signals end a command, also where a library drops the exception."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from mlrunner.core.interruption import interruption_code

LOST_SIGNAL = """
import gc, os, signal, sys, time, weakref
from mlrunner.core import interruption

interruption.install_signal_handlers()


class Object:
    pass


class Cycle:
    def __init__(self):
        self.self = self

    def __del__(self):
        send()


def send(_=None):
    os.kill(os.getpid(), {number})
    for _ in range(9):
        pass


def drop():
    try:
        send()
    except BaseException:
        pass


object = Object()
reference = weakref.ref(object, send)
try:
    {statement}
    {after}
except (KeyboardInterrupt, OSError) as error:
    code = interruption.interruption_code(error)
time.sleep(0.1)
sys.exit(code)
"""
HANDLED = """
import signal, sys, time
from mlrunner.core import interruption

interruption.install_signal_handlers()
try:
    signal.raise_signal(signal.SIGTERM)
except KeyboardInterrupt:
    interruption.mark_handled()
time.sleep(5 * interruption.RESEND_SECONDS)
"""


def run(program: str) -> tuple[int, str]:
    """Run a program; return its exit code and stderr."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ("statement", "after"),
    [
        ("del object", "time.sleep(60)"),
        ("del object", "open('/not/there')"),
        ("drop()", "time.sleep(60)"),
        ("drop(); time.sleep(0.1); drop()", "time.sleep(60)"),
        ("Cycle(); gc.collect()", "time.sleep(60)"),
    ],
    ids=["weak reference", "another error", "except", "twice", "finalizer"],
)
def test_a_signal_that_is_dropped_ends_the_command(statement: str, after: str, number: signal.Signals) -> None:
    program = LOST_SIGNAL.format(number=int(number), statement=statement, after=after)
    assert run(program) == (128 + number, "")


def test_a_signal_that_a_library_replaces_by_its_own_error_has_ended_the_command() -> None:
    program = (
        "import signal, sys\n"
        "from mlrunner.core import interruption\n"
        "interruption.install_signal_handlers()\n"
        "try:\n    signal.raise_signal(signal.SIGTERM)\n"
        "except KeyboardInterrupt:\n    sys.exit(interruption.interruption_code(ValueError('a class cannot be built')))"
    )
    assert run(program) == (143, "")


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    program = (
        "import os, signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "from mlrunner.core.interruption import install_signal_handlers; install_signal_handlers()\n"
        "os.kill(os.getpid(), signal.SIGHUP)"
    )
    assert run(program) == (0, "")


def test_another_ignored_exception_is_reported_by_python() -> None:
    program = (
        "from mlrunner.core.interruption import install_signal_handlers; install_signal_handlers()\n"
        "class Broken:\n    def __del__(self): raise ValueError('in a finalizer')\nBroken()"
    )
    code, err = run(program)
    assert code == 0
    assert "ValueError: in a finalizer" in err


def test_exit_codes_are_those_of_a_shell() -> None:
    arguments = ((), (signal.SIGTERM,), (signal.SIGHUP,))
    assert [interruption_code(KeyboardInterrupt(*each)) for each in arguments] == [130, 143, 129]
    assert interruption_code(OSError()) is None


def test_a_signal_that_is_handled_is_not_sent_again() -> None:
    assert run(HANDLED) == (0, "")
