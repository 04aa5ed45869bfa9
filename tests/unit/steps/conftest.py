"""A store of MLflow's with an experiment, and a run in it."""

from __future__ import annotations

from collections.abc import Iterator

import mlflow
import pytest
from mlflow import MlflowClient

from mlrunner.steps.recording import RunContext


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowClient]:
    before, home = mlflow.get_tracking_uri(), tmp_path_factory.mktemp("recording")
    mlflow.set_tracking_uri(f"sqlite:///{home}/mlflow.db")
    client = MlflowClient()
    client.create_experiment("tests", artifact_location=(home / "files").as_uri())
    yield client
    mlflow.set_tracking_uri(before)


@pytest.fixture
def run(client: MlflowClient) -> RunContext:
    experiment = client.get_experiment_by_name("tests")
    assert experiment is not None
    run_id = client.create_run(experiment.experiment_id).info.run_id
    return RunContext(run_id=run_id, log_model=False, plots=False, seed=0)
