"""A project with one commit, for tests of recorded code."""

from __future__ import annotations

import subprocess
from pathlib import Path

from mlrunner.execution.reproduction.checkout import VERB

AUTHOR = ["-c", "user.name=a", "-c", "user.email=a@b"]


def make_project(folder: Path) -> Path:
    """Make a project with one committed file, and return its folder."""
    (folder / VERB).parent.mkdir(parents=True)
    (folder / VERB).write_text("# then\n")
    for arguments in (["init", "-q"], ["add", "-A"], [*AUTHOR, "commit", "-q", "-m", "then"]):
        subprocess.run(["git", *arguments], cwd=folder, check=True)
    return folder
