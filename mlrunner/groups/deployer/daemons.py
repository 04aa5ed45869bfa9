"""Processes that outlive the command that started them: start, find and end them, and ask who answers on a port."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

KEPT = ("PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "SSL_CERT_FILE")
OURS = ("MLRUNNER_HOME", "MLRUNNER_PROJECT", "MLFLOW_", "ZENML_", "AWS_", "AZURE_", "GOOGLE_", "DOCKER_", "OMP_")
GRACE = 10.0  # seconds between SIGTERM and SIGKILL


def environment() -> dict[str, str]:
    """The environment of a process that stays: what finds programs and stores, and nothing of the present run."""
    found = {name: value for name, value in os.environ.items() if name in KEPT or name.startswith(OURS)}
    path = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    found["PYTHONPATH"] = os.pathsep.join(
        dict.fromkeys(filter(None, [*path, os.environ["MLRUNNER_PROJECT"], str(Path.cwd())]))
    )
    bin_folder = str(Path(sys.executable).parent)  # also where the environment is not activated
    found["PATH"] = os.pathsep.join(dict.fromkeys([bin_folder, *found.get("PATH", os.defpath).split(os.pathsep)]))
    return {**found, "OMP_WAIT_POLICY": "passive"}


def detached(pid_file: Path, log_file: Path, *command: str) -> list[str]:
    """Write the command that starts another one for good."""
    return [sys.executable, "-m", "mlrunner.serving.daemon", str(pid_file), str(log_file), *command]


def start(pid_file: Path, log_file: Path, *command: str) -> int:
    """Start a command for good.

    Returns:
        Its process number.
    """
    subprocess.run(detached(pid_file, log_file, *command), env=environment(), check=True)
    return read_pid(pid_file)


def read_pid(pid_file: Path) -> int:
    """Read the number of a process that was started for good; 0 when none was."""
    return int(pid_file.read_text() or 0) if pid_file.exists() else 0


def is_running(pid: int, mark: str) -> bool:
    """Tell whether a process is there, by a word of its command: numbers come again.

    One that is just being started has no command yet.
    """
    try:
        found = psutil.Process(pid)
        command = found.cmdline()
        return (not command or mark in " ".join(command)) and not _has_ended(found)
    except (psutil.Error, ValueError):
        return False


def end(pid: int, mark: str) -> None:
    """End a process and its children: first asking, then not."""
    if not is_running(pid, mark):
        return
    try:
        found = psutil.Process(pid)
        whole = [found, *found.children(recursive=True)]
        found.terminate()
    except psutil.NoSuchProcess:
        return
    if not _have_ended(whole):
        for process in whole:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        _have_ended(whole)


def end_all(mark: str) -> None:
    """End every process that has a word in its command, one that starts another as well, until there is none."""
    until = time.monotonic() + GRACE
    while (found := marked(mark)) and time.monotonic() < until:
        for pid in found:
            end(pid, mark)


def marked(mark: str) -> list[int]:
    """Find the processes that have a word in their command."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if mark in " ".join(process.info["cmdline"] or []) and not _has_ended(process):
            found.append(process.pid)
    return found


def _have_ended(processes: list[psutil.Process]) -> bool:
    until = time.monotonic() + GRACE
    while not all(map(_has_ended, processes)):
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def _has_ended(process: psutil.Process) -> bool:
    """Tell whether a process is gone; one that the system has not yet taken note of is."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def free_port() -> int:
    """Find a port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_taken(host: str, port: int) -> str | None:
    """Say why an address cannot be listened on; None when it can."""
    try:
        socket.create_server((host, port)).close()
    except OSError as error:
        return os.strerror(error.errno) if error.errno else str(error)
    return None


def ask(url: str, body: bytes | None = None, timeout: float = 5.0) -> tuple[int, Any]:
    """Ask a server, POST when there is a body.

    Returns:
        The HTTP status and the JSON of the answer; 0 and the reason when nobody answered.
    """
    headers = {"Content-Type": "application/json"}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=timeout) as found:
            return found.status, json.loads(found.read() or b"null")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, _json(error.read())
    except (OSError, ValueError) as error:
        return 0, str(getattr(error, "reason", error))


def _json(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text.decode(errors="replace")


def tail(file: Path, lines: int = 5) -> str:
    """Read the last lines of a log."""
    if not file.exists():
        return ""
    return "\n".join(file.read_text(errors="replace").splitlines()[-lines:])


def last(log: str) -> str:
    """Take the last line of a log that says anything."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    return lines[-1] if lines else "it printed nothing"
