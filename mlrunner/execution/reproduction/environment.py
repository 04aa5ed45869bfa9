"""Reproduce a run in its own environment: install its recorded packages, and use the code of its commit."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock

from mlrunner.composition.stores import open_store
from mlrunner.core.environment import child_environment, home, is_verbose
from mlrunner.core.errors import StoreError
from mlrunner.core.interruption import mark_handled
from mlrunner.core.terminal import console
from mlrunner.execution.reproduction.checkout import check_out, import_variables
from mlrunner.tracking.records import lookup, separate_stack_overrides
from mlrunner.tracking.records.snapshot import INSTALLERS, Provenance, read_provenance

NAME = re.compile(r"[A-Za-z0-9][\w.-]*")  # name of a package, and never an option of pip: this input is untrusted
PIN = re.compile(r"[\w.+!-]+")  # version number, and never a URL: this input is untrusted
PYTHON = re.compile(r"\d+(\.\d+)*\w*")  # version of Python, and never a path: this input is untrusted


def run_in_environment(name: str, arguments: Sequence[str], overrides: Sequence[str]) -> int:
    """Create the environment of a run unless it exists, and run `mlrunner reproduce` in it.

    Args:
        name: Name of the run.
        arguments: Arguments of `mlrunner reproduce`.
        overrides: Overrides of the stack, to find the run.

    Returns:
        The exit code of `mlrunner reproduce`.

    Raises:
        StoreError: When the environment cannot be created.
    """
    root = home()
    store = open_store(root, separate_stack_overrides(overrides)[1])
    record = lookup.resolve_sweep(store, lookup.find(store, name, root))
    then = read_provenance(record, store)
    if not then.packages:
        raise StoreError(f"Run {record.short} recorded no packages, so its environment cannot be created.")
    folder = root / ".mlrunner" / "environments"
    python = make_environment(then, folder)
    command = [str(python), "-m", "mlrunner", "reproduce", *arguments]
    variables = {"HYDRA_FULL_ERROR": str(int(is_verbose())), **import_variables(check_out(then, folder))}
    with subprocess.Popen(command, env=child_environment(**variables)) as child:
        return wait_for_child(child)


def wait_for_child(child: subprocess.Popen[bytes]) -> int:
    """Wait for a process that ends its run by itself on an interruption, and return its exit code.

    Args:
        child: Process in the same terminal, which receives Ctrl-C directly.
    """
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt as error:
            mark_handled()
            if error.args:  # SIGTERM or SIGHUP, see `core.interruption.interrupt`
                child.send_signal(error.args[0])


def make_environment(then: Provenance, folder: Path) -> Path:
    """Create the virtual environment of a run unless it exists.

    Args:
        then: Provenance of the run.
        folder: Folder that holds one folder for each environment, named by a digest of its packages.

    Returns:
        Path of the interpreter.

    Raises:
        StoreError: When Python or a package is not available.
    """
    pins, version = list_requirements(then), then.python or sys.version.split()[0]
    if not PYTHON.fullmatch(version):
        raise StoreError(f"The recorded environment cannot be created: '{version}' is not a version of Python.")
    digest = hashlib.sha256("\n".join([version, *pins]).encode()).hexdigest()[:16]
    place, marker = folder / digest, folder / digest / ".complete"
    folder.mkdir(parents=True, exist_ok=True)
    python = place / "bin" / "python"
    with FileLock(folder / f"{digest}.lock"):
        if not marker.exists():
            console(stderr=True).print(f"mlrunner: creating the recorded environment, {len(pins)} packages …")
            shutil.rmtree(place, ignore_errors=True)
            _create(place, version)
            (place / "requirements.txt").write_text("\n".join(pins) + "\n")
            _install(python, place / "requirements.txt")
            marker.touch()
    return python


def list_requirements(then: Provenance) -> list[str]:
    """List the packages to install as `name==version`, without entries that are not plain names and versions."""
    return [
        f"{name}=={version}"
        for name, version in then.packages.items()
        if name not in INSTALLERS and NAME.fullmatch(name) and PIN.fullmatch(version)
    ]


def _create(place: Path, version: str) -> None:
    if version == sys.version.split()[0]:
        _call([sys.executable, "-m", "venv", str(place)], f"Python {version}")
        return
    _call([*_uv(), "venv", "--quiet", "--seed", "--python", version, str(place)], f"Python {version}")


def _install(python: Path, file: Path) -> None:
    if shutil.which("uv") is not None or _has_uv():
        command = [*_uv(), "pip", "install", "--quiet", "--compile-bytecode", "--no-deps", "--python", str(python)]
    else:
        command = [str(python), "-m", "pip", "install", "--quiet", "--no-deps"]
    # A wheel is only unpacked; the setup of a source package runs, and the store names the packages.
    _call([*command, "--only-binary=:all:", "-r", str(file)], "a wheel of a recorded package")


def _has_uv() -> bool:
    import importlib.util

    return importlib.util.find_spec("uv") is not None


def _uv() -> list[str]:
    return [sys.executable, "-m", "uv"] if _has_uv() else ["uv"]


def _call(command: list[str], item: str) -> None:
    try:
        process = subprocess.run(command, capture_output=True, text=True)
    except OSError as error:
        raise StoreError(
            f"{item} is not available ({error}); install uv, or create the environment yourself."
        ) from error
    if process.returncode != 0:
        reason = _reason(process.stderr)
        raise StoreError(f"The recorded environment cannot be created: {item} is not available ({reason}).")


def _reason(stderr: str) -> str:
    """Return the last error of pip or uv and its innermost cause."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()] or ["no reason was given"]
    matches = ([line for line in lines if line.lower().startswith(word)][-1:] for word in ("error:", "cause:"))
    reasons = [line.partition(":")[2].strip().rstrip(".") for match in matches for line in match]
    return ": ".join(reasons) or lines[-1]
