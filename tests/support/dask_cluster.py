"""A Dask scheduler and its workers as processes of their own."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.support.executors import hide_folders
from tests.support.front_door import PROJECT, environment
from tests.support.network import Host
from tests.support.trials import TIMEOUT

# What is imported while the loop of a scheduler or a worker runs stops it for seconds on a busy machine; they would
# take each other for gone. So they import before they connect.
PRELOAD = ("--preload", "mlrunner.search.remote.dask_tasks")
SETTINGS = {
    "DASK_DISTRIBUTED__COMM__TIMEOUTS__TCP": "11s",  # the least
    "DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "8s",
    "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0",
    "PYTHONPATH": str(PROJECT),
}


class DaskCluster:
    """A scheduler and its workers.

    Args:
        folder: Folder for the files of the cluster.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._file = folder, folder / "scheduler.json"
        self._env = {**environment(folder), **SETTINGS, "TMPDIR": str(folder)}
        self.workers: list[subprocess.Popen[bytes]] = []
        self.start_scheduler(0)

    def start_scheduler(self, port: int) -> None:
        """Start a scheduler, and wait until it answers.

        Args:
            port: Its port; 0 is any that is free.
        """
        self._file.unlink(missing_ok=True)
        words = ["--host", "0.0.0.0", "--port", str(port), "--dashboard-address", "127.0.0.1:0"]
        self.scheduler = self._start("dask_scheduler", *words, "--scheduler-file", str(self._file))
        deadline = time.monotonic() + TIMEOUT
        while not self._file.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        self._port = int(json.loads(self._file.read_text())["address"].rpartition(":")[2])
        self.address = f"tcp://127.0.0.1:{self._port}"

    def _start(self, *words: str, prefix: Sequence[str] = ()) -> subprocess.Popen[bytes]:
        command = [*prefix, sys.executable, "-m", f"distributed.cli.{words[0]}", *PRELOAD, *words[1:]]
        with (self._folder / f"{words[0]}.log").open("ab") as log:
            return subprocess.Popen(command, env=self._env, cwd=self._folder, stdout=log, stderr=log)

    def restart_scheduler(self) -> None:
        """Kill the scheduler, whose workers end then, and start another one at the same address."""
        self.scheduler.kill()
        self.scheduler.wait()
        self.start_scheduler(self._port)

    def add_worker(self, hides: tuple[Path, ...] = (), host: Host | None = None, nanny: bool = False) -> None:
        """Start a worker with one thread.

        Args:
            hides: Folders that the worker does not see.
            host: Where to start it.
            nanny: Whether a process of Dask watches it and starts it again, as `dask worker` does by default.
        """
        address = f"tcp://{host.address}:{self._port}" if host is not None else self.address
        words = ["--nthreads", "1", "--no-dashboard", "--local-directory", str(self._folder)]
        prefix = [*hide_folders(*hides), *(host.prefix if host is not None else [])]
        kind = "--nanny" if nanny else "--no-nanny"
        self.workers.append(self._start("dask_worker", address, kind, *words, prefix=prefix))

    def close(self) -> None:
        """Kill all processes."""
        for process in [*self.workers, self.scheduler]:
            process.kill()
            process.wait()
