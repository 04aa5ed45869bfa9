"""Run this command in a fork of the warm process, where there is one that fits."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

from mlrunner.cli.warm import messages, state
from mlrunner.core import environment
from mlrunner.core.exit_signals import ENDING_SIGNALS

IDLE_MINUTES = 30.0
COLD_WORDS = {"--help", "-h", "--hydra-help", "--shell-completion", "-sc", "--verbose", "-v", "--version", "warm"}
OF_THIS_PROCESS = ("/dev/fd/", "/dev/std", "/proc/self/")  # files that the warm process does not have
IGNORABLE = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM)
FORWARDED = (*IGNORABLE, signal.SIGUSR1, signal.SIGUSR2, signal.SIGTSTP, signal.SIGCONT)


def run_warm(arguments: list[str]) -> int | None:
    """Run a command in a fork of the warm process.

    Returns:
        The exit code; None when the command has to start cold.
    """
    is_off = environment.variable(state.WARM_VARIABLE) == "0" or environment.has_full_errors()
    if is_off or not is_suitable(arguments):
        return None
    try:
        with connect() as connection:
            messages.send_request(connection, do="run", **describe_command(arguments))
            answers = messages.read_answers(connection)
            pid = next(answers, {}).get("pid")
            if pid is not None:
                return follow(pid, answers)
    except OSError:  # a command that has started is followed to its end: `follow` raises none
        pass
    return None


def is_suitable(arguments: list[str]) -> bool:
    """Check whether a command may run in another process: it is not quick, and names no file of this process."""
    has_files = any(text in word for word in arguments for text in OF_THIS_PROCESS)
    return not (has_files or COLD_WORDS.intersection(arguments) or Path("matplotlibrc").exists())


def connect() -> socket.socket:
    """Connect to the warm process.

    Raises:
        OSError: When none listens.
    """
    file = state.socket_file()
    if not state.is_private(file.parent):
        raise FileNotFoundError(file)
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(str(file))
    return connection


def describe_command(arguments: list[str]) -> dict[str, Any]:
    """Return what a fork needs in order to become this command.

    Raises:
        OSError: When the current folder is gone.
    """
    mask = os.umask(0)
    os.umask(mask)
    return {
        "state": state.describe_process(),
        "arguments": [sys.argv[0], *arguments],
        "folder": str(Path.cwd()),
        "mask": mask,
        "path": sys.path,
        "variables": environment.variables(),
        "ignored": [number for number in IGNORABLE if signal.getsignal(number) == signal.SIG_IGN],
    }


def follow(pid: int, answers: messages.Answers) -> int:
    """Forward signals to a command until it ends; return its exit code."""
    forwarded: list[int] = []

    def forward(number: int, frame: FrameType | None) -> None:
        del frame
        forwarded.append(number)
        with suppress(ProcessLookupError):
            if number == signal.SIGTSTP:  # Ctrl-Z stops a whole process group
                os.killpg(pid, signal.SIGSTOP)
                os.kill(os.getpid(), signal.SIGSTOP)
            elif number == signal.SIGCONT:
                os.killpg(pid, number)
            else:
                os.kill(pid, number)

    for number in FORWARDED:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, forward)
    ended = next(answers, None)
    ending = [number for number in forwarded if number in ENDING_SIGNALS]
    if ended is None and ending:  # in its first or last moments, in which it answers nothing
        return 128 + ending[-1]
    if ended is None:  # the command was killed
        os.kill(os.getpid(), signal.SIGKILL)
        return -signal.SIGKILL
    return int(ended["code"])


def start_on_request(arguments: list[str], variables: Mapping[str, str]) -> None:
    """Start a warm process after a command that could have used one, where MLRUNNER_WARM asks for it.

    Args:
        arguments: Arguments of the command line.
        variables: Environment variables of the user, to which a command has added its own.
    """
    if variables.get(state.WARM_VARIABLE) == "1" and is_suitable(arguments) and ask("status") is None:
        start_process(variables)


def start_process(variables: Mapping[str, str], idle_minutes: float = IDLE_MINUTES) -> subprocess.Popen[bytes]:
    """Start a warm process in the background; it ends at once when another one is there."""
    command = [sys.executable, "-m", "mlrunner.cli.warm.server", str(idle_minutes)]
    null = subprocess.DEVNULL
    return subprocess.Popen(command, stdin=null, stdout=null, stderr=null, start_new_session=True, env=dict(variables))


def ask(do: str) -> dict[str, Any] | None:
    """Ask the warm process for its `status` or to `stop`; None when none listens."""
    try:
        with connect() as connection:
            messages.send_request(connection, do=do)
            return next(messages.read_answers(connection), {})
    except OSError:
        return None
