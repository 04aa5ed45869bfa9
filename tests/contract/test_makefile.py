"""The Makefile: overrides reach mlrunner, or are refused."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.support.front_door import PROJECT

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def print_recipe(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Let make print what it would run."""
    return subprocess.run(["make", "--dry-run", *arguments], cwd=PROJECT, capture_output=True, text=True, timeout=60)


def test_arguments_are_passed_on() -> None:
    recipe = print_recipe("run", "VENV=/tmp/other", "ARGS=model=rf 'cleaning.fill={a: b}'")
    assert recipe.returncode == 0
    assert "/tmp/other/bin/python -m mlrunner model=rf 'cleaning.fill={a: b}'\n" in recipe.stdout


def test_overrides_outside_of_arguments_are_refused() -> None:
    recipe = print_recipe("run", "model=rf")
    assert recipe.returncode == 2
    assert 'overrides go into ARGS: make run ARGS="model=rf"' in recipe.stderr
