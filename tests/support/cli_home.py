"""A home with a few recorded runs, a sweep and a deployment, for tests of the verbs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.front_door import PROJECT
from tests.support.mlflow_home import open_copy
from tests.support.run_stores import NamedRuns

SWEEP = "2026-11-25/17-43-06-708940"
RUN = "model=rf,max_depth=3"


@dataclass(frozen=True)
class CliHome:
    """A home that tests only read.

    Args:
        path: Folder that holds `.mlrunner/`.
        ids: Ids of the runs by name.
    """

    path: Path
    ids: dict[str, str]


@pytest.fixture(scope="session")
def recorded_home(tmp_path_factory: pytest.TempPathFactory, template: Path) -> CliHome:
    """Make the home."""
    home = tmp_path_factory.mktemp("cli")
    (home / ".mlrunner" / "deployments" / "olist").mkdir(parents=True)
    (home / ".mlrunner" / "deployments" / "olist" / "history.jsonl").touch()
    with open_copy(template, home / ".mlrunner"):
        runs = NamedRuns(home)
        runs.add(RUN, 0.25)
        runs.add("with space", 0.5)
        runs.add("trial", sweep_id=SWEEP, trial_number="0")
        runs.add("parent", sweep_id=SWEEP)
        runs.register_champion("olist", RUN)
    return CliHome(home, runs.ids)


@pytest.fixture
def cli_home(recorded_home: CliHome, monkeypatch: pytest.MonkeyPatch) -> CliHome:
    """Use the home in this process, as a verb does."""
    monkeypatch.setenv("MLRUNNER_HOME", str(recorded_home.path))
    monkeypatch.setenv("MLRUNNER_PROJECT", str(PROJECT))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return recorded_home


@pytest.fixture
def empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Use a home without runs in this process."""
    monkeypatch.setenv("MLRUNNER_HOME", str(tmp_path))
    monkeypatch.setenv("MLRUNNER_PROJECT", str(PROJECT))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path
