"""The page for beginners: each command is run in its order, and prints what the page shows."""

from __future__ import annotations

import contextlib
import shlex
from pathlib import Path

import pytest

from mlrunner.core.loopback import free_port
from tests.support.console import mask, matches, read_examples
from tests.support.front_door import PROJECT, front_door

pytestmark = pytest.mark.slow
PAGE = PROJECT / "docs" / "start.md"


def run(command: str, folder: Path, port: int) -> str:
    """Run a command of the page in a folder, and return what it prints."""
    program, *arguments = shlex.split(command)
    if program == "python":
        with contextlib.chdir(folder):
            exec(arguments[1], {})
        return ""
    assert program == "mlrunner", command
    own = [f"deployer.port={port}"] if "deployer=local" in arguments else []
    result = front_door(folder, *arguments, *own, cwd=folder, MLRUNNER_PROJECT=str(folder))
    assert result.code == 0, f"{command}\n{result.out}\n{result.err}"
    return result.out


def test_each_command_prints_what_the_page_shows(tmp_path: Path) -> None:
    folder, port = tmp_path, free_port()
    for command, output in read_examples(PAGE.read_text()):
        if command.startswith("cd "):
            folder /= command.removeprefix("cd ")
        else:
            printed = run(command, folder, port)
            assert matches(output, printed), f"{command}\n{mask(printed)}\n--- page\n{mask(output)}"
