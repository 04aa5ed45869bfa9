"""What ends a process, and what it prints to a closed pipe."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from mlrunner.core.process import interruption_code

LOST_SIGNAL = """
import os, signal, sys, time, weakref
from mlrunner.core import process

process.install_signal_handlers()


class Object:
    pass


def send(_):
    os.kill(os.getpid(), {number})
    for _ in range(9):
        pass


object = Object()
reference = weakref.ref(object, send)
try:
    del object
    {after}
except (KeyboardInterrupt, OSError) as error:
    code = process.interruption_code(error)
time.sleep(0.1)
sys.exit(code)
"""
PRINTING = """
import sys
from mlrunner.core.process import ignore_broken_pipe
ignore_broken_pipe()
ignore_broken_pipe()
for number in range(2000):
    print(number, "x" * 100, flush=number % 2 == 0)
print("finished", file=sys.stderr)
"""
FAMILY = """
import multiprocessing, os, signal, sys, time
from mlrunner.core.process import detach, exit_with_parent, signals_ignored


def work():
    detach()
    exit_with_parent()
    print(os.getpid(), os.getsid(0), flush=True)
    time.sleep(60)


context = multiprocessing.get_context("fork")
with signals_ignored():
    context.Process(target=work).start()
assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
time.sleep(60)
"""


@pytest.mark.parametrize(
    ("number", "after"),
    [(signal.SIGINT, "time.sleep(9)"), (signal.SIGTERM, "open('/not/there')")],
    ids=["goes on", "fails"],
)
def test_a_signal_where_python_ignores_exceptions_ends_the_command(number: signal.Signals, after: str) -> None:
    program = LOST_SIGNAL.format(number=int(number), after=after)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (128 + number, "")


def test_a_signal_that_a_library_replaces_by_its_own_error_has_ended_the_command() -> None:
    program = (
        "import signal, sys\n"
        "from mlrunner.core import process\n"
        "process.install_signal_handlers()\n"
        "try:\n    signal.raise_signal(signal.SIGTERM)\n"
        "except KeyboardInterrupt:\n    sys.exit(process.interruption_code(ValueError('a class cannot be built')))"
    )
    assert subprocess.run([sys.executable, "-c", program], timeout=30).returncode == 143


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    program = (
        "import os, signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "from mlrunner.core import process; process.install_signal_handlers(); os.kill(os.getpid(), signal.SIGHUP)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)


def test_another_ignored_exception_is_reported_by_python() -> None:
    program = (
        "from mlrunner.core import process; process.install_signal_handlers()\n"
        "class Broken:\n    def __del__(self): raise ValueError('in a finalizer')\nBroken()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30)
    assert "ValueError: in a finalizer" in done.stderr


def test_exit_codes_are_those_of_a_shell() -> None:
    arguments = ((), (signal.SIGTERM,), (signal.SIGHUP,))
    assert [interruption_code(KeyboardInterrupt(*each)) for each in arguments] == [130, 143, 129]
    assert interruption_code(OSError()) is None


def test_a_worker_has_its_own_session_and_exits_with_its_parent() -> None:
    with subprocess.Popen([sys.executable, "-c", FAMILY], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        worker, session = map(int, parent.stdout.readline().split())
        assert session == worker != os.getsid(parent.pid)
        parent.kill()
        assert parent.stdout.read() == ""  # the pipe is closed when the worker has ended as well


def test_output_without_a_reader_is_dropped() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PRINTING], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith("0 ")
        process.stdout.close()
        assert process.stderr.read() == "finished\n"
        assert process.wait() == 0


def test_output_with_a_reader_is_complete() -> None:
    done = subprocess.run([sys.executable, "-c", PRINTING], capture_output=True, text=True, check=True)
    assert len(done.stdout.splitlines()) == 2000
