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
from tests.support.trials import TIMEOUT

SETTINGS = {
    "DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "4s",
    "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0",
    "PYTHONPATH": str(PROJECT),
}


class DaskCluster:
    """A scheduler on loopback, and workers without a nanny.

    Args:
        folder: Folder for the files of the cluster.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._file = folder, folder / "scheduler.json"
        self._env = {**environment(folder), **SETTINGS, "TMPDIR": str(folder)}
        self.workers: list[subprocess.Popen[bytes]] = []
        words = ["--host", "127.0.0.1", "--port", "0", "--dashboard-address", "127.0.0.1:0"]
        self.scheduler = self._start("dask_scheduler", *words)
        deadline = time.monotonic() + TIMEOUT
        while not self._file.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        self.address = str(json.loads(self._file.read_text())["address"])

    def _start(self, module: str, *words: str, prefix: Sequence[str] = ()) -> subprocess.Popen[bytes]:
        command = [
            *prefix,
            sys.executable,
            "-m",
            f"distributed.cli.{module}",
            "--scheduler-file",
            str(self._file),
            *words,
        ]
        with (self._folder / f"{module}.log").open("ab") as log:
            return subprocess.Popen(command, env=self._env, cwd=self._folder, stdout=log, stderr=log)

    def add_worker(self, hides: tuple[Path, ...] = ()) -> None:
        """Start a worker with one thread.

        Args:
            hides: Folders that the worker does not see.
        """
        words = ["--no-nanny", "--nthreads", "1", "--no-dashboard", "--local-directory", str(self._folder)]
        self.workers.append(self._start("dask_worker", *words, prefix=hide_folders(*hides)))

    def close(self) -> None:
        """Kill all processes."""
        for process in [*self.workers, self.scheduler]:
            process.kill()
            process.wait()
