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

from mlrunner.composition.stores import open_store
from mlrunner.core.errors import StoreError
from mlrunner.core.terminal import console
from mlrunner.tracking.records import lookup, separate_stack_overrides
from mlrunner.tracking.records.snapshot import INSTALLERS, Provenance, read_provenance

COMMIT = re.compile(r"[0-9a-f]{40}")
VERB = "mlrunner/execution/reproduction/__init__.py"  # what a commit has to have to reproduce by itself
NAME = re.compile(r"[A-Za-z0-9][\w.-]*")  # of a package, and no option of pip's
PIN = re.compile(r"[\w.+!-]+")  # of a version: a number, and no place to install from
PYTHON = re.compile(r"\d+(\.\d+)*\w*")  # of an interpreter, and no path to one


def run_in_environment(what: str, arguments: Sequence[str], overrides: Sequence[str]) -> int:
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
    store = open_store(home, separate_stack_overrides(overrides)[1])
    record = lookup.resolve_sweep(store, lookup.find(store, what, home))
    then = read_provenance(record, store)
    if not then.packages:
        raise StoreError(f"Run {record.short} did not record its packages, so its environment cannot be made.")
    folder = home / ".mlrunner" / "environments"
    python = make_environment(then, folder)
    command = [str(python), "-m", "mlrunner", "reproduce", *arguments]
    told = {"HYDRA_FULL_ERROR": os.environ["MLRUNNER_VERBOSE"], **import_variables(check_out(then, folder))}
    with subprocess.Popen(command, env={**os.environ, **told}) as child:
        return wait_for_child(child)


def wait_for_child(child: subprocess.Popen[bytes]) -> int:
    """Wait for a process, which closes its run when it is interrupted; of Ctrl-C it was told by the terminal."""
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt as error:
            if error.args:  # see `interrupts`
                child.send_signal(error.args[0])


def import_variables(place: Path) -> dict[str, str]:
    """Have Python find our code in a folder first; by itself it would in the current one, which may be a checkout."""
    path = [str(place), *filter(None, [os.environ.get("PYTHONPATH")]), str(Path.cwd())]
    return {"PYTHONPATH": os.pathsep.join(path), "PYTHONSAFEPATH": "1"}


def check_out(then: Provenance, folder: Path) -> Path:
    """Check out the commit of then; today's code where there were uncommitted changes, or git does not know it.

    Args:
        then: What was recorded.
        folder: Holds one folder a commit.

    Returns:
        The folder of the code.
    """
    project, commit = Path(os.environ["MLRUNNER_PROJECT"]), then.commit or ""
    if then.dirty.strip() or not COMMIT.fullmatch(commit) or _refused(project, "cat-file", "-e", f"{commit}:{VERB}"):
        return project
    place = folder / commit
    with FileLock(folder / f"{commit}.lock"):
        if not (place / VERB).exists():
            shutil.rmtree(place, ignore_errors=True)
            told = _refused(folder, "clone", "--quiet", "--shared", "--no-checkout", str(project), str(place))
            told = told or _refused(place, "checkout", "--quiet", commit)
            if told:
                shutil.rmtree(place, ignore_errors=True)  # half of it may be there
                raise StoreError(f"Commit {commit[:10]} cannot be checked out into {place}: {told}.")
    return place


def _refused(folder: Path, *arguments: str) -> str:
    """Call git, and tell what it says when it refuses; empty when it does not."""
    try:
        done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, errors="replace")
    except OSError as error:  # there is no git
        return str(error)
    return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["no reason was given"])[-1]


def make_environment(then: Provenance, folder: Path) -> Path:
    """Find or make an environment.

    Args:
        then: What was recorded.
        folder: Holds one folder an environment, by the digest of what is in it.

    Returns:
        Its interpreter.

    Raises:
        StoreError: When Python or a package is not to be had.
    """
    pins, version = list_requirements(then), then.python or sys.version.split()[0]
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


def list_requirements(then: Provenance) -> list[str]:
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
        raise StoreError(f"The recorded environment cannot be made: {what} is not to be had ({_reason(done.stderr)}).")


def _reason(told: str) -> str:
    """Take pip's or uv's error, which says what, and the innermost cause of it, which says why."""
    lines = [line.strip() for line in told.splitlines() if line.strip()] or ["no reason was given"]
    words = ([line for line in lines if line.lower().startswith(word)][-1:] for word in ("error:", "cause:"))
    found = [line.partition(":")[2].strip().rstrip(".") for few in words for line in few]
    return ": ".join(found) or lines[-1]
