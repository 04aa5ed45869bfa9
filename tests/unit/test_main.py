"""The entry point: module and console script alike, and signals before anything is imported."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.front_door import PROJECT, environment

INTERRUPTED = """
import os, sys


def send(event, arguments):
    if event == "import" and arguments[0] == {module!r}:
        os.kill(os.getpid(), {number})


sys.addaudithook(send)
sys.argv = ["mlrunner", "runs"]
from mlrunner.__main__ import main

sys.exit(main())
"""


@pytest.mark.parametrize(
    ("module", "number", "message"),
    [
        ("signal", signal.SIGINT, ""),
        ("mlrunner.cli.command_line", signal.SIGINT, ""),
        ("mlrunner.cli.completion", signal.SIGTERM, ""),
        ("mlrunner.cli.commands.parser", signal.SIGINT, "mlrunner: interrupted.\n"),
        ("mlrunner.cli.commands.parser", signal.SIGTERM, "mlrunner: interrupted.\n"),
    ],
)
def test_a_signal_during_imports_prints_one_line_or_none(
    module: str, number: signal.Signals, message: str, tmp_path: Path
) -> None:
    program = INTERRUPTED.format(module=module, number=int(number))
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(tmp_path), cwd=PROJECT)
    assert (done.returncode, done.stderr) == (128 + number, message)


@pytest.mark.slow
def test_module_and_console_script_are_the_same_program(tmp_path: Path) -> None:
    script = Path(sys.executable).parent / "mlrunner"
    if not script.exists():
        pytest.skip("mlrunner is not installed in this environment")
    texts = [
        subprocess.run(
            [*command, "--help"], capture_output=True, text=True, env=environment(tmp_path), cwd=PROJECT
        ).stdout
        for command in ([sys.executable, "-m", "mlrunner"], [str(script)])
    ]
    assert texts[0] == texts[1] != ""
