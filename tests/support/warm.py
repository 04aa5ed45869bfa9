"""Run commands in forks of a process that has imported what a run needs, which saves six of ten seconds.

Each command runs in a fork with its own environment, working directory, arguments and output, and does everything that
`python -m mlrunner` does; the stores of a new home are copies of empty ones, which saves two seconds. Tests of import
times, and of variables that packages read while they are imported, use a new interpreter; see `front_door.front_door`.
"""

from __future__ import annotations

import functools
import importlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from types import ModuleType
from typing import Any

from mlrunner.cli.warm.fork import exit_at_once
from mlrunner.cli.warm.server import preload
from tests.support import warm_children

DATABASES = {  # in `.mlrunner/`, with the variable that says that a command uses it
    "mlflow.db": ("MLFLOW_TRACKING_URI", "sqlite:///{}/mlflow.db"),
    "zenml/local_stores/default_zen_store/zenml.db": ("ZENML_CONFIG_PATH", "{}/zenml"),
}


class WarmCommand:
    """A command that runs, with the methods of `subprocess.Popen` that the tests use.

    Args:
        warm: Process that the command is a fork of.
        pid: Process ID of the command.
        files: Files of its stdout and stderr.
    """

    def __init__(self, warm: WarmProcess, pid: int, files: list[Path]) -> None:
        self._warm, self._files = warm, files
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return the exit code; None while the command runs."""
        if self.returncode is None:
            self.returncode = self._warm.ask({"ended": self.pid})
        return self.returncode

    def communicate(self, timeout: float) -> tuple[str, str]:
        """Wait for the end of the command.

        Args:
            timeout: Seconds to wait.

        Returns:
            Its stdout and its stderr.
        """
        deadline = time.monotonic() + timeout
        while self.poll() is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired([], timeout, self._files[0].read_bytes(), self._files[1].read_bytes())
            time.sleep(0.02)
        out, err = (file.read_text() for file in self._files)
        return out, err

    def send_signal(self, number: int) -> None:
        """Send a signal to the command alone, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def signal_all(self, number: int) -> None:
        """Send a signal to the command and its children, as a terminal does."""
        os.killpg(self.pid, number)

    def kill(self) -> None:
        """End the command with SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def __enter__(self) -> WarmCommand:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


class WarmProcess:
    """A process that forks for each command.

    Args:
        folder: Working directory.
        environment: Environment of the process.
    """

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        command = [sys.executable, "-m", "tests.support.warm"]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment, cwd=folder)
        self._lock = threading.Lock()
        self._folder = tempfile.TemporaryDirectory()
        self._numbers = itertools.count()

    def begin(self, command: dict[str, Any], seconds: int) -> WarmCommand:
        """Start a command without waiting for it.

        Args:
            command: `arguments`, `environment` and `cwd` of the command; `stores`, a folder with empty databases; and
                `program`, a Python file that runs instead of mlrunner.
            seconds: Seconds after which SIGALRM ends the command.
        """
        number = next(self._numbers)
        files = [Path(self._folder.name) / f"{number}.{name}" for name in ("out", "err")]
        pid = self.ask({**command, "seconds": seconds, "files": list(map(str, files))})
        assert pid is not None
        return WarmCommand(self, pid, files)

    def ask(self, message: dict[str, Any]) -> int | None:
        """Send a message: a command returns the ID of its process, and `ended` with an ID returns its exit code."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._lock:
            print(json.dumps(message), file=self._process.stdin, flush=True)
            answer: int | None = json.loads(self._process.stdout.readline())
            return answer

    def close(self) -> None:
        """End the process by closing its stdin."""
        self._process.communicate()
        self._folder.cleanup()


def serve() -> dict[str, Any] | None:
    """Fork for each command on stdin, and print its process ID or exit code.

    Returns:
        In the fork, its command; in the parent, None when stdin is closed.
    """
    for line in sys.stdin:
        message: dict[str, Any] = json.loads(line)
        if "ended" in message:
            pid, status = os.waitpid(message["ended"], os.WNOHANG)
            print(json.dumps(os.waitstatus_to_exitcode(status) if pid else None), flush=True)
        else:
            pid = os.fork()
            if pid == 0:
                return message
            print(pid, flush=True)
    return None


def copy_new_stores(folder: Path) -> None:
    """Copy empty databases to where this process is about to create them; it then registers its stack as ever."""
    stores = importlib.import_module("mlrunner.groups.stack.stores")
    open_stores = stores.open_stores

    def copy_and_open(lock: Path, *arguments: Any, **options: Any) -> None:
        with stores.FileLock(lock):
            for name, (variable, value) in DATABASES.items():
                database = lock.parent / name
                if os.environ.get(variable) == value.format(lock.parent) and not database.exists():
                    database.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(folder / name, database)
        open_stores(lock, *arguments, **options)

    stores.open_stores = copy_and_open


def become(command: dict[str, Any]) -> None:
    """Give this process the environment, directory, output and arguments of a command."""
    os.setsid()  # a shell gives each command a process group
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
    if "MLRUNNER_PROJECT" in command["environment"]:  # a checkout with modules of its own
        warm_children.forget_modules()
    warm_children.install()
    if command["stores"] is not None:
        copy_new_stores(Path(command["stores"]))


def run(file: str | None, arguments: list[str]) -> int:
    """Run mlrunner, or a Python file, as the main module; return the exit code."""
    if file is None:
        module = importlib.import_module("mlrunner.__main__")
        command_line = importlib.import_module("mlrunner.cli.command_line")
    else:
        module = ModuleType("__main__")
        module.__file__ = file
    sys.modules["__main__"] = module  # so that other processes can import its functions
    sys.argv = [str(module.__file__), *arguments]
    if file is None:
        return int(command_line.run())
    exec(compile(Path(file).read_text(), file, "exec"), vars(module))
    return 0


if __name__ == "__main__":
    preload()
    requested = serve()
    if requested is not None:
        become(requested)
        exit_at_once(functools.partial(run, requested.get("program"), requested["arguments"]))
