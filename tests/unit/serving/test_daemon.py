"""A command that outlives the process that starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil

from tests.support.front_door import PROJECT
from tests.support.http_client import wait_until

COMMAND = "import os, sys, time; print(os.getsid(0), flush=True); sys.stdin.read() and sys.exit(1); time.sleep(60)"


def test_the_command_runs_in_a_session_of_its_own_with_its_output_in_the_log(tmp_path: Path) -> None:
    pid_file, log = tmp_path / "pid", tmp_path / "log"
    log.write_text("before\n")
    starter = [sys.executable, "-m", "mlrunner.serving.daemon", str(pid_file), str(log)]
    finished = subprocess.run([*starter, sys.executable, "-c", COMMAND], cwd=PROJECT, capture_output=True, check=True)
    process = psutil.Process(int(pid_file.read_text()))
    try:
        assert (finished.stdout, finished.stderr) == (b"", b"")
        assert wait_until(lambda: log.read_text().splitlines()[1:]) == [str(process.pid)]
        assert process.ppid() != os.getpid()
    finally:
        process.kill()
