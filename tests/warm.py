"""Commands typed into a process that has imported already what takes a cold one six of its ten seconds.

It imports third-party packages only and forks for each command, which then does all that `python -m mlrunner` does: its
environment, folder, arguments, output, exit code and end are a process's own. What starting cold is about (what is
imported when, variables that packages read while they are imported) is tested cold; see `conftest.front_door`.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

IMPORTED = (
    "hydra._internal.hydra",
    "hydra.core.plugins",
    "matplotlib.backends.backend_agg",
    "matplotlib.figure",
    "mlflow",
    "mlflow.models.model",
    "mlflow.sklearn",
    "mlflow.store.tracking.sqlalchemy_store",
    "optuna",
    "pandas",
    "pyarrow.parquet",
    "rich.console",
    "skops.io",
    "sklearn.compose",
    "sklearn.ensemble",
    "sklearn.linear_model",
    "sklearn.pipeline",
    "xgboost",
    "zenml.artifacts.unmaterialized_artifact",
    "zenml.client",
    "zenml.container_registries",
    "zenml.deployers",
    "zenml.image_builders",
    "zenml.integrations.mlflow.flavors",
    "zenml.integrations.mlflow.model_deployers",
    "zenml.log_stores",
    "zenml.orchestrators.local.local_orchestrator",
    "zenml.pipelines",
    "zenml.sandboxes",
    "zenml.step_operators",
    "zenml.zen_stores.sql_zen_store",
)


class Warm:
    """One command at a time, each in a fork of its own.

    Args:
        folder: From where it imports.
        environment: Of the process that imports.
    """

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        command = [sys.executable, "-m", "tests.warm"]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment, cwd=folder)
        self._lock = threading.Lock()

    def type(self, command: dict[str, Any], seconds: int) -> tuple[int, str, str] | None:
        """Run a command to its end.

        Args:
            command: Its `arguments`, `environment` and `cwd`.
            seconds: After which SIGALRM ends it.

        Returns:
            Its exit code, what it printed, and its warnings; None while another command runs.
        """
        if not self._lock.acquire(blocking=False):
            return None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            with tempfile.TemporaryDirectory() as folder:
                files = [Path(folder) / name for name in ("out", "err")]
                told = {**command, "seconds": seconds, "files": list(map(str, files))}
                print(json.dumps(told), file=self._process.stdin, flush=True)
                code = int(self._process.stdout.readline())
                return code, files[0].read_text(), files[1].read_text()
        finally:
            self._lock.release()

    def close(self) -> None:
        """End the process, which has nothing left to read."""
        self._process.communicate()


def serve() -> dict[str, Any] | None:
    """Fork for each command that comes in, and tell how it ended.

    Returns:
        In the fork, its command; None when no more will come.
    """
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            found: dict[str, Any] = json.loads(line)
            return found
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
    return None


def become(command: dict[str, Any]) -> None:
    """Make this process one that was started to run a command."""
    signal.alarm(command["seconds"])
    os.environ.clear()
    os.environ.update(command["environment"])
    os.chdir(command["cwd"])
    for number, name in enumerate([os.devnull, *command["files"]]):
        file = os.open(name, os.O_RDWR | os.O_CREAT, 0o600)
        os.dup2(file, number)
        os.close(file)
    folders = command["environment"].get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:1] = [command["cwd"], *filter(None, folders)]
    module = importlib.import_module("mlrunner.__main__")
    sys.modules["__main__"] = module  # from which other processes learn where functions are
    sys.argv = [str(module.__file__), *command["arguments"]]


if __name__ == "__main__":
    gc.disable()
    for imported in IMPORTED:
        importlib.import_module(imported)
    sys.modules["sqlalchemy.orm"].configure_mappers()
    gc.freeze()
    gc.enable()
    asked = serve()
    if asked is not None:
        become(asked)
        sys.exit(sys.modules["__main__"].main())
