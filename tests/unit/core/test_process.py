"""What ends a process, and what it prints to a closed pipe."""

from __future__ import annotations

import os
import subprocess
import sys

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
