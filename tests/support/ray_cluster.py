"""A Ray head as processes of its own."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from mlrunner.core.loopback import free_port
from tests.support.executors import hide_folders
from tests.support.front_door import PROJECT, environment
from tests.support.trials import TIMEOUT

VARIABLES = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
os.environ.update(VARIABLES)  # the driver, which is this process, reads them when it imports Ray
NEEDS_RAY = pytest.mark.skipif(find_spec("ray") is None, reason="needs the package ray, the extra mlrunner[ray]")


class RayCluster:
    """A head with two processors on loopback.

    Args:
        folder: Folder for the home of its workers.
        hides: Folders that its processes do not see.
    """

    def __init__(self, folder: Path, hides: tuple[Path, ...] = ()) -> None:
        self.address = f"127.0.0.1:{free_port()}"
        words = ["--head", "--block", "--node-ip-address", "127.0.0.1", "--port", self.address.rpartition(":")[2]]
        more = ["--num-cpus", "2", "--include-dashboard", "false", "--min-worker-port", "0", "--max-worker-port", "0"]
        command = [*hide_folders(*hides), sys.executable, "-m", "ray.scripts.scripts", "start", *words, *more]
        self._log = folder / "ray.log"
        with self._log.open("wb") as log:
            env = environment(folder, PYTHONPATH=str(PROJECT))
            self._head = subprocess.Popen(command, env=env, cwd=folder, stdout=log, stderr=log)
        deadline = time.monotonic() + TIMEOUT
        while b"Ray runtime started" not in self._log.read_bytes() and time.monotonic() < deadline:
            time.sleep(0.1)

    def close(self) -> None:
        """End all processes; the head ends its daemons."""
        self._head.terminate()
        self._head.wait(TIMEOUT)
