"""A home with a real MLflow store."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import mlflow
import pytest
from filelock import FileLock
from mlflow import MlflowClient

from mlrunner.tracking.records import MODEL_TAG
from mlrunner.tracking.records.sqlite_store import SqliteStore


@contextmanager
def open_copy(template: Path, folder: Path) -> Iterator[MlflowClient]:
    """Copy the empty database into a folder, and use it as MLflow's tracking URI."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(template, folder / "mlflow.db")
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    yield MlflowClient()
    mlflow.set_tracking_uri(before)


class MlflowHome:
    """A home with an MLflow store.

    Args:
        home: Folder.
        client: Client of the store.
    """

    def __init__(self, home: Path, client: MlflowClient) -> None:
        self.home, self.store, self.client = home, SqliteStore(home / "mlflow.db"), client
        self.experiments = {
            name: self.client.create_experiment(name, uri)
            for name, uri in (("here", (home / "artifacts").as_uri()), ("far", "nowhere://far"))
        }

    def add_run(self, experiment: str = "here", status: str = "FINISHED", **tags: str) -> str:
        """Create a run, and return its id; the files of experiment `far` are in a store that does not exist."""
        run_id = str(self.client.create_run(self.experiments[experiment], tags=tags).info.run_id)
        if experiment == "here":
            self.client.log_text(run_id, "text", "note.txt")
        if status != "RUNNING":
            self.client.set_terminated(run_id, status)
        return run_id

    def add_model(self, run_id: str) -> str:
        """Create a logged model of a run as `artifacts.reserve_model` does, and return its id."""
        model = str(self.client.create_logged_model(self.experiments["here"], source_run_id=run_id).model_id)
        self.client.set_tag(run_id, MODEL_TAG, f"models:/{model}")
        return model

    def count(self, table: str) -> int:
        """Count the rows of a table."""
        with sqlite3.connect(self.home / "mlflow.db") as connection:
            (number,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
        connection.close()
        return int(number)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create an empty database of MLflow, which takes seconds, once for all test processes."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if base.name.startswith("popen-") else base) / "template"
    folder.mkdir(exist_ok=True)
    with FileLock(folder / "lock"):
        if not (folder / "mlflow.db").exists():
            MlflowClient(f"sqlite:///{folder}/new.db").search_experiments()
            (folder / "new.db").rename(folder / "mlflow.db")
    return folder / "mlflow.db"


@pytest.fixture
def mlflow_home(tmp_path: Path, template: Path) -> Iterator[MlflowHome]:
    """Make a store, and use it as MLflow's tracking URI."""
    with open_copy(template, tmp_path) as client:
        yield MlflowHome(tmp_path, client)
