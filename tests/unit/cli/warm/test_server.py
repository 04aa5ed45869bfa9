"""The warm process: one a user, and for one state of the code."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from mlrunner.cli.warm import server, state
from tests.support.warm_commands import Start


def test_the_modules_are_those_of_installed_packages_and_ours() -> None:
    names = server.MODULES.read_text().split()
    assert len(names) == len(set(names))
    assert "mlrunner.execution.runner" in names


def test_a_second_process_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    listener, lock = server.listen()
    with listener, pytest.raises(BlockingIOError):
        server.listen()
    os.close(lock)
    listener, lock = server.listen()  # the socket of a process that was killed is replaced
    listener.close()
    os.close(lock)


def test_a_folder_of_others_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    state.socket_file().parent.mkdir(mode=0o755)
    with pytest.raises(PermissionError):
        server.listen()


def test_a_new_package_ends_the_process(warm: Start, own_packages: Path) -> None:
    (own_packages / "new.py").touch()
    out, err = (process := warm("runs")).communicate(timeout=120)
    assert process.returncode == 0, out + err  # started cold
    assert warm("warm", "status").communicate(timeout=60)[0] == "no warm process; mlrunner warm start starts one.\n"


def test_an_idle_process_ends(start: Start) -> None:
    start("warm", "stop").communicate(timeout=60)
    start("warm", "start", "--idle", "0.05").communicate(timeout=120)
    deadline = time.monotonic() + 60
    while "no warm process" not in start("warm", "status").communicate(timeout=60)[0]:
        assert time.monotonic() < deadline
        time.sleep(0.5)
