"""The page for beginners: each command is run in its order, and prints what the page shows."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from mlrunner.core.loopback import free_port
from tests.support.console import Example, mask, matches, read_examples
from tests.support.front_door import PROJECT, front_door

pytestmark = pytest.mark.slow
PAGE = PROJECT / "docs" / "start.md"


def run(example: Example, folder: Path, port: int) -> str:
    """Run a command of the page in a folder, and return what it prints; `cat` writes the file that the page shows."""
    program, *arguments = shlex.split(example.command)
    if program == "cat":
        file = folder / arguments[0]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(example.output)
        return example.output
    if program == "python":
        return subprocess.run(
            [sys.executable, *arguments], cwd=folder, check=True, capture_output=True, text=True
        ).stdout
    assert program == "mlrunner", example.command
    own = [f"deployer.port={port}"] if "deployer=local" in arguments else []
    result = front_door(folder, *arguments, *own, cwd=folder, MLRUNNER_PROJECT=str(folder))
    assert result.code == 0, f"{example.command}\n{result.out}\n{result.err}"
    return result.out


def test_each_command_prints_what_the_page_shows(tmp_path: Path) -> None:
    port = free_port()
    for example in read_examples(PAGE.read_text()):
        printed = run(example, tmp_path, port)
        assert matches(example.output, printed), f"{example.command}\n{mask(printed)}\n--- page\n{mask(example.output)}"
