"""A store of its own for the tests that log to MLflow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient

from mlrunner.tracking import run_log
from tests.support.mlflow_home import open_copy


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, template: Path) -> Iterator[MlflowClient]:
    """A client of a new store."""
    with open_copy(template, tmp_path_factory.mktemp("store")) as client:
        yield client


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose name must be escaped in a URL."""
    return tmp_path_factory.mktemp("artifacts") / "my #1 %20 é"


@pytest.fixture
def run_id(client: MlflowClient, artifacts: Path) -> str:
    del client
    experiment = run_log.ensure_experiment("tests", str(artifacts))
    return str(run_log.create_run(experiment, "a run", {"mlrunner.job": "1"}).run_id)
