"""A server in a child process: it answers on loopback, and ends with the process that started it."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NoReturn

from mlrunner.core.environment import child_environment
from mlrunner.core.errors import MlrunnerError
from mlrunner.core.loopback import HOST, request
from mlrunner.core.process_control import terminate_group

START_SECONDS = 90.0  # until the server must answer
STOP_SECONDS = 5.0  # between SIGTERM and SIGKILL


@dataclass(frozen=True)
class ChildServer:
    """A server in a child process.

    Args:
        name: Name of the server in messages.
        url: Address of the server, without a slash at its end.
        process: Process of the server.
        log: Output of the server.
    """

    name: str
    url: str
    process: subprocess.Popen[bytes]
    log: IO[bytes]

    def wait_until_ready(self, path: str) -> None:
        """Wait until the server answers a request for `path`.

        Raises:
            MlrunnerError: When the server ends, or does not answer in time.
        """
        deadline = time.monotonic() + START_SECONDS
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                if request(f"{self.url}{path}", timeout=2).status < 400:
                    return
            except OSError:
                pass
            time.sleep(0.1)
        raise self._failure()

    def wait(self) -> NoReturn:
        """Wait until the server ends, which only an error makes it do.

        Raises:
            MlrunnerError: With the last line that the server printed.
        """
        self.process.wait()
        raise self._failure()

    def _failure(self) -> MlrunnerError:
        self.log.seek(0)
        lines = [line.strip() for line in self.log.read().decode(errors="replace").splitlines() if line.strip()]
        return MlrunnerError(f"{self.name} does not run: {lines[-1] if lines else 'it printed nothing'}.")


@contextmanager
def child_server(
    name: str, port: int, command: list[str], environment: Mapping[str, str] | None = None
) -> Iterator[ChildServer]:
    """Start a server; end it and its own children at the end of the block or of this process.

    Args:
        name: Name of the server in messages.
        port: Port on loopback where the server listens.
        command: Name of a console script or `MODULE:FUNCTION`, and its arguments.
        environment: Variables to add to those of this process.
    """
    guard = [sys.executable, str(Path(__file__).with_name("guard.py")), command[0]]
    # A file in the current folder must not replace a module that the server imports.
    variables = child_environment(**{"PYTHONSAFEPATH": "1", **(environment or {})})
    with (
        tempfile.TemporaryFile() as log,
        subprocess.Popen(
            guard, env=variables, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True
        ) as process,
    ):
        try:
            assert process.stdin is not None
            process.stdin.write(json.dumps(command).encode() + b"\n")
            process.stdin.flush()
            yield ChildServer(name, f"http://{HOST}:{port}", process, log)
        finally:
            terminate_group(process, STOP_SECONDS)
