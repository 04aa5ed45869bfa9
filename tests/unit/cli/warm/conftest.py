"""A warm process for the tests of this folder."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlrunner.core.environment import python_path
from tests.support.front_door import PROJECT, environment
from tests.support.warm_commands import Start


@pytest.fixture(scope="session")
def own_packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of packages that only the warm process of these tests has."""
    folder = tmp_path_factory.mktemp("own") / "site-packages"
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory, own_packages: Path) -> Iterator[Start]:
    """Start `python -m mlrunner` as a user does who has set nothing, or `warm=False` without the warm process."""
    home, runtime = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("w")

    def start(
        *arguments: str, cwd: Path = PROJECT, warm: bool = True, output: int = subprocess.PIPE, **more: str
    ) -> subprocess.Popen[str]:
        variables = environment(home, **{"XDG_RUNTIME_DIR": str(runtime), "MLRUNNER_WARM": "" if warm else "0", **more})
        variables.pop("PYTEST_CURRENT_TEST", None)  # which differs from test to test
        variables["PYTHONPATH"] = python_path([own_packages])
        command = [sys.executable, "-m", "mlrunner", *arguments]
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, text=True, cwd=cwd, env=variables
        )

    yield start
    start("warm", "stop").communicate(timeout=60)


@pytest.fixture
def warm(start: Start) -> Start:
    """Start the warm process unless it runs already, and return what starts commands."""
    out, err = (process := start("warm", "start")).communicate(timeout=120)
    assert process.returncode == 0, out + err
    return start
