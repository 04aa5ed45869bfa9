"""A search with stack=team on the services of deploy/compose.yaml: their commands and variables, as processes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import optuna
import psycopg
import pytest
import s3fs
from mlflow import MlflowClient
from optuna.storages import RDBStorage

from tests.support.compose_services import SECRETS, ComposeFile, start_services
from tests.support.front_door import run_cold
from tests.support.zenml_server import Zenml

pytestmark = [pytest.mark.slow, pytest.mark.services, pytest.mark.timeout(900)]
CONFIG = """
defaults:
  - override stack: team

stack:
  artifact_store: s3://team
  endpoint: http://127.0.0.1:{port}
"""
SHARED = "# @package _global_\ndefaults: [optuna]\nhydra:\n  sweeper:\n    storage: ${oc.env:OPTUNA_STORAGE}\n"
SEARCH = (
    "--multirun", "sweep=shared", "model=ridge", "dataset=diabetes", "hydra.sweeper.n_trials=3", "output=json",
    "hydra.sweeper.study_name=ridge", "tracking.plots=false",
)  # fmt: skip


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposeFile]:
    with start_services(tmp_path_factory.mktemp("team")) as file:
        yield file


def make_project(folder: Path, team: ComposeFile) -> Path:
    """Make the project of docs/team.md."""
    files = {"conf/config.yaml": CONFIG.format(port=team.ports["s3"]), "conf/sweep/shared.yaml": SHARED}
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_a_search_uses_all_servers_of_the_compose_file(team: ComposeFile, tmp_path: Path) -> None:
    home = make_project(tmp_path, team)
    login = {name: SECRETS[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    endpoint = team.fill("http://s3:8333")
    files = s3fs.S3FileSystem(key=login["AWS_ACCESS_KEY_ID"], secret=login["AWS_SECRET_ACCESS_KEY"],
                              endpoint_url=endpoint, skip_instance_cache=True)  # fmt: skip
    files.mkdir("team")
    zenml = Zenml(team.fill("http://zenml:8080"), SECRETS["ZENML_PASSWORD"])
    zenml.log_in()
    tracking = team.fill("http://mlflow:5000")
    storage = team.fill("postgresql+psycopg://team:${POSTGRES_PASSWORD}@postgres:5432/optuna")
    variables = {
        **login,
        "MLFLOW_TRACKING_URI": tracking,
        "ZENML_STORE_URL": zenml.url,
        "ZENML_STORE_API_KEY": zenml.new_key(),
        "OPTUNA_STORAGE": storage,
        "MLRUNNER_PROJECT": str(home),
    }
    done = run_cold(home, *SEARCH, cwd=home, **variables)
    assert done.code == 0, done.err
    winner = done.json["winner"]
    run = MlflowClient(tracking).get_run(winner["run_id"])
    assert run.data.metrics["test/r2"] == winner["metrics"]["test/r2"]
    assert any(file.endswith("MLmodel") for file in files.find("team/mlflow"))
    assert any(file.endswith(".arrow") for file in files.find("team"))
    studies = RDBStorage(storage)
    scores = [trial.value for trial in optuna.load_study(study_name="ridge", storage=studies).trials]
    studies.engine.dispose()
    assert sorted(scores) == sorted(trial["objective"] for trial in done.json["trials"])
    assert zenml.ask("/runs")["total"] == 1
    with psycopg.connect(storage.replace("+psycopg", "").replace("/optuna", "/mlflow")) as connection:
        assert connection.execute("SELECT count(*) FROM runs").fetchone() == (5,)  # parent, trials, winner
    local = {path.name for path in (home / ".mlrunner").glob("*.db")}
    assert local == set()
