"""When a process may fork."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from types import ModuleType

import pytest

from mlrunner.core import forking
from mlrunner.core.user_code import is_installed


@pytest.fixture(autouse=True)
def _command(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run as a command without threads and without the modules that other tests have imported."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file is not None and not is_installed(Path(file)):
            monkeypatch.delitem(sys.modules, name)
    command = threading.Event()
    command.set()
    monkeypatch.setattr(forking, "_COMMAND", command)
    monkeypatch.setattr(threading, "enumerate", lambda: [threading.main_thread()])
    monkeypatch.setattr(sys, "platform", "linux")


def test_a_command_of_ours_can_fork() -> None:
    assert forking.can_fork()


def test_another_program_cannot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forking, "_COMMAND", threading.Event())
    assert not forking.can_fork()


@pytest.mark.parametrize("daemon", [True, False])
def test_beside_threads_that_only_wait(daemon: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    thread = threading.Thread(daemon=daemon)
    monkeypatch.setattr(threading, "enumerate", lambda: [threading.main_thread(), thread])
    assert forking.can_fork() is daemon


def test_not_after_modules_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    module = ModuleType("my_cleaning")
    module.__file__ = f"{tmp_path}/my_cleaning.py"
    monkeypatch.setitem(sys.modules, "my_cleaning", module)
    assert not forking.can_fork()


def test_a_script_that_calls_the_command_is_no_module(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    script = ModuleType("__main__")
    script.__file__ = f"{tmp_path}/bin/mlrunner"
    for name in ("__main__", "__mp_main__"):
        monkeypatch.setitem(sys.modules, name, script)
    assert forking.can_fork()


def test_not_on_macos(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not forking.can_fork()
