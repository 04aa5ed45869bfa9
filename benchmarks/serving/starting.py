"""Start a server as a process of ours, find it healthy and end it."""

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

PATIENCE = 120.0  # seconds until a server must be healthy


@dataclass(frozen=True)
class Running:
    """A server that is healthy.

    Args:
        url: That predictions are asked of.
        pids: Of its processes.
        seconds: From the command to the health.
        command: Seconds of the command itself, where it ends.
        stop: Ends it.
        deployer: Seconds of the deploy step alone, as the history has them; None for peers.
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
    """Start a server that is the command itself, on a free port."""
    port, began = loopback.free_port(), time.perf_counter()
    started = start([*command, str(port)], model, name, variables, HERE)
    mark = str(port)
    try:
        seconds = wait_healthy(started, model, name, port, health, began)
    except BaseException:
        process_control.terminate(started.pid, mark)
        raise
    url = f"http://127.0.0.1:{port}{path}"
    return Running(url, (started.pid,), seconds, None, lambda: _end(started, mark))


def _end(started: subprocess.Popen[Any], mark: str) -> None:
    process_control.terminate(started.pid, mark)
    started.wait(10)


def start(command: list[str], model: Model, name: str, variables: dict[str, str], cwd: Path) -> subprocess.Popen[bytes]:
    """Start a command in a session of its own: Ctrl-C is for the benchmark, which then ends it in good order."""
    with (model.folder / f"{name}.log").open("wb") as log:
        return subprocess.Popen(
            command, env=variables, cwd=cwd, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )


def wait_healthy(started: subprocess.Popen[Any], model: Model, name: str, port: int, path: str, began: float) -> float:
    """Wait until a server answers 200; the seconds since it was asked to start."""
    while time.perf_counter() - began < PATIENCE:
        if answers(port, path):
            return time.perf_counter() - began
        if started.poll():
            break
        time.sleep(0.01)
    raise Absent(f"it did not become healthy: {log_of(model, name)}")


def answers(port: int, path: str) -> bool:
    """Ask once."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def log_of(model: Model, name: str) -> str:
    """Read the end of what a server printed."""
    text = (model.folder / f"{name}.log").read_text(errors="replace").strip()
    return text[-500:]
