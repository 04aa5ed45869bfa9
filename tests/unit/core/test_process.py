"""What ends a command: signals, wherever they find it."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from mlrunner.core.process import interruption_code

PASSED_OVER = """
import os, signal, sys, time, weakref
from mlrunner.core import process

process.heed()


class Object:
    pass


def called_back(_):
    os.kill(os.getpid(), {number})
    for _ in range(9):
        pass


one = Object()
kept = weakref.ref(one, called_back)
try:
    del one
    {after}
except (KeyboardInterrupt, OSError) as error:
    code = process.interruption(error)
time.sleep(0.3)
sys.exit(code)
"""


@pytest.mark.parametrize("after", ["time.sleep(9)", "open('/not/there')"], ids=["goes on", "fails"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_where_python_passes_exceptions_over_ends_the_command(number: signal.Signals, after: str) -> None:
    program = PASSED_OVER.format(number=int(number), after=after)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (128 + number, "")


def test_what_is_ignored_stays_so() -> None:
    program = (
        "import os, signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "from mlrunner.core import process; process.heed(); os.kill(os.getpid(), signal.SIGHUP)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)


def test_exit_codes_are_those_of_a_shell() -> None:
    told = ((), (signal.SIGTERM,), (signal.SIGHUP,))
    assert [interruption_code(KeyboardInterrupt(*one)) for one in told] == [130, 143, 129]
    assert interruption_code(OSError()) is None
