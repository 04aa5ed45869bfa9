"""A home with a real MLflow store."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient

from mlrunner.tracking.records.sqlite_store import SqliteStore


class MlflowHome:
    """A home with an MLflow store.

    Args:
        home: Folder.
        template: Empty database, which takes seconds to create.
    """

    def __init__(self, home: Path, template: Path) -> None:
        self.home, self.store = home, SqliteStore(home / "mlflow.db")
        shutil.copy(template, home / "mlflow.db")
        mlflow.set_tracking_uri(f"sqlite:///{home}/mlflow.db")
        self.client = MlflowClient()
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
        """Create a logged model of a run, and return its id."""
        return str(self.client.create_logged_model(self.experiments["here"], source_run_id=run_id).model_id)

    def count(self, table: str) -> int:
        """Count the rows of a table."""
        with sqlite3.connect(self.home / "mlflow.db") as connection:
            (number,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
        connection.close()
        return int(number)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create an empty database of MLflow, which takes seconds."""
    file = tmp_path_factory.mktemp("template") / "mlflow.db"
    MlflowClient(f"sqlite:///{file}").search_experiments()
    return file


@pytest.fixture
def mlflow_home(tmp_path: Path, template: Path) -> Iterator[MlflowHome]:
    """Make a store, and use it as MLflow's tracking URI."""
    before = mlflow.get_tracking_uri()
    yield MlflowHome(tmp_path, template)
    mlflow.set_tracking_uri(before)
