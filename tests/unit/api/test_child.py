"""Sweeps in a child process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Timer

import pytest

from mlrunner.api.child import wait_for_sweep

CLOSING = """
import time
try:
    print("started", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    time.sleep(0.5)  # longer than subprocess.run waits before it kills
    print("closed")
"""


def test_an_interrupted_sweep_ends_by_itself(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with (tmp_path / "out").open("w") as sink:
        child = subprocess.Popen([sys.executable, "-c", CLOSING], stdout=sink, start_new_session=True)
    while not (tmp_path / "out").read_text():
        time.sleep(0.01)
    Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
    try:
        with pytest.raises(KeyboardInterrupt):
            wait_for_sweep(child, lambda: None)
    finally:
        signal.signal(signal.SIGINT, before)
    assert (tmp_path / "out").read_text() == "started\nclosed\n"
