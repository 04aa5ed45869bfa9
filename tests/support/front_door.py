"""Run commands of the command line, each in a process of its own."""

from __future__ import annotations

import atexit
import functools
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from tests.support.warm import DATABASES, WarmCommand, WarmProcess

PROJECT = Path(__file__).parents[2]
SHARED = PROJECT.parent / "shared" / "data"
UNSAVED = ("tracking.log_model=false", "tracking.plots=false")  # for a run whose model and plots are not tested
STORES = "TESTS_STORES"  # variable with the folder of empty databases that all test processes share
RUN_SECONDS = 300  # time limit of a run on a busy machine with two cores
SAFE_VARIABLES = {
    "PYTHONPATH",
    "PYTHONDONTWRITEBYTECODE",
    "MLFLOW_TRACKING_URI",
    "MLRUNNER_PROJECT",
    "OPTUNA_STORAGE",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "ZENML_STORE_API_KEY",
    "ZENML_STORE_URL",
}  # variables that no package reads while the warm process imports it

if STORES not in os.environ:  # of the first process, whose test processes inherit it
    os.environ[STORES] = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, os.environ[STORES])
os.environ.setdefault("MLRUNNER_PROJECT", str(PROJECT))
os.environ.setdefault("MLRUNNER_RESOURCES", str(PROJECT))
os.environ.setdefault("MLRUNNER_WARM", "0")
os.environ.setdefault("OMP_NUM_THREADS", "1")  # two test processes share two cores
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("MLRUNNER_HOME", "/nonexistent")  # a test that writes must set its own home


@dataclass(frozen=True)
class CommandResult:
    """Exit code and output of a command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The output of `output=json`."""
        return json.loads(self.out)


Runner = Callable[..., CommandResult]


def environment(home: Path, **more: str) -> dict[str, str]:
    """Return the environment of a user who has set none of our variables but the home, and uses no warm process."""
    ours = ("MLRUNNER_", "ZENML_", "MLFLOW_", "HYDRA_")
    others = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**others, "MLRUNNER_HOME": str(home), "MLRUNNER_WARM": "0", **more}


def front_door(home: Path, *arguments: str, cwd: Path | None = None, **more: str) -> CommandResult:
    """Run a command; in a new interpreter when `-v` or `more` changes what packages read while they are imported."""
    if set(more) - SAFE_VARIABLES or "-v" in arguments:
        return run_cold(home, *arguments, cwd=cwd, **more)
    process = start_command(home, *arguments, cwd=cwd, **more)
    out, err = process.communicate(timeout=RUN_SECONDS)
    assert process.returncode is not None
    return CommandResult(process.returncode, out, err)


def run_program(home: Path, text: str, *arguments: str, **more: str) -> CommandResult:
    """Run a Python program instead of mlrunner, in the project, with the modules of a run imported already."""
    with tempfile.NamedTemporaryFile("w", suffix=".py") as file:  # ZenML reads the folder of the main module
        file.write(text)
        file.flush()
        process = start_command(home, *arguments, program=file.name, **more)
        out, err = process.communicate(timeout=RUN_SECONDS)
    assert process.returncode is not None
    return CommandResult(process.returncode, out, err)


def start_command(
    home: Path, *arguments: str, cwd: Path | None = None, program: str | None = None, **more: str
) -> WarmCommand:
    """Start a command, or a Python file in its place, without waiting for it."""
    variables = environment(home, **more)
    command = {"arguments": arguments, "environment": variables, "cwd": str(cwd or PROJECT), "program": program}
    return warm_process().begin({**command, "stores": str(empty_stores())}, RUN_SECONDS)


@functools.cache
def empty_stores() -> Path:
    """Create the stores of a home once for all test processes, and return the folder of the databases."""
    folder = Path(os.environ[STORES])
    with FileLock(folder / "lock"):
        if not (folder / "ready").exists():
            _create_stores(folder)
            (folder / "ready").touch()
    return folder


def _create_stores(folder: Path) -> None:
    """Create the stores by `mlrunner env`."""
    command = {"arguments": ["env"], "environment": environment(folder), "cwd": str(PROJECT), "stores": None}
    process = warm_process().begin(command, RUN_SECONDS)
    _, err = process.communicate(timeout=RUN_SECONDS)
    assert process.returncode == 0, err
    for name in DATABASES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        with (
            closing(sqlite3.connect(folder / ".mlrunner" / name)) as source,
            closing(sqlite3.connect(folder / name)) as target,
        ):
            source.backup(target)  # the file alone lacks what is in the write-ahead log


@functools.cache
def warm_process() -> WarmProcess:
    """Return the warm process of this test process."""
    from mlrunner.groups.stack.variables import FIXED_VARIABLES, QUIET_LOGGING

    process = WarmProcess(PROJECT, {**environment(PROJECT), **FIXED_VARIABLES, **QUIET_LOGGING})
    atexit.register(process.close)
    return process


def run_cold(home: Path, *arguments: str, cwd: Path | None = None, **more: str) -> CommandResult:
    """Run a command in a new interpreter."""
    command = [sys.executable, "-m", "mlrunner", *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=RUN_SECONDS, cwd=cwd or PROJECT, env=environment(home, **more)
    )
    return CommandResult(done.returncode, done.stdout, done.stderr)


@functools.cache
def export_variables(home: Path) -> dict[str, str]:
    """Return the variables that `mlrunner env` prints; it creates the stores of a home."""
    done = front_door(home, "env")
    if done.code != 0:
        raise RuntimeError(done.err)
    return dict(line.removeprefix("export ").split("=", 1) for line in done.out.splitlines())
