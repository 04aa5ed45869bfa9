"""Read code version, installed packages and user: what a run records so that it can be repeated."""

from __future__ import annotations

import getpass
import os
import re
import subprocess
import sys
from functools import cache
from importlib import metadata
from importlib.metadata import version

from mlrunner.core.environment import project
from mlrunner.tracking.records.liveness import describe_process
from mlrunner.tracking.records.record import BRANCH_TAG, COMMIT_TAG, DIRTY_TAG, PROCESS_TAG, USER_TAG, VERSION_TAG

HEADER = re.compile(r"^(Name|Version): *(.+?)\s*$", re.MULTILINE)


def _git(*arguments: str) -> str | None:
    try:
        process = subprocess.run(
            ["git", "-C", str(project()), *arguments],
            capture_output=True,
            text=True,
            errors="replace",  # a diff has the encodings of its files
            check=True,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return process.stdout


@cache
def read_git() -> dict[str, str]:
    """Read `commit`, `branch`, `status` and `diff` of the project's repository; empty outside of git."""
    texts = {
        "commit": _git("rev-parse", "HEAD"),
        "branch": _git("rev-parse", "--abbrev-ref", "HEAD"),
        "status": _git("status", "--porcelain"),  # lists the untracked files, which are not in the diff
        "diff": _git("diff", "--no-color", "--no-ext-diff", "HEAD"),
    }
    return {name: text if name == "diff" else text.strip() for name, text in texts.items() if text}


@cache
def list_packages() -> str:
    """List the installed distributions in the format of `pip freeze`, below a comment with Python's version."""
    versions: dict[str, str] = {}
    for dist in metadata.distributions():
        if "_vendor" not in str(dist.locate_file("")):  # setuptools carries copies of its own
            name, version = _read_header(dist)
            versions.setdefault(name, version)  # Python imports the first one
    lines = [f"{name}=={version}" for name, version in sorted(versions.items(), key=lambda item: item[0].lower())]
    return "\n".join([f"# Python {sys.version.split()[0]}", *lines, ""])


def _read_header(dist: metadata.Distribution) -> tuple[str, str]:
    """Read name and version only; parsing the whole files takes a quarter of a second for all packages."""
    text = dist.read_text("METADATA") or dist.read_text("PKG-INFO") or dist.read_text("") or ""
    fields = dict(HEADER.findall(text.partition("\n\n")[0]))
    return fields.get("Name", "unknown"), fields.get("Version", "unknown")


def source_tags() -> dict[str, str]:
    """Return the tags that identify user, source and code version, most of them MLflow's own."""
    tags = {
        USER_TAG: _read_user(),
        "mlflow.source.name": "mlrunner",
        "mlflow.source.type": "LOCAL",
        COMMIT_TAG: read_git().get("commit"),
        BRANCH_TAG: read_git().get("branch"),
        VERSION_TAG: version("mlrunner"),
        DIRTY_TAG: str("status" in read_git()).lower(),
        PROCESS_TAG: describe_process(os.getpid()),
    }
    return {name: value for name, value in tags.items() if value is not None}


def _read_user() -> str | None:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # the user of a container may have no name
        return None
