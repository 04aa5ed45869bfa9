"""The guard runs a console script, and ends with the process that holds its stdin."""

from __future__ import annotations

import json
import platform
import signal
import subprocess
import sys
from pathlib import Path

from mlrunner.core.child_server import guard


def start(*arguments: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, str(guard.__file__), arguments[0]],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(arguments).encode() + b"\n")
    process.stdin.flush()
    return process


def test_a_script_runs_with_its_arguments_and_exit_code() -> None:
    with start("uvicorn", "--version") as process:
        assert process.stdout is not None
        assert process.stdout.read().startswith(b"Running uvicorn")
        assert process.wait(30) == 0


def test_a_function_runs_as_a_script_does() -> None:
    with start("platform:node") as process:  # returns the name of this machine, which is no exit code
        assert process.stdout is not None
        assert process.stdout.read().decode().strip() == platform.node()
        assert process.wait(30) == 1


def test_a_script_ends_when_its_starter_has_ended(tmp_path: Path) -> None:
    (tmp_path / "waiting.py").write_text("import time\nprint('started', flush=True)\ntime.sleep(60)\n")
    with start("uvicorn", "waiting:app", "--app-dir", str(tmp_path)) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == b"started\n"
        process.stdin.close()
        assert process.wait(30) == -signal.SIGKILL
