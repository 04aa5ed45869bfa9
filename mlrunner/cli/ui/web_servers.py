"""The servers of pages: started in a group of their own, asked until they answer, ended with us."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from mlrunner.cli.playground.service import DIRECT
from mlrunner.core.errors import StoreError

PATIENCE = 90.0  # seconds until a page must answer
GRACE = 8.0  # seconds that the guard has to end what it guards


class Server:
    """A server that was started.

    Args:
        name: For messages.
        url: Its address.
        process: Its guard, which ends it.
        log: What it prints.
    """

    def __init__(self, name: str, url: str, process: subprocess.Popen[bytes], log: IO[bytes]) -> None:
        self.name = name
        self.url = url
        self.process = process
        self.log = log

    @property
    def has_ended(self) -> bool:
        """Whether it is not there any more."""
        return self.process.poll() is not None

    def wait_until_it_answers(self, path: str) -> None:
        """Ask for a page until it is there.

        Raises:
            StoreError: When the server ends, or takes too long.
        """
        until = time.monotonic() + PATIENCE
        while not self.has_ended and time.monotonic() < until:
            if answers(f"{self.url}{path}"):
                return
            time.sleep(0.1)
        raise self.failure()

    def failure(self) -> StoreError:
        """Say that it does not run, in its own last words."""
        self.log.seek(0)
        lines = [line.strip() for line in self.log.read().decode(errors="replace").splitlines() if line.strip()]
        return StoreError(f"{self.name} does not run: {lines[-1] if lines else 'it says nothing'}.")


def answers(url: str) -> bool:
    """Tell whether a page is there."""
    try:
        DIRECT.open(url, timeout=2).close()
        return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


@contextmanager
def started(name: str, url: str, command: Sequence[str], environment: dict[str, str]) -> Iterator[Server]:
    """Start a server, and end it and all that it started, however we end.

    Args:
        name: For messages.
        url: Where it will answer.
        command: That starts it.
        environment: Of its process, added to ours.
    """
    guard = str(Path(__file__).with_name("guard.py"))
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, guard, *command],
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        with ExitStack() as after:
            after.callback(_end, process)
            yield Server(name, url, process, log)


def _end(guard: subprocess.Popen[bytes]) -> None:
    if guard.stdin is not None:
        guard.stdin.close()
    try:
        guard.wait(GRACE)
    except subprocess.TimeoutExpired:
        os.killpg(guard.pid, signal.SIGKILL)
        guard.wait()
