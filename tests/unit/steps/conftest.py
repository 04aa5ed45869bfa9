"""A store of MLflow's with an experiment, and a run in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient
from zenml.utils import source_utils

from mlrunner.steps.recording import RunContext
from tests.support.front_door import PROJECT
from tests.support.mlflow_home import open_copy

source_utils.set_custom_source_root(str(PROJECT))  # a process of pytest-xdist has no main module to find it by


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, template: Path) -> Iterator[MlflowClient]:
    home = tmp_path_factory.mktemp("recording")
    with open_copy(template, home) as client:
        client.create_experiment("tests", artifact_location=(home / "files").as_uri())
        yield client


@pytest.fixture
def run(client: MlflowClient) -> RunContext:
    experiment = client.get_experiment_by_name("tests")
    assert experiment is not None
    run_id = client.create_run(experiment.experiment_id).info.run_id
    return RunContext(run_id=run_id, log_model=False, plots=False, seed=0, objective="r2")
