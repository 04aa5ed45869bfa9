"""Signals end a process that has nothing to close."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

PROGRAM = """
import signal, time
from mlrunner.core.exit_signals import exit_on_signals

signal.signal(signal.SIGHUP, signal.SIG_IGN)
exit_on_signals()
signal.raise_signal(signal.{name})
for _ in range(9):
    pass
print("goes on")
"""


@pytest.mark.parametrize(("name", "code", "output"), [("SIGINT", 130, ""), ("SIGTERM", 143, "")])
def test_a_signal_ends_the_process_unless_it_is_ignored(name: str, code: int, output: str) -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM.format(name=name)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (code, output, "")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
