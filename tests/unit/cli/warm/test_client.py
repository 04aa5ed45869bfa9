"""Which commands run warm; the others start cold."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlrunner.cli.warm import client, messages
from tests.support.warm_commands import Start, count_commands


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["runs", "-v"], ["--version"], ["warm", "stop"], ["dataset.path=/dev/fd/63"]],
    ids=" ".join,
)
def test_what_is_quick_or_odd_starts_cold(arguments: list[str]) -> None:
    assert not client.is_suitable(arguments)
    assert client.is_suitable(["model=ridge"])


def test_a_configuration_of_matplotlib_in_the_folder_means_a_cold_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "matplotlibrc").touch()
    monkeypatch.chdir(tmp_path)
    assert not client.is_suitable(["model=ridge"])


@pytest.fixture
def handlers() -> Iterator[None]:
    """Restore the handlers of the signals that a client forwards."""
    before = [(number, signal.getsignal(number)) for number in client.FORWARDED]
    yield
    for number, handler in before:
        signal.signal(number, handler)


@pytest.mark.usefixtures("handlers")
def test_a_command_that_ends_by_a_forwarded_signal_without_an_answer_has_its_exit_code() -> None:
    with subprocess.Popen(["sleep", "60"]) as command:

        def answers() -> messages.Answers:
            signal.raise_signal(signal.SIGTERM)
            assert command.wait() == -signal.SIGTERM
            yield from ()

        assert client.follow(command.pid, answers()) == 128 + signal.SIGTERM


def test_without_a_warm_process_a_command_starts_cold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("MLRUNNER_WARM", "1")
    assert client.run_warm(["model=ridge"]) is None
    assert client.ask("status") is None


def test_another_environment_means_a_cold_start(warm: Start) -> None:
    before = count_commands(warm)
    process = warm("runs", OMP_NUM_THREADS="7")
    process.communicate(timeout=120)
    assert process.returncode == 0
    assert count_commands(warm) == before


def test_a_variable_starts_a_process_after_a_command_but_not_after_its_end(warm: Start) -> None:
    warm("warm", "stop", MLRUNNER_WARM="1").communicate(timeout=60)
    assert "no warm process" in warm("warm", "status").communicate(timeout=60)[0]
    warm("runs", MLRUNNER_WARM="1").communicate(timeout=120)
    deadline = time.monotonic() + 120
    while "warm since" not in warm("warm", "status").communicate(timeout=60)[0]:
        assert time.monotonic() < deadline
        time.sleep(0.2)
