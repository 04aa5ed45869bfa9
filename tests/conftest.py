"""What the tests share: a home of their own, the front door, the real tables."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from omegaconf import DictConfig

PROJECT = Path(__file__).parent.parent
SHARED = PROJECT.parent / "shared" / "data"
RUN_SECONDS = 300  # a whole run on a busy machine of two cores, with room

os.environ.setdefault("MLRUNNER_PROJECT", str(PROJECT))
os.environ.setdefault("OMP_NUM_THREADS", "1")  # two test processes share two cores
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("MLRUNNER_HOME", "/nonexistent")  # a test that writes must say where


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The machine output of `output=json`."""
        return json.loads(self.out)


Runner = Callable[..., Ran]


def environment(home: Path, **more: str) -> dict[str, str]:
    """The environment of a user who has none of our variables set."""
    ours = ("MLRUNNER_", "ZENML_", "MLFLOW_", "HYDRA_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, "MLRUNNER_HOME": str(home), **more}


def front_door(home: Path, *arguments: str, cwd: Path | None = None, **more: str) -> Ran:
    """Type a command, in a process of its own."""
    command = [sys.executable, "-m", "mlrunner", *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=RUN_SECONDS, cwd=cwd or PROJECT, env=environment(home, **more)
    )
    return Ran(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="session")
def session_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One pair of stores, already made, for the tests that only add runs to it."""
    home = tmp_path_factory.mktemp("home")
    done = front_door(home, "env")
    if done.code != 0:
        raise RuntimeError(done.err)
    return home


@pytest.fixture(scope="session")
def mlrunner(session_home: Path) -> Runner:
    """The front door over the shared stores."""
    return lambda *arguments, **options: front_door(session_home, *arguments, **options)


@pytest.fixture
def compose() -> Iterator[Callable[[list[str]], DictConfig]]:
    """Compose a config as Hydra would, without running it."""
    from hydra import compose, initialize_config_dir

    with initialize_config_dir(str(PROJECT / "conf"), version_base="1.3"):
        yield lambda overrides: compose("config", overrides)


@pytest.fixture(params=["olist_customers_dataset", "california_housing"])
def shared_table(request: pytest.FixtureRequest) -> Path:
    """One of the real tables, which are not part of the project."""
    path = SHARED / f"{request.param}.csv"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    return path
