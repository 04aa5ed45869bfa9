"""Who ran what code in which environment: what a run needs to be repeated."""

from __future__ import annotations

import getpass
import re
import subprocess
import sys
from functools import cache
from importlib import metadata
from importlib.metadata import version

from mlrunner.core.environment import PROJECT

HEADER = re.compile(r"^(Name|Version): *(.+?)\s*$", re.MULTILINE)


def _git(*arguments: str) -> str | None:
    try:
        found = subprocess.run(
            ["git", "-C", str(PROJECT), *arguments],
            capture_output=True,
            text=True,
            errors="replace",  # a diff holds what the files hold, in whatever encoding
            check=True,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout


@cache
def git() -> dict[str, str]:
    """Read commit and branch of the project, and what differs from the commit; empty outside of git."""
    asked = {
        "commit": _git("rev-parse", "HEAD"),
        "branch": _git("rev-parse", "--abbrev-ref", "HEAD"),
        "status": _git("status", "--porcelain"),  # names the untracked files, which no diff shows
        "diff": _git("diff", "--no-color", "--no-ext-diff", "HEAD"),
    }
    return {name: text if name == "diff" else text.strip() for name, text in asked.items() if text}


@cache
def packages() -> str:
    """List the installed distributions, as `pip freeze` would, with the Python version first."""
    found: dict[str, str] = {}
    for dist in metadata.distributions():
        if "_vendor" not in str(dist.locate_file("")):  # of setuptools
            name, version = _header(dist)
            found.setdefault(name, version)  # what comes first is what is imported
    lines = [f"{name}=={version}" for name, version in sorted(found.items(), key=lambda item: item[0].lower())]
    return "\n".join([f"# Python {sys.version.split()[0]}", *lines, ""])


def _header(dist: metadata.Distribution) -> tuple[str, str]:
    """Read name and version without the rest of the file, a long text: a quarter of a second for all packages."""
    text = dist.read_text("METADATA") or dist.read_text("PKG-INFO") or dist.read_text("") or ""
    told = dict(HEADER.findall(text.partition("\n\n")[0]))
    return told.get("Name", "unknown"), told.get("Version", "unknown")


def tags() -> dict[str, str]:
    """Name user, source and code in MLflow's own tags."""
    known = {
        "mlflow.user": _user(),
        "mlflow.source.name": "mlrunner",
        "mlflow.source.type": "LOCAL",
        "mlflow.source.git.commit": git().get("commit"),
        "mlflow.source.git.branch": git().get("branch"),
        "mlrunner.version": version("mlrunner"),
        "mlrunner.git.dirty": str("status" in git()).lower(),
    }
    return {name: value for name, value in known.items() if value is not None}


def _user() -> str | None:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return None
