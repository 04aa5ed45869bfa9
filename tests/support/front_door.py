"""The command line as the tests use it: a command typed in a process of its own, and what it leaves."""

from __future__ import annotations

import atexit
import functools
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.warm import Begun, Warm

PROJECT = Path(__file__).parents[2]
SHARED = PROJECT.parent / "shared" / "data"
UNSAVED = ("tracking.log_model=false", "tracking.plots=false")  # for a run of which neither is looked at
RUN_SECONDS = 300  # a whole run on a busy machine of two cores, with room
UNREAD = {"PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "MLRUNNER_PROJECT"}  # by the packages that the warm process imports

os.environ.setdefault("MLRUNNER_PROJECT", str(PROJECT))
os.environ.setdefault("OMP_NUM_THREADS", "1")  # two test processes share two cores
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("MLRUNNER_HOME", "/nonexistent")  # a test that writes must say where


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The machine output of `output=json`."""
        return json.loads(self.out)


Runner = Callable[..., Ran]


def environment(home: Path, **more: str) -> dict[str, str]:
    """The environment of a user who has none of our variables set."""
    ours = ("MLRUNNER_", "ZENML_", "MLFLOW_", "HYDRA_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, "MLRUNNER_HOME": str(home), **more}


def front_door(home: Path, *arguments: str, cwd: Path | None = None, **more: str) -> Ran:
    """Type a command, in a process of its own; it starts cold where packages read something while they are imported."""
    if set(more) - UNREAD or "-v" in arguments:
        return cold(home, *arguments, cwd=cwd, **more)
    process = begin(home, *arguments, cwd=cwd, **more)
    out, err = process.communicate(timeout=RUN_SECONDS)
    assert process.returncode is not None
    return Ran(process.returncode, out, err)


def begin(home: Path, *arguments: str, cwd: Path | None = None, **more: str) -> Begun:
    """Type a command, and do not wait for it."""
    told = {"arguments": arguments, "environment": environment(home, **more), "cwd": str(cwd or PROJECT)}
    return warm().begin(told, RUN_SECONDS)


@functools.cache
def warm() -> Warm:
    """The warm process of this test process."""
    from mlrunner.groups.stack.variables import FIXED_VARIABLES, QUIET_LOGGING

    found = Warm(PROJECT, {**environment(PROJECT), **FIXED_VARIABLES, **QUIET_LOGGING})
    atexit.register(found.close)
    return found


def cold(home: Path, *arguments: str, cwd: Path | None = None, **more: str) -> Ran:
    """Type a command as a person does, who waits for what it imports."""
    command = [sys.executable, "-m", "mlrunner", *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=RUN_SECONDS, cwd=cwd or PROJECT, env=environment(home, **more)
    )
    return Ran(done.returncode, done.stdout, done.stderr)


@functools.cache
def exported(home: Path) -> dict[str, str]:
    """What `mlrunner env` exports, which makes the stores where there are none; the same for every run of a home."""
    done = front_door(home, "env")
    if done.code != 0:
        raise RuntimeError(done.err)
    return dict(line.removeprefix("export ").split("=", 1) for line in done.out.splitlines())
