"""A search with its tables and models in a real S3 server, whose credentials appear nowhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.front_door import CommandResult, front_door, run_program
from tests.support.s3_server import BUCKET, KEY, SECRET, S3Server, start_s3

pytestmark = [pytest.mark.slow, pytest.mark.services]
SEARCH = ("sweep=optuna", "model=ridge", "dataset=diabetes", "hydra.sweeper.n_trials=2", "hydra.sweeper.n_jobs=2")
MODEL = "import mlrunner, sys; print(type(mlrunner.load('best')).__name__)"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with start_s3(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(scope="module")
def home(server: S3Server, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, CommandResult]:
    """Return the home of a search, and what it printed."""
    home = tmp_path_factory.mktemp("home")
    stack = (f"stack.artifact_store=s3://{BUCKET}/runs", f"stack.endpoint={server.url}")
    done = front_door(
        home, "--multirun", *SEARCH, *stack, "tracking.plots=false", "output=json", cwd=home, **server.login
    )
    assert done.code == 0, done.err
    return home, done


def test_tables_and_models_are_in_the_bucket(home: tuple[Path, CommandResult], server: S3Server) -> None:
    files = server.files.find(f"{BUCKET}/runs")
    winner = json.loads(home[1].out)["winner"]
    model = winner["model_uri"].removeprefix("models:/")
    assert any(file.endswith(f"{model}/artifacts/MLmodel") for file in files)
    assert any(file.startswith(f"{BUCKET}/runs/mlflow/{winner['run_id']}/") for file in files)
    assert sum(file.endswith(".arrow") for file in files if file.startswith(f"{BUCKET}/runs/zenml/")) >= 3
    assert not (home[0] / ".mlrunner" / "artifacts").exists()


def test_the_credentials_appear_nowhere(home: tuple[Path, CommandResult], server: S3Server) -> None:
    texts = [done.encode() for done in (home[1].out, home[1].err)]
    stored = [file.read_bytes() for file in home[0].rglob("*") if file.is_file()]
    remote = [server.files.cat_file(file) for file in server.files.find(f"{BUCKET}/runs")]
    assert len(stored) > 5
    assert not [text for text in (*texts, *stored, *remote) if SECRET.encode() in text or KEY.encode() in text]


def test_the_saved_model_is_loaded_from_the_bucket(home: tuple[Path, CommandResult], server: S3Server) -> None:
    done = run_program(home[0], MODEL, cwd=home[0], MLFLOW_S3_ENDPOINT_URL=server.url, **server.login)
    assert done.out.strip() == "Pipeline", done.err


def test_wrong_credentials_are_one_sentence(server: S3Server, tmp_path: Path) -> None:
    stack = (f"stack.artifact_store=s3://{BUCKET}/runs", f"stack.endpoint={server.url}")
    wrong = {**server.login, "AWS_SECRET_ACCESS_KEY": "another"}
    done = front_door(tmp_path, "model=ridge", "dataset=diabetes", "output=quiet", *stack, cwd=tmp_path, **wrong)
    assert done.code == 2, done.err
    assert done.err.startswith(f"mlrunner: stack.artifact_store=s3://{BUCKET}/runs cannot be read (")
    assert "or set the credentials in the environment, such as AWS_ACCESS_KEY_ID and" in done.err
    assert len(done.err.strip().splitlines()) == 1
