"""Commands run warm do what they do cold: output, exit code, signals, folder, terminal."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.support.warm_commands import Start, count_commands

VOLATILE = re.compile(
    r"\b[0-9a-f]{8,32}\b|\d{2}-\d{2}-\d{2}-\d{6}| +(?:\d+\.\d+ s|cached) *$|^ *diff .*\n", re.MULTILINE
)
TINY = ("model=ridge", "dataset=diabetes", "tracking.plots=false")
COMMANDS = [
    ("--cfg", "job", "model=rf"),
    ("modl=ridge",),
    ("model=ridge", "split.test=2"),
    ("rubs",),
    ("diff", "nothing"),
]


def outcome(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Return exit code, stdout and stderr of a command, without what differs from run to run."""
    out, err = process.communicate(timeout=240)
    return process.returncode, *(VOLATILE.sub("", text) for text in (out, err))


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_command_says_the_same_warm_and_cold(command: tuple[str, ...], warm: Start) -> None:
    before = count_commands(warm)
    warmed = outcome(warm(*command))
    assert count_commands(warm) == before + 1
    assert warmed == outcome(warm(*command, warm=False))
    assert count_commands(warm) == before + 1


def test_a_run_says_the_same_warm_and_cold(warm: Start, tmp_path: Path) -> None:
    before = count_commands(warm)
    code, out, err = outcome(warm(*TINY, cwd=tmp_path))
    assert (code, err) == (0, "")
    assert count_commands(warm) == before + 1
    assert outcome(warm(*TINY, cwd=tmp_path, warm=False)) == (0, out, "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_reaches_the_command(number: signal.Signals, warm: Start) -> None:
    process = warm("model=rf", "dataset=diabetes", "model.estimator.n_estimators=100000")
    child = wait_for_child(process)
    process.send_signal(number)
    err = process.communicate(timeout=240)[1]
    assert process.returncode == 128 + number
    assert "mlrunner: interrupted" in err
    assert ends(child)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_a_new_fork_prints_one_line_or_none(number: signal.Signals, warm: Start) -> None:
    process = warm(*TINY)
    child = None
    while child is None:
        child = find_child(process)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (128 + number, "")
    assert err in ("", "mlrunner: interrupted.\n")
    assert ends(child)


def test_a_command_dies_with_the_process_that_the_user_sees(warm: Start) -> None:
    process = warm("model=rf", "dataset=diabetes", "model.estimator.n_estimators=100000")
    child = wait_for_child(process)
    process.kill()
    process.communicate(timeout=60)
    assert ends(child)


def test_a_killed_command_is_killed_for_the_shell_too(warm: Start) -> None:
    process = warm("model=rf", "dataset=diabetes", "model.estimator.n_estimators=100000")
    os.kill(wait_for_child(process), signal.SIGKILL)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL


def test_a_terminal_stays_a_terminal(warm: Start) -> None:
    before = count_commands(warm)
    ours, theirs = pty.openpty()
    assert warm("sweeps", "--color", output=theirs).wait(timeout=60) == 2
    assert b"takes no '--color'" in os.read(ours, 4096)
    os.close(theirs)
    os.close(ours)
    assert count_commands(warm) == before + 1


def wait_for_child(process: subprocess.Popen[str]) -> int:
    """Wait until a command trains, and return the process ID of its fork."""
    assert process.stdout is not None
    for line in process.stdout:
        if "divide" in line:
            break
    child = find_child(process)
    assert child is not None, "the command has no fork"
    return child


def find_child(process: subprocess.Popen[str]) -> int | None:
    """Find the fork of a command by its output."""
    output = Path(f"/proc/{process.pid}/fd/1").readlink()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            is_same = (folder / "fd/1").readlink() == output
        except OSError:
            continue
        if is_same and int(folder.name) != process.pid:
            return int(folder.name)
    return None


def ends(pid: int) -> bool:
    """Check that a process ends within half a minute."""
    deadline = time.monotonic() + 30
    while Path(f"/proc/{pid}").exists():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
