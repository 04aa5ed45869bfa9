"""Daemons: their environment, their process and their log."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from mlrunner.core import process_control
from mlrunner.groups.deployer import daemons


def test_environment_has_stores_and_programs_but_nothing_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///x")
    monkeypatch.setenv("MLRUNNER_PARENT_RUN", "p")
    monkeypatch.setenv("SOME_SECRET", "s")
    environment = daemons.build_environment()
    assert environment["MLFLOW_TRACKING_URI"] == "sqlite:///x"
    assert environment["PATH"].startswith(str(Path(sys.executable).parent))
    assert {"MLRUNNER_PARENT_RUN", "SOME_SECRET"}.isdisjoint(environment)


def test_daemon_runs_on_and_its_output_is_logged(tmp_path: Path) -> None:
    pid_file, log_file = tmp_path / "pid", tmp_path / "log"
    assert daemons.read_pid(pid_file) == 0
    assert daemons.read_last_lines(log_file) == ""
    code = f"import time; print('hello', flush=True); time.sleep(60) # {tmp_path}"
    pid = daemons.start(pid_file, log_file, sys.executable, "-c", code)
    assert pid == daemons.read_pid(pid_file)
    assert process_control.is_running(pid, str(tmp_path))
    deadline = time.monotonic() + 10
    while daemons.read_last_lines(log_file) != "hello" and time.monotonic() < deadline:
        time.sleep(0.02)
    process_control.terminate(pid, str(tmp_path))
    assert daemons.read_last_lines(log_file) == "hello"
    assert not process_control.is_running(pid, str(tmp_path))


def test_last_lines_of_a_long_log(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("\n".join(map(str, range(20))))
    assert daemons.read_last_lines(tmp_path / "log", lines=2) == "18\n19"


@pytest.mark.parametrize(
    ("log", "line"), [("a\n b \n\n", "b"), ("\n \n", "it printed nothing"), ("", "it printed nothing")]
)
def test_last_line_is_not_blank(log: str, line: str) -> None:
    assert daemons.get_last_line(log) == line
