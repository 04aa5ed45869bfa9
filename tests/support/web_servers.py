"""Web servers of MLflow and ZenML as processes of their own."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mlrunner.core.loopback import free_port
from tests.support.front_door import environment

STARTS_WITHIN = 120  # seconds, on a busy machine


@contextmanager
def serving(folder: Path, *module: str, **more: str) -> Iterator[str]:
    """A server in a process of its own, until the end of the block; gives its address."""
    port = free_port()
    command = [sys.executable, "-m", *module, "--host", "127.0.0.1", "--port", str(port)]
    address = f"http://127.0.0.1:{port}"
    with running(folder, command, f"{address}/health", environment(folder, **more)):
        yield address


@contextmanager
def running(folder: Path, command: list[str], health: str, variables: dict[str, str]) -> Iterator[None]:
    """A command that runs in a folder until the end of the block, as soon as it answers at its health address."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env=variables)
    try:
        _wait(health, server, folder / "log")
        yield
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < until and server.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except OSError:
            time.sleep(0.3)
        else:
            return
    raise RuntimeError(f"{url} does not answer:\n{log.read_text()[-3000:]}")


def mlflow_server(folder: Path, *options: str, database: str | None = None, **more: str) -> Any:
    """MLflow's own server, on SQLite by default, that keeps the artifacts itself; without its GenAI workers."""
    database = database or f"sqlite:///{folder}/mlflow.db"
    stores = ("--backend-store-uri", database, "--artifacts-destination", f"{folder}/files")
    lean = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    return serving(folder, "mlflow", "server", *stores, "--workers", "1", *options, **lean, **more)
