"""MLflow's garbage collection; ZenML and whole removals are in `tests/apps/test_prune.py`."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import mlflow
import pytest
from mlflow.exceptions import MlflowException

from mlrunner.core.errors import StoreError
from mlrunner.history.pruning import mlflow_gc
from mlrunner.history.pruning.removal import Remover
from mlrunner.tracking.records import MODEL_TAG, SWEEP_TAG
from mlrunner.tracking.records.record import PRUNING_TAG
from tests.support.mlflow_home import MlflowHome


@pytest.fixture
def remover(mlflow_home: MlflowHome) -> Remover:
    return Remover(mlflow_home.home, dict)


@pytest.mark.slow
def test_rows_files_and_models_are_removed_but_not_the_users_trash(mlflow_home: MlflowHome, remover: Remover) -> None:
    run_ids, other, trashed = [mlflow_home.add_run() for _ in range(2)], mlflow_home.add_run(), mlflow_home.add_run()
    for run_id in (*run_ids, other):
        mlflow_home.add_model(run_id)
    mlflow_home.client.delete_logged_model(mlflow_home.add_model(trashed))
    mlflow_home.client.delete_run(trashed)
    mlflow_home.client.delete_experiment(mlflow_home.experiments["far"])
    for run_id in run_ids:
        remover.collect(remover.delete(run_id))
    assert mlflow_home.count("runs") == mlflow_home.count("logged_models") == 2
    assert mlflow_home.count("experiments") == 3  # MLflow's default, the store's, and the one in the trash
    assert mlflow_home.client.get_run(trashed).info.lifecycle_stage == "deleted"
    files = {file.parents[1].name for file in (mlflow_home.home / "artifacts").rglob("note.txt")}
    assert files == {other, trashed}


def test_run_that_cannot_be_collected_is_found_again(mlflow_home: MlflowHome, remover: Remover) -> None:
    far = mlflow_home.add_run("far", **{PRUNING_TAG: "begun"})
    with pytest.raises(MlflowException, match="nowhere://far"):
        remover.collect(remover.delete(far))
    remover.collect(remover.delete(mlflow_home.add_run(**{PRUNING_TAG: "begun"})))
    assert [run.info.run_id for run in remover.find_uncollected()] == [far]
    assert mlflow_home.count("experiments") == 3  # no placeholder is left


def tamper(mlflow_home: MlflowHome, statement: str, *values: str) -> None:
    with sqlite3.connect(mlflow_home.home / "mlflow.db") as store:
        store.execute(statement, values)
    store.close()


@pytest.mark.parametrize("is_marked", [False, True])
def test_a_folder_that_the_store_names_is_not_removed(
    is_marked: bool, mlflow_home: MlflowHome, remover: Remover, tmp_path: Path
) -> None:
    """H3 of the attack findings."""
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").touch()
    run_id, other = mlflow_home.add_run(**{PRUNING_TAG: "begun"}), mlflow_home.add_run(**{PRUNING_TAG: "begun"})
    model = mlflow_home.add_model(other)
    if is_marked:  # as by an interrupted prune, which the next one completes
        remover.delete(run_id)
        remover.delete(other)
    tamper(mlflow_home, "UPDATE runs SET artifact_uri = ? WHERE run_uuid = ?", f"file://{precious}", run_id)
    tamper(mlflow_home, "UPDATE logged_models SET artifact_location = ? WHERE model_id = ?", str(precious), model)
    for each in (run_id, other):
        run = mlflow_home.client.get_run(each)
        with pytest.raises(StoreError, match=rf"^its files lie in .*{precious}, and not in .*; remove them yourself$"):
            remover.collect(run)
    assert (precious / "file").exists()


def test_models_of_an_interrupted_removal_are_collected(mlflow_home: MlflowHome, remover: Remover) -> None:
    run_id = mlflow_home.add_run(**{PRUNING_TAG: "begun"})
    model = mlflow_home.add_model(run_id)
    sweep = mlflow_home.add_run(**{SWEEP_TAG: "day/s", MODEL_TAG: f"models:/{model}"})
    remover.delete(run_id)
    remover.collect(remover.delete(sweep))  # only names the model of its winner
    (run,) = remover.find_uncollected()
    remover.collect(run)
    assert mlflow_home.count("logged_models") == mlflow_home.count("runs") == 0


def test_a_collection_that_was_killed_between_model_and_run_is_completed(
    mlflow_home: MlflowHome, remover: Remover
) -> None:
    run_id = mlflow_home.add_run(**{PRUNING_TAG: "begun"})
    model = mlflow_home.add_model(run_id)
    remover.delete(run_id)
    mlflow_gc.collect_only(mlflow_home.client, models=[model])
    (run,) = remover.find_uncollected()
    remover.collect(run)
    assert mlflow_home.count("runs") == 0


def test_version_of_a_deployment_stays_registered(mlflow_home: MlflowHome, remover: Remover) -> None:
    run_id = mlflow_home.add_run()
    mlflow_home.client.create_registered_model("m")
    for _ in range(2):
        mlflow_home.client.create_model_version("m", "file:///nowhere", run_id)
    (mlflow_home.home / ".mlrunner" / "deployments" / "m" / "releases" / "2").mkdir(parents=True)
    remover.delete(run_id)
    assert [int(version.version) for version in mlflow_home.client.search_model_versions("name = 'm'")] == [2]


def test_runs_of_a_server_are_not_collected(mlflow_home: MlflowHome) -> None:
    run = mlflow_home.client.get_run(mlflow_home.add_run())
    mlflow.set_tracking_uri("http://127.0.0.1:1")  # where nothing answers
    remover = Remover(mlflow_home.home, dict)
    assert not remover.can_collect
    remover.collect(run)
