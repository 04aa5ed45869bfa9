"""A Ray head and further nodes as processes of their own."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest

from mlrunner.core.loopback import free_port
from tests.support.executors import hide_folders
from tests.support.front_door import PROJECT, environment
from tests.support.trials import TIMEOUT

VARIABLES = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
os.environ.update(VARIABLES)  # the driver, which is this process, reads them when it imports Ray
NEEDS_RAY = pytest.mark.skipif(find_spec("ray") is None, reason="needs the package ray, the extra mlrunner[ray]")
START = ("-m", "ray.scripts.scripts", "start", "--block", "--min-worker-port", "0", "--max-worker-port", "0")


class RayNode:
    """A node on loopback.

    Args:
        folder: Home of its workers, with its log.
        words: Arguments of `ray start`.
        hides: Folders that its processes do not see.
    """

    def __init__(self, folder: Path, words: list[str], hides: tuple[Path, ...] = ()) -> None:
        folder.mkdir(exist_ok=True)
        command = [*hide_folders(*hides), sys.executable, *START, "--node-ip-address", "127.0.0.1", *words]
        log = folder / "ray.log"
        with log.open("wb") as file:
            env = environment(folder, PYTHONPATH=str(PROJECT))
            self._process = subprocess.Popen(command, env=env, cwd=folder, stdout=file, stderr=file)
        deadline = time.monotonic() + TIMEOUT
        while b"Ray runtime started" not in log.read_bytes() and time.monotonic() < deadline:
            time.sleep(0.1)
        assert b"Ray runtime started" in log.read_bytes(), log.read_text()

    def list_processes(self) -> list[psutil.Process]:
        """List the processes of this node: Ray's daemons, the workers, and the processes that fit."""
        return psutil.Process(self._process.pid).children(recursive=True)

    def kill(self) -> None:
        """Kill all processes, as a machine that loses its power does."""
        processes = self.list_processes()
        for process in [self._process, *processes]:
            process.send_signal(signal.SIGKILL)
        self._process.wait(TIMEOUT)
        psutil.wait_procs(processes, TIMEOUT)

    def close(self) -> None:
        """End all processes, also of a node that was killed; a node ends its daemons."""
        self._process.terminate()
        self._process.wait(TIMEOUT)


class RayCluster:
    """A head on loopback, and the nodes that are added.

    Args:
        folder: Folder for the homes of the workers.
        hides: Folders that the processes of the head do not see.
        cpus: Number of processors of the head.
    """

    def __init__(self, folder: Path, hides: tuple[Path, ...] = (), cpus: int = 2) -> None:
        self._folder, self._hides, self._cpus, self._port = folder, hides, cpus, free_port()
        self.address = f"127.0.0.1:{self._port}"
        self.nodes: list[RayNode] = []
        self.start_head()

    def start_head(self) -> None:
        """Start the head; after `close` another one, at the same address."""
        words = ["--head", "--port", str(self._port), "--include-dashboard", "false", "--num-cpus", str(self._cpus)]
        self.nodes.append(RayNode(self._folder, words, self._hides))

    def restart_head(self) -> None:
        """Kill the head with all of its processes, and start another one at the same address."""
        self.nodes.pop(0).kill()
        self.start_head()

    def add_node(self) -> RayNode:
        """Start another node, with one processor."""
        folder = self._folder / str(len(self.nodes))
        self.nodes.append(RayNode(folder, ["--address", self.address, "--num-cpus", "1"]))
        return self.nodes[-1]

    def close(self) -> None:
        """End all nodes, the head last."""
        while self.nodes:
            self.nodes.pop().close()
