"""Make the packages that a run recorded, and reproduce it there with today's code."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock

from mlrunner.errors import StoreError
from mlrunner.records import naming, open_store
from mlrunner.records.frozen import Surroundings, surroundings
from mlrunner.terminal import console

OWN = ("mlrunner", "pip", "setuptools", "wheel", "uv")  # come from the checkout, or with an environment
PIN = re.compile(r"[\w.+!-]+")  # of a version: a number, and no place to install from


def run_in(what: str, arguments: Sequence[str], overrides: Sequence[str]) -> int:
    """Make the environment, unless it is there, and run `mlrunner reproduce` in it.

    Args:
        what: The run.
        arguments: Of the verb.
        overrides: Of the stack, to find the run.

    Returns:
        The exit code of the verb there.

    Raises:
        StoreError: When the environment cannot be made.
    """
    home = Path(os.environ["MLRUNNER_HOME"])
    stack = [text for text in overrides if text.startswith(("stack=", "stack."))]
    store = open_store(home, stack)
    record = naming.leading(store, naming.find(store, what, home))
    then = surroundings(record, store)
    if not then.packages:
        raise StoreError(f"Run {record.short} did not record its packages, so its environment cannot be made.")
    python = made(then, home / ".mlrunner" / "environments")
    project = os.environ["MLRUNNER_PROJECT"]
    path = os.pathsep.join(filter(None, [project, os.environ.get("PYTHONPATH")]))
    command = [str(python), "-m", "mlrunner", "reproduce", *arguments]
    return subprocess.run(command, env={**os.environ, "PYTHONPATH": path}).returncode


def made(then: Surroundings, folder: Path) -> Path:
    """Find or make an environment.

    Args:
        then: What was recorded.
        folder: Holds one folder an environment, by the digest of what is in it.

    Returns:
        Its interpreter.

    Raises:
        StoreError: When Python or a package is not to be had.
    """
    pins = requirements(then)
    digest = hashlib.sha256("\n".join([str(then.python), *pins]).encode()).hexdigest()[:16]
    place, mark = folder / digest, folder / digest / ".made"
    folder.mkdir(parents=True, exist_ok=True)
    python = place / "bin" / "python"
    with FileLock(folder / f"{digest}.lock"):
        if not mark.exists():
            console(stderr=True).print(f"mlrunner: making the recorded environment, {len(pins)} packages …")
            shutil.rmtree(place, ignore_errors=True)
            _make(place, then.python or sys.version.split()[0])
            (place / "requirements.txt").write_text("\n".join(pins) + "\n")
            _install(python, place / "requirements.txt")
            mark.touch()
    return python


def requirements(then: Surroundings) -> list[str]:
    """Write what to install: names and versions only, for the list comes from a store that anybody may have written."""
    return [
        f"{name}=={version}" for name, version in then.packages.items() if name not in OWN and PIN.fullmatch(version)
    ]


def _make(place: Path, version: str) -> None:
    if version == sys.version.split()[0]:
        _call([sys.executable, "-m", "venv", str(place)], f"Python {version}")
        return
    _call([*_uv(), "venv", "--quiet", "--seed", "--python", version, str(place)], f"Python {version}")


def _install(python: Path, file: Path) -> None:
    if shutil.which("uv") is not None or _has_uv():
        command = [*_uv(), "pip", "install", "--quiet", "--compile-bytecode", "--no-deps", "--python", str(python)]
    else:
        command = [str(python), "-m", "pip", "install", "--quiet", "--no-deps"]
    _call([*command, "-r", str(file)], "a recorded package")


def _has_uv() -> bool:
    import importlib.util

    return importlib.util.find_spec("uv") is not None


def _uv() -> list[str]:
    return [sys.executable, "-m", "uv"] if _has_uv() else ["uv"]


def _call(command: list[str], what: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError as error:
        raise StoreError(f"{what} is not to be had ({error}); install uv, or make the environment by hand.") from error
    if done.returncode != 0:
        told = (done.stderr.strip().splitlines() or ["no reason was given"])[-1].strip()
        raise StoreError(f"The recorded environment cannot be made: {what} is not to be had ({told}).")
