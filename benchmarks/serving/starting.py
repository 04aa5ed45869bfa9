"""Start a server as a child process, wait until it is healthy, and stop it."""

from __future__ import annotations

import http.client
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serving.model import HERE, Absent, Model

from mlrunner.core import loopback, process_control

START_TIMEOUT = 120.0  # seconds


@dataclass(frozen=True)
class Running:
    """Hold a healthy server.

    Args:
        url: Address of predictions.
        pids: Process IDs.
        seconds: Seconds from the start of the command until the server is healthy.
        command: Duration of the command in seconds; None when the command is the server.
        stop: Function that stops the server.
        deployer: Duration of the deploy step in seconds; None for peers.
    """

    url: str
    pids: tuple[int, ...]
    seconds: float
    command: float | None
    stop: Callable[[], None]
    deployer: float | None = None


def foreground(
    command: list[str], model: Model, name: str, variables: dict[str, str], health: str, path: str
) -> Running:
    """Start a command that is the server, on a free port."""
    port, start_time = loopback.free_port(), time.perf_counter()
    process = start([*command, str(port)], model, name, variables, HERE)
    marker = str(port)
    try:
        seconds = wait_healthy(process, model, name, port, health, start_time)
    except BaseException:
        process_control.terminate(process.pid, marker)
        raise
    url = f"http://127.0.0.1:{port}{path}"
    return Running(url, (process.pid,), seconds, None, lambda: _end(process, marker))


def _end(process: subprocess.Popen[Any], marker: str) -> None:
    process_control.terminate(process.pid, marker)
    process.wait(10)


def start(command: list[str], model: Model, name: str, variables: dict[str, str], cwd: Path) -> subprocess.Popen[bytes]:
    """Start a command in a session of its own: Ctrl-C reaches the benchmark only, which then stops it."""
    with (model.folder / f"{name}.log").open("wb") as log:
        return subprocess.Popen(
            command, env=variables, cwd=cwd, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )


def wait_healthy(
    process: subprocess.Popen[Any], model: Model, name: str, port: int, path: str, start_time: float
) -> float:
    """Wait until a server answers 200; return the seconds since its start."""
    while time.perf_counter() - start_time < START_TIMEOUT:
        if is_answering(port, path):
            return time.perf_counter() - start_time
        if process.poll():
            break
        time.sleep(0.01)
    raise Absent(f"it did not become healthy: {read_log(model, name)}")


def is_answering(port: int, path: str) -> bool:
    """Check once whether a server answers 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def read_log(model: Model, name: str) -> str:
    """Return the end of the output of a server."""
    text = (model.folder / f"{name}.log").read_text(errors="replace").strip()
    return text[-500:]
