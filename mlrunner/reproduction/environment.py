"""Make the packages that a run recorded, check out its commit, and reproduce it there."""

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
from mlrunner.records import naming, open_store, split
from mlrunner.records.frozen import INSTALLERS, Surroundings, surroundings
from mlrunner.terminal import console

COMMIT = re.compile(r"[0-9a-f]{40}")
VERB = "mlrunner/reproduction/__init__.py"  # what a commit has to have to reproduce by itself
NAME = re.compile(r"[A-Za-z0-9][\w.-]*")  # of a package, and no option of pip's
PIN = re.compile(r"[\w.+!-]+")  # of a version: a number, and no place to install from
PYTHON = re.compile(r"\d+(\.\d+)*\w*")  # of an interpreter, and no path to one


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
    store = open_store(home, split(overrides)[1])
    record = naming.leading(store, naming.find(store, what, home))
    then = surroundings(record, store)
    if not then.packages:
        raise StoreError(f"Run {record.short} did not record its packages, so its environment cannot be made.")
    folder = home / ".mlrunner" / "environments"
    python = made(then, folder)
    path = os.pathsep.join(filter(None, [str(code(then, folder)), os.environ.get("PYTHONPATH")]))
    command = [str(python), "-m", "mlrunner", "reproduce", *arguments]
    told = {"PYTHONPATH": path, "HYDRA_FULL_ERROR": os.environ["MLRUNNER_VERBOSE"]}  # a traceback with -v only
    return subprocess.run(command, env={**os.environ, **told}).returncode


def code(then: Surroundings, folder: Path) -> Path:
    """Check out the commit of then; today's code where there were uncommitted changes, or git does not know it.

    Args:
        then: What was recorded.
        folder: Holds one folder a commit.

    Returns:
        The folder of the code.
    """
    project, commit = Path(os.environ["MLRUNNER_PROJECT"]), then.commit or ""
    if then.dirty.strip() or not COMMIT.fullmatch(commit) or not _git(project, "cat-file", "-e", f"{commit}:{VERB}"):
        return project
    place = folder / commit
    with FileLock(folder / f"{commit}.lock"):
        if not (place / VERB).exists():
            shutil.rmtree(place, ignore_errors=True)
            done = _git(folder, "clone", "--quiet", "--shared", "--no-checkout", str(project), str(place))
            if not (done and _git(place, "checkout", "--quiet", commit)):
                raise StoreError(f"Commit {commit[:10]} cannot be checked out into {place}; git says why.")
    return place


def _git(folder: Path, *arguments: str) -> bool:
    try:
        return subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True).returncode == 0
    except OSError:  # there is no git
        return False


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
    pins, version = requirements(then), then.python or sys.version.split()[0]
    if not PYTHON.fullmatch(version):
        raise StoreError(f"The recorded environment cannot be made: '{version}' is no version of Python.")
    digest = hashlib.sha256("\n".join([version, *pins]).encode()).hexdigest()[:16]
    place, mark = folder / digest, folder / digest / ".made"
    folder.mkdir(parents=True, exist_ok=True)
    python = place / "bin" / "python"
    with FileLock(folder / f"{digest}.lock"):
        if not mark.exists():
            console(stderr=True).print(f"mlrunner: making the recorded environment, {len(pins)} packages …")
            shutil.rmtree(place, ignore_errors=True)
            _make(place, version)
            (place / "requirements.txt").write_text("\n".join(pins) + "\n")
            _install(python, place / "requirements.txt")
            mark.touch()
    return python


def requirements(then: Surroundings) -> list[str]:
    """Write what to install: names and versions only, for anybody may have written to the store."""
    return [
        f"{name}=={version}"
        for name, version in then.packages.items()
        if name not in INSTALLERS and NAME.fullmatch(name) and PIN.fullmatch(version)
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
