"""Check out the code of a recorded commit, and let a child process import it."""

from __future__ import annotations

import re
import shutil
import subprocess
from importlib import metadata
from pathlib import Path

from filelock import FileLock

from mlrunner.core.environment import python_path
from mlrunner.core.errors import StoreError
from mlrunner.core.project import CODE, PACKAGE, RESOURCES
from mlrunner.tracking.records.snapshot import Provenance

COMMIT = re.compile(r"[0-9a-f]{40}")
VERB = "mlrunner/execution/reproduction/__init__.py"  # a commit without this file cannot reproduce a run


def import_variables(place: Path) -> dict[str, str]:
    """Return variables with which Python imports our code from a folder.

    Args:
        place: Folder of the code; without the variables Python prefers the current folder, which may be a checkout.
    """
    return {"PYTHONPATH": python_path([place], [Path.cwd()]), "PYTHONSAFEPATH": "1"}


def check_out(then: Provenance, folder: Path, code: Path = CODE) -> Path:
    """Check out the commit of a run.

    Args:
        then: Provenance of the run.
        folder: Folder that holds one folder for each commit.
        code: Folder of today's code.

    Returns:
        The folder of the code: today's when the run had uncommitted changes, or git does not have the commit.

    Raises:
        StoreError: When git fails.
    """
    commit = then.commit or ""
    if then.dirty.strip() or not COMMIT.fullmatch(commit) or _git_error(code, "cat-file", "-e", f"{commit}:{VERB}"):
        return copy_installed(folder) if RESOURCES == PACKAGE else code
    place = folder / commit
    with FileLock(folder / f"{commit}.lock"):
        if not (place / VERB).exists():
            shutil.rmtree(place, ignore_errors=True)
            error = _git_error(folder, "clone", "--quiet", "--shared", "--no-checkout", str(code), str(place))
            error = error or _git_error(place, "checkout", "--quiet", commit)
            if error:
                shutil.rmtree(place, ignore_errors=True)  # it may be incomplete
                raise StoreError(f"Commit {commit[:10]} cannot be checked out into {place}: {error}.")
    return place


def copy_installed(folder: Path) -> Path:
    """Copy the installed mlrunner, without the packages beside it, and return the folder of the copy."""
    distribution = metadata.distribution("mlrunner")
    place = folder / f"mlrunner-{distribution.version}"
    for file in distribution.files or ():
        if ".." not in file.parts and file.suffix != ".pyc":
            (place / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(str(file.locate()), place / file)
    return place


def _git_error(folder: Path, *arguments: str) -> str:
    """Call git, and return its error; empty when it succeeds."""
    try:
        process = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, errors="replace"
        )
    except OSError as error:  # there is no git
        return str(error)
    return "" if process.returncode == 0 else (process.stderr.strip().splitlines() or ["no reason was given"])[-1]
