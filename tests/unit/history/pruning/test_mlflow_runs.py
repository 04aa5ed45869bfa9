"""Removing runs from MLflow: they are marked as deleted, then collected by `mlflow gc`."""

from __future__ import annotations

import mlflow
import pytest
from mlflow.entities import LoggedModelOutput
from mlflow.exceptions import MlflowException

from mlrunner.history.pruning.mlflow_runs import MlflowRuns
from tests.support.mlflow_home import MlflowHome


@pytest.fixture
def runs(mlflow_home: MlflowHome) -> MlflowRuns:
    return MlflowRuns(mlflow_home.home / "deployments")


def delete(runs: MlflowRuns, *run_ids: str) -> dict[str, list[str]]:
    for run_id in run_ids:
        runs.tag(run_id)
    return {run_id: runs.delete(run_id) for run_id in run_ids}


@pytest.mark.slow
def test_rows_files_and_models_are_removed_but_not_the_users_trash(mlflow_home: MlflowHome, runs: MlflowRuns) -> None:
    run_ids, other, trashed = [mlflow_home.add_run() for _ in range(3)], mlflow_home.add_run(), mlflow_home.add_run()
    models = [mlflow_home.add_model(run_id) for run_id in run_ids]
    mlflow_home.add_model(other)
    mlflow_home.client.delete_logged_model(mlflow_home.add_model(trashed))
    mlflow_home.client.delete_run(trashed)
    mlflow_home.client.delete_experiment(mlflow_home.experiments["far"])
    deleted = delete(runs, *run_ids)
    assert deleted == {run_id: [model] for run_id, model in zip(run_ids, models, strict=True)}
    for run_id, ids in deleted.items():
        runs.collect(run_id, ids)
    assert mlflow_home.count("runs") == mlflow_home.count("logged_models") == 2
    assert mlflow_home.count("experiments") == 3  # MLflow's default, the store's, and the one in the trash
    assert mlflow_home.client.get_run(trashed).info.lifecycle_stage == "deleted"
    files = {file.parents[1].name for file in (mlflow_home.home / "artifacts").rglob("note.txt")}
    assert files == {other, trashed}


def test_run_that_cannot_be_collected_is_found_again(mlflow_home: MlflowHome, runs: MlflowRuns) -> None:
    far = mlflow_home.add_run("far")
    delete(runs, far)
    with pytest.raises(MlflowException, match="nowhere://far"):
        runs.collect(far, [])
    assert runs.uncollected() == {far: []}
    near = mlflow_home.add_run()
    delete(runs, near)
    runs.collect(near, [])
    assert runs.uncollected() == {far: []}


def test_interrupted_removal_is_completed(mlflow_home: MlflowHome, runs: MlflowRuns) -> None:
    run_id, trashed = mlflow_home.add_run(), mlflow_home.add_run()
    model = mlflow_home.add_model(run_id)
    mlflow_home.client.log_outputs(run_id, [LoggedModelOutput(model, 0)])
    mlflow_home.client.delete_run(trashed)
    delete(runs, run_id)
    with pytest.raises(MlflowException):
        runs.collect("f" * 32, [model])  # leaves what an interruption between model and run leaves
    assert runs.uncollected() == {run_id: [model]}
    runs.collect(run_id, [model])
    assert runs.uncollected() == {}
    assert (mlflow_home.count("logged_models"), mlflow_home.count("experiments")) == (0, 3)  # no placeholder is left
    assert mlflow_home.client.get_run(trashed).info.lifecycle_stage == "deleted"
    assert mlflow_home.count("runs") == 1


def test_version_of_a_deployment_stays_registered(mlflow_home: MlflowHome, runs: MlflowRuns) -> None:
    run_id = mlflow_home.add_run()
    mlflow_home.client.create_registered_model("m")
    for _ in range(2):
        mlflow_home.client.create_model_version("m", "file:///nowhere", run_id)
    (runs.deployments / "m" / "releases" / "2").mkdir(parents=True)
    delete(runs, run_id)
    assert [int(version.version) for version in mlflow_home.client.search_model_versions("name = 'm'")] == [2]


def test_runs_of_a_server_are_not_collected(mlflow_home: MlflowHome) -> None:
    mlflow.set_tracking_uri("http://127.0.0.1:1")  # where nothing answers
    runs = MlflowRuns(mlflow_home.home / "deployments")
    assert not runs.can_collect
    runs.collect(mlflow_home.add_run(), [])
