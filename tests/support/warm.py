"""Commands typed into a process that has imported already what takes a cold one six of its ten seconds.

It imports third-party packages only and forks for each command, which then does all that `python -m mlrunner` does: its
environment, folder, arguments, output, exit code and end are a process's own. What starting cold is about (what is
imported when, variables that packages read while they are imported) is tested cold; see `front_door.front_door`.
"""

from __future__ import annotations

import gc
import importlib
import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
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


class Begun:
    """A command that runs, with what is used of `subprocess.Popen`.

    Args:
        warm: Whose fork it is.
        pid: Its process.
        files: Where it prints, and warns.
    """

    def __init__(self, warm: Warm, pid: int, files: list[Path]) -> None:
        self._warm, self._files = warm, files
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Its exit code; None while it runs."""
        if self.returncode is None:
            self.returncode = self._warm.ask({"ended": self.pid})
        return self.returncode

    def communicate(self, timeout: float) -> tuple[str, str]:
        """Wait for its end; what it printed, and its warnings.

        Args:
            timeout: Seconds.
        """
        until = time.monotonic() + timeout
        while self.poll() is None:
            if time.monotonic() > until:
                raise subprocess.TimeoutExpired([], timeout, self._files[0].read_bytes(), self._files[1].read_bytes())
            time.sleep(0.02)
        printed, warned = (file.read_text() for file in self._files)
        return printed, warned

    def send_signal(self, number: int) -> None:
        """Send a signal to it alone, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def signal_all(self, number: int) -> None:
        """Send a signal to it and to all that it has started, as a terminal does."""
        os.killpg(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def __enter__(self) -> Begun:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


class Warm:
    """Commands, each in a fork of its own.

    Args:
        folder: From where it imports.
        environment: Of the process that imports.
    """

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        command = [sys.executable, "-m", "tests.support.warm"]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment, cwd=folder)
        self._lock = threading.Lock()
        self._folder = tempfile.TemporaryDirectory()
        self._numbers = itertools.count()

    def begin(self, command: dict[str, Any], seconds: int) -> Begun:
        """Type a command and do not wait for it.

        Args:
            command: Its `arguments`, `environment` and `cwd`.
            seconds: After which SIGALRM ends it.
        """
        number = next(self._numbers)
        files = [Path(self._folder.name) / f"{number}.{name}" for name in ("out", "err")]
        pid = self.ask({**command, "seconds": seconds, "files": list(map(str, files))})
        assert pid is not None
        return Begun(self, pid, files)

    def ask(self, told: dict[str, Any]) -> int | None:
        """Have a fork made, which gives its number, or ask whether one has `ended`, which gives its exit code."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._lock:
            print(json.dumps(told), file=self._process.stdin, flush=True)
            answer: int | None = json.loads(self._process.stdout.readline())
            return answer

    def close(self) -> None:
        """End the process, which has nothing left to read."""
        self._process.communicate()
        self._folder.cleanup()


def serve() -> dict[str, Any] | None:
    """Fork for each command that comes in, and tell how one ended.

    Returns:
        In the fork, its command; None when no more will come.
    """
    for line in sys.stdin:
        told: dict[str, Any] = json.loads(line)
        if "ended" in told:
            pid, status = os.waitpid(told["ended"], os.WNOHANG)
            print(json.dumps(os.waitstatus_to_exitcode(status) if pid else None), flush=True)
        else:
            pid = os.fork()
            if pid == 0:
                return told
            print(pid, flush=True)
    return None


def become(command: dict[str, Any]) -> None:
    """Make this process one that was started to run a command."""
    os.setsid()  # a shell gives each command a group
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
    sys.dont_write_bytecode = "PYTHONDONTWRITEBYTECODE" in os.environ
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
