"""Files that a run leaves in MLflow, whatever the name of their folder, and without secrets."""

from __future__ import annotations

import json
from pathlib import Path

import mlflow
import pytest
from matplotlib.figure import Figure
from mlflow import MlflowClient

from mlrunner.tracking import artifacts as saving
from mlrunner.tracking import run_log

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:alembic", "ignore::ResourceWarning")


def test_artifacts_are_saved_in_a_folder_of_any_name(artifacts: Path, run_id: str) -> None:
    saving.log_texts(run_id, {"environment/git.json": "{}", "config.yaml": "password: secret\n"})
    saving.log_figures(run_id, {"residuals": Figure((1, 1))})
    (folder,) = artifacts.glob(f"{run_id}/artifacts")
    assert (folder / "environment" / "git.json").read_text() == "{}"
    assert (folder / "config.yaml").read_text() == "password: ***\n"
    assert (folder / "plots" / "residuals.png").read_bytes().startswith(b"\x89PNG")


def test_texts_of_a_known_address_are_where_mlflow_finds_them(client: MlflowClient, run_id: str) -> None:
    saving.log_texts(run_id, {"config.yaml": "token: secret\n"}, client.get_run(run_id).info.artifact_uri)
    assert mlflow.artifacts.load_text(f"runs:/{run_id}/config.yaml") == "token: ***\n"


def test_reserved_model_belongs_to_its_run(client: MlflowClient, run_id: str) -> None:
    model_id = saving.reserve_model(run_id)
    assert run_log.read_results(run_id)[1] == f"models:/{model_id}"
    assert client.get_logged_model(model_id).source_run_id == run_id


@pytest.mark.parametrize("name", ["run", "sweep"])
def test_files_of_hydra_are_saved_without_secrets(name: str, tmp_path: Path, run_id: str) -> None:
    (tmp_path / ".hydra").mkdir()
    files = {"run": [".hydra/config.yaml", ".hydra/overrides.yaml"], "sweep": ["multirun.yaml"]}[name]
    for file in [*files, "mlrunner.log"]:
        (tmp_path / file).write_text("- stack.token=secret\n")
    saving.log_hydra_files(run_id, tmp_path)
    saved = mlflow.artifacts.list_artifacts(run_id=run_id, artifact_path=".hydra" if name == "run" else None)
    assert sorted(item.path for item in saved) == files


def test_documents_are_saved_whole(client: MlflowClient, run_id: str) -> None:
    del client
    document = {"columns": {"token": {"dtype": "str"}, "password": {"top": {"a: b": 0.5}}}}
    saving.log_documents(run_id, {"data.json": document})
    uri = MlflowClient().get_run(run_id).info.artifact_uri
    assert json.loads(mlflow.artifacts.load_text(f"{uri}/data.json")) == document
