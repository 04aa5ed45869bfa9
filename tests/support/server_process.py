"""Model servers as processes of their own."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from mlrunner.core.loopback import free_port
from tests.support.front_door import PROJECT
from tests.support.http_client import Client

START_SECONDS = 60.0  # a server must answer by then, even on a busy machine
EXIT_SECONDS = 5.0  # a server exits in about one


class ServerProcess:
    """Run `python -m mlrunner.serving` as a process."""

    def __init__(self, folder: Path, port: int, *options: str) -> None:
        command = [sys.executable, "-m", "mlrunner.serving", str(folder), "--port", str(port), *options]
        self.port, self.process = port, subprocess.Popen(command, cwd=PROJECT, stderr=subprocess.PIPE, text=True)
        self.family, self.known = psutil.Process(self.process.pid), set[psutil.Process]()

    def workers(self) -> set[psutil.Process]:
        """Return the running child processes."""
        try:
            running = {child for child in self.family.children() if child.status() != psutil.STATUS_ZOMBIE}
        except psutil.NoSuchProcess:
            return set()
        self.known |= running
        return running

    def is_ready(self) -> bool:
        """Check whether a new connection is answered."""
        try:
            with Client(self.port) as client:
                return client.get("/ping").status == 200
        except (OSError, http.client.HTTPException):
            return False

    def wait(self) -> tuple[int, str]:
        """Wait until the process has exited.

        Returns:
            Exit code and standard error.
        """
        _, errors = self.process.communicate(timeout=START_SECONDS)
        return self.process.returncode, errors


@contextmanager
def start_server(folder: Path, *options: str, port: int | None = None) -> Iterator[ServerProcess]:
    """Start a server, and kill it with its workers at the end."""
    served = ServerProcess(folder, port or free_port(), *options)
    try:
        yield served
    finally:
        served.workers()
        served.process.kill()
        for worker in served.known:
            with suppress(psutil.NoSuchProcess):
                worker.kill()
        served.process.communicate(timeout=START_SECONDS)


def have_ended(processes: set[psutil.Process]) -> bool:
    """Check whether no process is running."""
    return not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in processes)


def is_free(port: int) -> bool:
    """Check whether a port is free."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True
