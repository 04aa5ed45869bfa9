"""What the tests share: a home of their own, the front door, the real tables."""

from __future__ import annotations

import atexit
import functools
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

from tests.support.warm import Begun, Warm

PROJECT = Path(__file__).parent.parent
SHARED = PROJECT.parent / "shared" / "data"
SHARING = (
    "test_servers.py",
    "test_run.py",
    "test_robust.py",
    "test_search.py",
    "test_search_robust.py",
    "test_deploy.py",
    "test_predict.py",
    "test_playground.py",
    "test_ui.py",
    "test_prune.py",
    "test_image.py",
    "test_docker_deployer.py",
    "test_evidence.py",
    "test_naming.py",
    "test_reproduce.py",
    "test_verbs.py",
    "test_diff.py",
    "test_line.py",
    "test_records.py",
    "test_report.py",
    "test_runs.py",
    "test_completion.py",
)  # their tests share servers or whole runs
UNSAVED = ("tracking.log_model=false", "tracking.plots=false")  # for a run of which neither is looked at
RUN_SECONDS = 300  # a whole run on a busy machine of two cores, with room
UNREAD = {"PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "MLRUNNER_PROJECT"}  # by the packages that the warm process imports

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
    """Type a command, in a process of its own; it starts cold where packages read something while they are imported."""
    if set(more) - UNREAD or "-v" in arguments:
        return cold(home, *arguments, cwd=cwd, **more)
    process = begin(home, *arguments, cwd=cwd, **more)
    out, err = process.communicate(timeout=RUN_SECONDS)
    assert process.returncode is not None
    return Ran(process.returncode, out, err)


def begin(home: Path, *arguments: str, cwd: Path | None = None, **more: str) -> Begun:
    """Type a command, and do not wait for it."""
    told = {"arguments": arguments, "environment": environment(home, **more), "cwd": str(cwd or PROJECT)}
    return warm().begin(told, RUN_SECONDS)


@functools.cache
def warm() -> Warm:
    """The warm process of this test process."""
    from mlrunner.groups.stack import PLAIN, SILENT

    found = Warm(PROJECT, {**environment(PROJECT), **PLAIN, **SILENT})
    atexit.register(found.close)
    return found


def cold(home: Path, *arguments: str, cwd: Path | None = None, **more: str) -> Ran:
    """Type a command as a person does, who waits for what it imports."""
    command = [sys.executable, "-m", "mlrunner", *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=RUN_SECONDS, cwd=cwd or PROJECT, env=environment(home, **more)
    )
    return Ran(done.returncode, done.stdout, done.stderr)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give a file whose tests share a server or a run to one process.

    pytest 9.2 hides the marks `xdist_group` from xdist: https://github.com/pytest-dev/pytest-xdist/issues/1386
    """
    from xdist.scheduler import LoadGroupScheduling

    class SharingScheduling(LoadGroupScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return file if Path(file).name in SHARING else str(super()._split_scope(nodeid))

    return SharingScheduling(config, log) if config.option.dist == "loadgroup" else None


@functools.cache
def exported(home: Path) -> dict[str, str]:
    """What `mlrunner env` exports, which makes the stores where there are none; the same for every run of a home."""
    done = front_door(home, "env")
    if done.code != 0:
        raise RuntimeError(done.err)
    return dict(line.removeprefix("export ").split("=", 1) for line in done.out.splitlines())


@pytest.fixture(scope="session")
def session_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One pair of stores, already made, for the tests that only add runs to it."""
    home = tmp_path_factory.mktemp("home")
    exported(home)
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


from tests.support.recorded import recorded as recorded  # noqa: E402 - it needs what stands above
